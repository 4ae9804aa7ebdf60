#include "crypto/age_identity_file.h"

#include "crypto/age_armor.h"
#include "crypto/age_file.h"
#include "crypto/age_header.h"
#include "crypto/crypto_error.h"

#include <string.h>

/* A ByteSource of bytes in memory. */
typedef struct {
    const uint8_t *next;
    size_t n_left;
} Bytes;

static bool
read_bytes(void *source_data, uint8_t *buffer, size_t n_bytes, size_t *n_read, GError **error)
{
    Bytes *bytes = source_data;

    (void) error; /* never fails */
    *n_read = MIN(n_bytes, bytes->n_left);
    memcpy(buffer, bytes->next, *n_read);
    bytes->next += *n_read;
    bytes->n_left -= *n_read;
    return true;
}

/* Takes the armour off a small file, which is sealed still. */
static GByteArray *
take_armor_off(const Secret *armored, GError **error)
{
    g_autoptr(GByteArray) plain = g_byte_array_new();
    Bytes bytes = {secret_peek(armored), secret_length(armored)};
    g_autoptr(AgeArmorReader) reader = age_armor_reader_new(read_bytes, &bytes);
    uint8_t buffer[4096];
    size_t n_read = 1;

    while (n_read > 0) {
        if (!age_armor_reader_read(reader, buffer, sizeof(buffer), &n_read, error))
            return NULL;
        g_byte_array_append(plain, buffer, (guint) n_read);
    }
    return g_steal_pointer(&plain);
}

static Secret *
open_sealed(const Secret *content, AgePassphraseAsk ask, void *ask_data, GError **error)
{
    g_autoptr(GByteArray) unarmored = NULL;
    g_autoptr(GPtrArray) identities =
        g_ptr_array_new_with_free_func((GDestroyNotify) age_identity_free);
    const uint8_t *sealed = secret_peek(content);
    size_t n_sealed = secret_length(content);

    if (age_armor_begins(sealed, n_sealed)) {
        unarmored = take_armor_off(content, error);
        if (unarmored == NULL)
            return NULL;
        sealed = unarmored->data;
        n_sealed = unarmored->len;
    }
    g_ptr_array_add(identities, age_identity_new_asking(ask, ask_data, AGE_PASSPHRASE_MAX_LOG_N));
    return age_file_open_secret(identities, age_context_any(), sealed, n_sealed, error);
}

bool
age_identity_file_is_sealed(const Secret *content)
{
    const uint8_t *bytes = secret_peek(content);
    const size_t n_bytes = secret_length(content);

    return n_bytes > 0 &&
           (age_header_could_begin(bytes, n_bytes) || age_armor_begins(bytes, n_bytes));
}

GPtrArray *
age_identity_file_parse(const Secret *content, AgePassphraseAsk ask, void *ask_data, GError **error)
{
    g_autoptr(Secret) opened = NULL;

    if (!age_identity_file_is_sealed(content))
        return age_identity_parse_file(content, error);
    if (ask == NULL) {
        g_set_error(error, CRYPTO_ERROR, CRYPTO_ERROR_NO_MATCH,
                    "it is sealed to a passphrase, and none is given");
        return NULL;
    }
    opened = open_sealed(content, ask, ask_data, error);
    return opened == NULL ? NULL : age_identity_parse_file(opened, error);
}
