#include "crypto/age_reader.h"

#include "crypto/age_lock.h"
#include "crypto/age_stream.h"
#include "crypto/crypto_error.h"

#include <sodium.h>
#include <string.h>

#define HEADER_STEP_BYTES 4096

/* One byte more than a chunk is read ahead: whether a chunk is the last one shows in whether
 * anything follows, and it is opened as that and nothing else. */
struct AgeReader {
    ByteSource source;
    void *source_data;
    bool is_source_empty;
    bool is_finished;
    AgeStream *stream;
    uint64_t number; /* of the next chunk */
    size_t n_sealed;
    uint8_t sealed[AGE_STREAM_SEALED_BYTES + 1];
    uint8_t plain[AGE_STREAM_CHUNK_BYTES];
};

/* Appends up to `n_bytes` to `bytes`. */
static bool
read_more(AgeReader *self, GByteArray *bytes, size_t n_bytes, GError **error)
{
    const guint n_before = bytes->len;
    size_t n_read = 0;

    g_byte_array_set_size(bytes, n_before + (guint) n_bytes);
    if (!self->source(self->source_data, bytes->data + n_before, n_bytes, &n_read, error))
        return false;
    g_byte_array_set_size(bytes, n_before + (guint) n_read);
    self->is_source_empty = n_read == 0;
    return true;
}

/* Reads until `bytes` holds the header and the nonce behind it.
 * `n_header`: length of the header alone. */
static bool
read_header(AgeReader *self, GByteArray *bytes, size_t *n_header, GError **error)
{
    size_t n_seen = 0;

    *n_header = 0;
    while (*n_header == 0 || bytes->len < *n_header + AGE_STREAM_NONCE_BYTES) {
        if (!read_more(self, bytes, HEADER_STEP_BYTES, error))
            return false;
        if (bytes->len == 0 || !age_header_could_begin(bytes->data, bytes->len))
            return crypto_fail(error, CRYPTO_ERROR_MALFORMED, "not an age v1 file");
        if (*n_header == 0)
            *n_header = age_header_find_end(bytes->data, bytes->len, &n_seen);
        if (self->is_source_empty)
            return crypto_fail(error, CRYPTO_ERROR_MALFORMED, "the file ends inside its header");
        if (*n_header == 0 && bytes->len > AGE_HEADER_MAX_BYTES) {
            return crypto_fail(error, CRYPTO_ERROR_MALFORMED, "the header is longer than %zu bytes",
                               AGE_HEADER_MAX_BYTES);
        }
    }
    return true;
}

static bool
open_header(AgeReader *self, GPtrArray *identities, const AgeContext *context, GError **error)
{
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    g_autoptr(AgeHeader) header = NULL;
    g_autoptr(Secret) file_key = NULL;
    size_t n_header = 0;

    if (!read_header(self, bytes, &n_header, error))
        return false;
    header = age_header_parse(bytes->data, n_header, error);
    if (header == NULL)
        return false;
    file_key = age_lock_open(identities, context, header, error);
    if (file_key == NULL)
        return false;
    const size_t n_used = n_header + AGE_STREAM_NONCE_BYTES;
    self->stream = age_stream_new_open(file_key, bytes->data + n_header);
    self->n_sealed = bytes->len - n_used;
    memcpy(self->sealed, bytes->data + n_used, self->n_sealed);
    return true;
}

AgeReader *
age_reader_new(GPtrArray *identities, const AgeContext *context, ByteSource source,
               void *source_data, GError **error)
{
    G_STATIC_ASSERT(HEADER_STEP_BYTES + AGE_STREAM_NONCE_BYTES < AGE_STREAM_CHUNK_BYTES);
    g_autoptr(AgeReader) self = g_new0(AgeReader, 1);

    self->source = source;
    self->source_data = source_data;
    return open_header(self, identities, context, error) ? g_steal_pointer(&self) : NULL;
}

static bool
fill_sealed(AgeReader *self, GError **error)
{
    while (self->n_sealed < sizeof(self->sealed) && !self->is_source_empty) {
        size_t n_read = 0;
        if (!self->source(self->source_data, self->sealed + self->n_sealed,
                          sizeof(self->sealed) - self->n_sealed, &n_read, error))
            return false;
        self->is_source_empty = n_read == 0;
        self->n_sealed += n_read;
    }
    return true;
}

static bool
open_chunk(AgeReader *self, size_t *n_plain, GError **error)
{
    const AgeStreamPlace place = {self->number, self->n_sealed <= AGE_STREAM_SEALED_BYTES};
    const size_t n_chunk = MIN(self->n_sealed, AGE_STREAM_SEALED_BYTES);

    if (n_chunk < AGE_STREAM_TAG_BYTES)
        return crypto_fail(error, CRYPTO_ERROR_AUTHENTICATION, "the file is cut at its end");
    /* Only an empty file ends with an empty chunk, so that there is one way to write a plaintext.
     */
    if (n_chunk == AGE_STREAM_TAG_BYTES && self->number > 0)
        return crypto_fail(error, CRYPTO_ERROR_AUTHENTICATION, "the file ends with an empty chunk");
    if (!age_stream_open(self->stream, place, self->sealed, n_chunk, self->plain)) {
        return crypto_fail(error, CRYPTO_ERROR_AUTHENTICATION,
                           "chunk %" G_GUINT64_FORMAT " is not genuine: the file was changed, cut "
                           "or extended",
                           self->number);
    }
    self->number++;
    self->is_finished = place.is_last;
    self->n_sealed -= n_chunk;
    if (self->n_sealed > 0)
        self->sealed[0] = self->sealed[AGE_STREAM_SEALED_BYTES];
    *n_plain = n_chunk - AGE_STREAM_TAG_BYTES;
    return true;
}

bool
age_reader_next(AgeReader *self, const uint8_t **plain, size_t *n_plain, GError **error)
{
    *plain = self->plain;
    *n_plain = 0;
    if (self->is_finished)
        return true;
    return fill_sealed(self, error) && open_chunk(self, n_plain, error);
}

void
age_reader_free(AgeReader *self)
{
    if (self == NULL)
        return;
    age_stream_free(self->stream);
    sodium_memzero(self->plain, sizeof(self->plain));
    g_free(self);
}
