#include "crypto/age_past.h"

#include "crypto/age_lock.h"
#include "crypto/age_stream.h"
#include "crypto/age_wrap.h"
#include "crypto/base64.h"
#include "crypto/crypto_error.h"

#include <string.h>

enum { KEY_DIGITS = 2 * AGE_FILE_KEY_BYTES };

static const char digits[] = "0123456789abcdef";

struct AgePast {
    Secret *file_key;
    GByteArray *head; /* header and nonce, as they stand in the file */
};

/* Copies the header and what must follow it. `n_header`: out. Returns: NULL with `error`. */
static AgePast *
take_head(const uint8_t *sealed, size_t n_bytes, size_t *n_header, GError **error)
{
    size_t n_seen = 0;
    AgePast *self = NULL;

    *n_header = age_header_find_end(sealed, MIN(n_bytes, AGE_HEADER_MAX_BYTES), &n_seen);
    if (*n_header == 0 || n_bytes - *n_header < AGE_STREAM_NONCE_BYTES) {
        crypto_fail(error, CRYPTO_ERROR_MALFORMED, "not an age v1 file, or cut inside its header");
        return NULL;
    }
    self = g_new0(AgePast, 1);
    self->head = g_byte_array_new();
    g_byte_array_append(self->head, sealed, (guint) (*n_header + AGE_STREAM_NONCE_BYTES));
    return self;
}

AgePast *
age_past_take(GPtrArray *identities, const AgeContext *context, const uint8_t *sealed,
              size_t n_bytes, GError **error)
{
    size_t n_header = 0;
    g_autoptr(AgePast) self = take_head(sealed, n_bytes, &n_header, error);
    g_autoptr(AgeHeader) header =
        self != NULL ? age_header_parse(self->head->data, n_header, error) : NULL;

    if (header == NULL)
        return NULL;
    self->file_key = age_lock_open(identities, context, header, error);
    return self->file_key != NULL ? g_steal_pointer(&self) : NULL;
}

Digest
age_past_digest(const AgePast *self, const uint8_t *plain, size_t n_plain)
{
    const size_t n_chunks = MAX(1, (n_plain + AGE_STREAM_CHUNK_BYTES - 1) / AGE_STREAM_CHUNK_BYTES);
    const size_t n_bytes = self->head->len + n_plain + n_chunks * AGE_STREAM_TAG_BYTES;
    g_autofree uint8_t *bytes = g_malloc(n_bytes);
    uint8_t *at = bytes + self->head->len;
    g_autoptr(AgeStream) stream = age_stream_new_seal(
        self->file_key, self->head->data + self->head->len - AGE_STREAM_NONCE_BYTES);

    memcpy(bytes, self->head->data, self->head->len);
    for (size_t i = 0; i < n_chunks; i++) {
        const size_t n_chunk = MIN(n_plain, AGE_STREAM_CHUNK_BYTES);
        const AgeStreamPlace place = {i, i + 1 == n_chunks};

        age_stream_seal(stream, place, plain, n_chunk, at);
        if (n_chunk > 0)
            plain += n_chunk;
        n_plain -= n_chunk;
        at += n_chunk + AGE_STREAM_TAG_BYTES;
    }
    return digest_of(bytes, n_bytes);
}

Secret *
age_past_to_text(const AgePast *self, GError **error)
{
    g_autofree char *head = base64_encode_unpadded(self->head->data, self->head->len);
    const size_t n_head = strlen(head);
    Secret *text = secret_new_zero(KEY_DIGITS + 1 + n_head, error);
    const uint8_t *key = secret_peek(self->file_key);
    uint8_t *at = text != NULL ? secret_bytes(text) : NULL;

    if (text == NULL)
        return NULL;
    for (size_t i = 0; i < AGE_FILE_KEY_BYTES; i++) {
        *at++ = (uint8_t) digits[key[i] >> 4];
        *at++ = (uint8_t) digits[key[i] & 15];
    }
    *at++ = ' ';
    for (size_t i = 0; i < n_head; i++)
        *at++ = (uint8_t) head[i];
    return text;
}

/* Returns: false where `c` is no digit. */
static bool
read_digit(char c, uint8_t *value)
{
    const char *found = c != '\0' ? strchr(digits, c) : NULL;

    *value = found != NULL ? (uint8_t) (found - digits) : 0;
    return found != NULL;
}

static Secret *
read_key(const char *text, GError **error)
{
    g_autoptr(Secret) key = secret_new_zero(AGE_FILE_KEY_BYTES, error);

    for (size_t i = 0; key != NULL && i < AGE_FILE_KEY_BYTES; i++) {
        uint8_t high = 0;
        uint8_t low = 0;

        if (!read_digit(text[2 * i], &high) || !read_digit(text[2 * i + 1], &low)) {
            crypto_fail(error, CRYPTO_ERROR_MALFORMED, "it names no file key");
            return NULL;
        }
        secret_bytes(key)[i] = (uint8_t) (high << 4 | low);
    }
    return g_steal_pointer(&key);
}

AgePast *
age_past_parse(const char *text, size_t n_bytes, GError **error)
{
    const size_t n_text = n_bytes > KEY_DIGITS ? n_bytes - KEY_DIGITS - 1 : 0;
    g_autofree uint8_t *head = g_malloc(n_text + 1);
    g_autoptr(Secret) key = NULL;
    g_autoptr(AgePast) self = NULL;
    size_t n_head = 0;
    size_t n_header = 0;

    if (n_text == 0 || text[KEY_DIGITS] != ' ' ||
        !base64_decode_unpadded(text + KEY_DIGITS + 1, n_text, head, n_text, &n_head)) {
        crypto_fail(error, CRYPTO_ERROR_MALFORMED, "it does not say what a file was made with");
        return NULL;
    }
    key = read_key(text, error);
    self = key != NULL ? take_head(head, n_head, &n_header, error) : NULL;
    if (self == NULL)
        return NULL;
    if (n_header + AGE_STREAM_NONCE_BYTES != n_head) {
        crypto_fail(error, CRYPTO_ERROR_MALFORMED, "more than a header and a nonce stands there");
        return NULL;
    }
    self->file_key = g_steal_pointer(&key);
    return g_steal_pointer(&self);
}

void
age_past_free(AgePast *self)
{
    if (self == NULL)
        return;
    secret_free(self->file_key);
    g_byte_array_unref(self->head);
    g_free(self);
}
