#include "crypto/age_view.h"

#include "crypto/age_lock.h"
#include "crypto/age_stream.h"
#include "crypto/crypto_error.h"

#include <sodium.h>
#include <string.h>

#define HEADER_STEP_BYTES 4096
#define NO_CHUNK          UINT64_MAX

struct AgeView {
    AgeViewFile file;
    uint64_t payload_start; /* in the sealed file */
    uint64_t n_chunks;
    uint64_t n_plain;
    AgeStream *stream;
    uint64_t number; /* of the chunk in `plain` */
    uint8_t plain[AGE_STREAM_CHUNK_BYTES];
    uint8_t sealed[AGE_STREAM_SEALED_BYTES];
};

/* Reads twice as much each time, until the header and the nonce behind it are in `bytes`. */
static bool
read_header(const AgeViewFile *file, GByteArray *bytes, size_t *n_header, GError **error)
{
    size_t n_seen = 0;

    for (size_t n_wanted = HEADER_STEP_BYTES;; n_wanted *= 2) {
        const size_t n_bytes = (size_t) MIN(file->n_bytes, n_wanted);
        g_byte_array_set_size(bytes, (guint) n_bytes);
        if (n_bytes > 0 && !file->read_at(file->file_data, 0, bytes->data, n_bytes, error))
            return false;
        if (n_bytes == 0 || !age_header_could_begin(bytes->data, n_bytes))
            return crypto_fail(error, CRYPTO_ERROR_MALFORMED, "not an age v1 file");
        *n_header = age_header_find_end(bytes->data, n_bytes, &n_seen);
        if (*n_header > 0 && n_bytes >= *n_header + AGE_STREAM_NONCE_BYTES)
            return true;
        if (n_bytes == file->n_bytes || n_bytes > AGE_HEADER_MAX_BYTES) {
            return crypto_fail(error, CRYPTO_ERROR_MALFORMED,
                               "the file ends inside its header, or the header is too long");
        }
    }
}

/* How the payload is cut follows from its length alone; that the length is genuine follows from the
 * last chunk, which is sealed as the last. */
static bool
measure_payload(AgeView *self, GError **error)
{
    const uint64_t n_payload = self->file.n_bytes - self->payload_start;

    self->n_chunks = (n_payload + AGE_STREAM_SEALED_BYTES - 1) / AGE_STREAM_SEALED_BYTES;
    const uint64_t n_last = n_payload - (self->n_chunks - 1) * AGE_STREAM_SEALED_BYTES;
    if (self->n_chunks == 0 || n_last < AGE_STREAM_TAG_BYTES ||
        (n_last == AGE_STREAM_TAG_BYTES && self->n_chunks > 1))
        return crypto_fail(error, CRYPTO_ERROR_AUTHENTICATION, "the file is cut at its end");
    self->n_plain = n_payload - self->n_chunks * AGE_STREAM_TAG_BYTES;
    return true;
}

/* Makes `plain` hold chunk `number`. */
static bool
open_chunk(AgeView *self, uint64_t number, GError **error)
{
    if (self->number == number)
        return true;
    const AgeStreamPlace place = {number, number == self->n_chunks - 1};
    const uint64_t start = self->payload_start + number * AGE_STREAM_SEALED_BYTES;
    const size_t n_sealed =
        (size_t) MIN(self->file.n_bytes - start, (uint64_t) AGE_STREAM_SEALED_BYTES);

    self->number = NO_CHUNK;
    if (!self->file.read_at(self->file.file_data, start, self->sealed, n_sealed, error))
        return false;
    if (!age_stream_open(self->stream, place, self->sealed, n_sealed, self->plain)) {
        return crypto_fail(error, CRYPTO_ERROR_AUTHENTICATION,
                           "chunk %" G_GUINT64_FORMAT
                           " is not genuine: the file was changed, cut or extended",
                           number);
    }
    self->number = number;
    return true;
}

static bool
open_header(AgeView *self, GPtrArray *identities, const AgeContext *context, GError **error)
{
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    g_autoptr(AgeHeader) header = NULL;
    g_autoptr(Secret) file_key = NULL;
    size_t n_header = 0;

    if (!read_header(&self->file, bytes, &n_header, error))
        return false;
    header = age_header_parse(bytes->data, n_header, error);
    if (header == NULL)
        return false;
    file_key = age_lock_open(identities, context, header, error);
    if (file_key == NULL)
        return false;
    self->stream = age_stream_new_open(file_key, bytes->data + n_header);
    self->payload_start = n_header + AGE_STREAM_NONCE_BYTES;
    return true;
}

AgeView *
age_view_new(GPtrArray *identities, const AgeContext *context, const AgeViewFile *file,
             GError **error)
{
    g_autoptr(AgeView) self = g_new0(AgeView, 1);

    self->file = *file;
    self->number = NO_CHUNK;
    if (!open_header(self, identities, context, error) || !measure_payload(self, error) ||
        !open_chunk(self, self->n_chunks - 1, error))
        return NULL;
    return g_steal_pointer(&self);
}

uint64_t
age_view_length(const AgeView *self)
{
    return self->n_plain;
}

bool
age_view_read(AgeView *self, uint64_t offset, uint8_t *buffer, size_t n_bytes, GError **error)
{
    g_assert(offset <= self->n_plain && n_bytes <= self->n_plain - offset);
    while (n_bytes > 0) {
        const size_t start = (size_t) (offset % AGE_STREAM_CHUNK_BYTES);
        const size_t n_taken = MIN(n_bytes, AGE_STREAM_CHUNK_BYTES - start);
        if (!open_chunk(self, offset / AGE_STREAM_CHUNK_BYTES, error))
            return false;
        memcpy(buffer, self->plain + start, n_taken);
        buffer += n_taken;
        offset += n_taken;
        n_bytes -= n_taken;
    }
    return true;
}

void
age_view_free(AgeView *self)
{
    if (self == NULL)
        return;
    age_stream_free(self->stream);
    sodium_memzero(self->plain, sizeof(self->plain));
    g_free(self);
}
