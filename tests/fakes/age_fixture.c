#include "tests/fakes/age_fixture.h"

#include "crypto/age_file.h"
#include "crypto/age_header.h"
#include "crypto/age_reader.h"
#include "crypto/age_stream.h"
#include "crypto/age_wrap.h"
#include "crypto/crypto_error.h"

#include <gio/gio.h>
#include <string.h>

void
age_fixture_start(void)
{
    g_autoptr(GError) error = NULL;
    const bool is_started = crypto_start(&error);

    g_assert_no_error(error);
    g_assert_true(is_started);
}

Secret *
age_fixture_secret(const char *text)
{
    g_autoptr(GError) error = NULL;
    Secret *secret = secret_new_zero(MAX(strlen(text), 1), &error);

    g_assert_no_error(error);
    memcpy(secret_bytes(secret), text, strlen(text));
    secret_truncate(secret, strlen(text));
    return secret;
}

GPtrArray *
age_fixture_identities(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Secret) text = age_fixture_secret(
        "# made with age-keygen\n"
        "AGE-SECRET-KEY-152D6L7S66YG9SPMTUTVFAG0GQS9KZKVLKHZ365ZFSJNXSWF34N8SW9S7NE\n");
    GPtrArray *identities = age_identity_parse_file(text, &error);

    g_assert_no_error(error);
    return identities;
}

GPtrArray *
age_fixture_recipients(void)
{
    g_autoptr(GPtrArray) identities = age_fixture_identities();
    GPtrArray *recipients = g_ptr_array_new_with_free_func((GDestroyNotify) age_recipient_free);

    g_ptr_array_add(recipients, age_identity_recipient(g_ptr_array_index(identities, 0)));
    return recipients;
}

GBytes *
age_fixture_pattern(size_t n_bytes)
{
    uint8_t *bytes = g_malloc(n_bytes + 1);
    uint32_t state = 1;

    for (size_t i = 0; i < n_bytes; i++) {
        state = state * 1664525 + 1013904223; /* Knuth's linear congruential generator */
        bytes[i] = (uint8_t) (state >> 24);
    }
    return g_bytes_new_take(bytes, n_bytes);
}

GBytes *
age_fixture_seal(GBytes *plain, const AgeContext *context)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) recipients = age_fixture_recipients();
    gsize n_plain = 0;
    const void *bytes = g_bytes_get_data(plain, &n_plain);
    const struct iovec piece = {(void *) bytes, n_plain};
    GBytes *sealed = age_file_seal(recipients, context, &piece, 1, &error);

    g_assert_no_error(error);
    return sealed;
}

GBytes *
age_fixture_seal_stanzas(GPtrArray *stanzas, const Secret *file_key, GBytes *plain)
{
    static const uint8_t nonce[AGE_STREAM_NONCE_BYTES] = {7};
    g_autoptr(AgeStream) stream = age_stream_new_seal(file_key, nonce);
    GByteArray *file = age_header_write(stanzas, file_key);
    uint8_t sealed[AGE_STREAM_TAG_BYTES + 256];
    gsize n_plain = 0;
    const uint8_t *bytes = g_bytes_get_data(plain, &n_plain);

    g_assert_cmpuint(n_plain, <=, 256);
    age_stream_seal(stream, (AgeStreamPlace){0, true}, bytes, n_plain, sealed);
    g_byte_array_append(file, nonce, sizeof(nonce));
    g_byte_array_append(file, sealed, (guint) n_plain + AGE_STREAM_TAG_BYTES);
    return g_byte_array_free_to_bytes(file);
}

GBytes *
age_fixture_seal_with_empty_last_chunk(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Secret) file_key = secret_new_random(AGE_FILE_KEY_BYTES, &error);
    g_autoptr(GPtrArray) recipients = age_fixture_recipients();
    g_autoptr(GPtrArray) stanzas = g_ptr_array_new_with_free_func((GDestroyNotify) age_stanza_free);
    g_autoptr(AgeStream) stream = NULL;
    g_autoptr(GBytes) plain = age_fixture_pattern(AGE_STREAM_CHUNK_BYTES);
    g_autofree uint8_t *sealed = g_malloc(AGE_STREAM_SEALED_BYTES + AGE_STREAM_TAG_BYTES);
    static const uint8_t nonce[AGE_STREAM_NONCE_BYTES] = {8};

    g_ptr_array_add(stanzas, age_wrap(g_ptr_array_index(recipients, 0), file_key, &error));
    g_assert_no_error(error);
    stream = age_stream_new_seal(file_key, nonce);
    age_stream_seal(stream, (AgeStreamPlace){0, false}, g_bytes_get_data(plain, NULL),
                    AGE_STREAM_CHUNK_BYTES, sealed);
    age_stream_seal(stream, (AgeStreamPlace){1, true}, sealed, 0, sealed + AGE_STREAM_SEALED_BYTES);
    GByteArray *file = age_header_write(stanzas, file_key);
    g_byte_array_append(file, nonce, sizeof(nonce));
    g_byte_array_append(file, sealed, AGE_STREAM_SEALED_BYTES + AGE_STREAM_TAG_BYTES);
    return g_byte_array_free_to_bytes(file);
}

AgeTape *
age_tape_new(GBytes *content, size_t step)
{
    AgeTape *self = g_new0(AgeTape, 1);

    self->bytes = g_byte_array_new();
    self->step = step;
    if (content != NULL && g_bytes_get_size(content) > 0)
        g_byte_array_append(self->bytes, g_bytes_get_data(content, NULL),
                            (guint) g_bytes_get_size(content));
    return self;
}

static bool
fail_if_broken(const AgeTape *self, GError **error)
{
    if (self->is_broken)
        g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_FAILED, "the tape is broken");
    return !self->is_broken;
}

bool
age_tape_read(void *tape, uint8_t *buffer, size_t n_bytes, size_t *n_read, GError **error)
{
    AgeTape *self = tape;
    size_t n_given = MIN(n_bytes, self->bytes->len - self->offset);

    g_assert_cmpuint(n_bytes, >, 0);
    if (!fail_if_broken(self, error))
        return false;
    if (self->step > 0)
        n_given = MIN(n_given, self->step);
    if (n_given > 0)
        memcpy(buffer, self->bytes->data + self->offset, n_given);
    self->offset += n_given;
    *n_read = n_given;
    return true;
}

bool
age_tape_write(void *tape, const uint8_t *bytes, size_t n_bytes, GError **error)
{
    AgeTape *self = tape;

    if (!fail_if_broken(self, error))
        return false;
    g_byte_array_append(self->bytes, bytes, (guint) n_bytes);
    return true;
}

bool
age_tape_read_at(void *tape, uint64_t offset, uint8_t *buffer, size_t n_bytes, GError **error)
{
    AgeTape *self = tape;

    if (!fail_if_broken(self, error))
        return false;
    g_assert_cmpuint(offset + n_bytes, <=, self->bytes->len);
    memcpy(buffer, self->bytes->data + offset, n_bytes);
    return true;
}

void
age_tape_free(AgeTape *self)
{
    if (self == NULL)
        return;
    g_byte_array_unref(self->bytes);
    g_free(self);
}

bool
age_fixture_read(GBytes *sealed, size_t step, GByteArray **released, GError **error)
{
    g_autoptr(GPtrArray) identities = age_fixture_identities();
    g_autoptr(AgeTape) tape = age_tape_new(sealed, step);
    g_autoptr(AgeReader) reader =
        age_reader_new(identities, age_context_any(), age_tape_read, tape, error);
    const uint8_t *plain = NULL;
    size_t n_plain = 1;

    *released = g_byte_array_new();
    while (reader != NULL && n_plain > 0) {
        if (!age_reader_next(reader, &plain, &n_plain, error))
            return false;
        g_byte_array_append(*released, plain, (guint) n_plain);
    }
    return reader != NULL;
}

bool
age_fixture_is_prefix(const GByteArray *a, GBytes *b)
{
    return a->len <= g_bytes_get_size(b) &&
           (a->len == 0 || memcmp(a->data, g_bytes_get_data(b, NULL), a->len) == 0);
}
