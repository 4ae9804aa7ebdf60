#include "crypto/age_file.h"

#include "crypto/age_lock.h"
#include "crypto/age_stream.h"
#include "crypto/age_writer.h"
#include "crypto/crypto_error.h"

#include <sodium.h>
#include <string.h>

#define HEADER_GUESS_BYTES 1024

/* An age file in memory after its header was opened. */
typedef struct {
    AgeStream *stream;
    const uint8_t *payload;
    size_t n_payload;
} OpenFile;

/* The sealed file as it grows. A GByteArray would round up to a power of two, and a large block
 * takes fresh pages each time, which cost more than sealing. */
typedef struct {
    uint8_t *bytes;
    size_t n_bytes, n_room;
} Output;

static bool
append(void *sink_data, const uint8_t *bytes, size_t n_bytes, GError **error)
{
    Output *self = sink_data;

    (void) error; /* never fails: GLib ends the program without memory */
    if (n_bytes > self->n_room - self->n_bytes) {
        self->n_room = self->n_bytes + n_bytes;
        self->bytes = g_realloc(self->bytes, self->n_room);
    }
    memcpy(self->bytes + self->n_bytes, bytes, n_bytes);
    self->n_bytes += n_bytes;
    return true;
}

static bool
seal_pieces(AgeWriter *writer, const struct iovec *pieces, size_t n_pieces, GError **error)
{
    for (size_t i = 0; i < n_pieces; i++) {
        if (!age_writer_write(writer, pieces[i].iov_base, pieces[i].iov_len, error))
            return false;
    }
    return age_writer_finish(writer, error);
}

GBytes *
age_file_seal(GPtrArray *recipients, const AgeContext *context, const struct iovec *pieces,
              size_t n_pieces, GError **error)
{
    g_autoptr(AgeWriter) writer = NULL;
    Output output = {0};
    size_t n_plain = 0;

    for (size_t i = 0; i < n_pieces; i++)
        n_plain += pieces[i].iov_len;
    g_assert(n_plain <= AGE_FILE_MAX_BYTES);
    output.n_room = HEADER_GUESS_BYTES + n_plain +
                    (n_plain / AGE_STREAM_CHUNK_BYTES + 1) * AGE_STREAM_TAG_BYTES;
    output.bytes = g_malloc(output.n_room);
    writer = age_writer_new(recipients, context, append, &output, error);
    if (writer == NULL || !seal_pieces(writer, pieces, n_pieces, error)) {
        g_free(output.bytes);
        return NULL;
    }
    return g_bytes_new_take(output.bytes, output.n_bytes);
}

static AgeHeader *
parse_header(const uint8_t *sealed, size_t n_bytes, size_t *n_header, GError **error)
{
    size_t n_seen = 0;

    *n_header = age_header_find_end(sealed, MIN(n_bytes, AGE_HEADER_MAX_BYTES), &n_seen);
    if (*n_header == 0) {
        crypto_fail(error, CRYPTO_ERROR_MALFORMED, "not an age v1 file, or cut inside its header");
        return NULL;
    }
    return age_header_parse(sealed, *n_header, error);
}

static bool
open_header(GPtrArray *identities, const AgeContext *context, GBytes *sealed, OpenFile *file,
            GError **error)
{
    gsize n_bytes = 0;
    const uint8_t *bytes = g_bytes_get_data(sealed, &n_bytes);
    size_t n_header = 0;
    g_autoptr(AgeHeader) header = parse_header(bytes, n_bytes, &n_header, error);
    g_autoptr(Secret) file_key = NULL;

    if (header == NULL)
        return false;
    if (n_bytes > AGE_FILE_MAX_BYTES)
        return crypto_fail(error, CRYPTO_ERROR_MALFORMED, "the file is too large to open at once");
    if (n_bytes < n_header + AGE_STREAM_NONCE_BYTES + AGE_STREAM_TAG_BYTES)
        return crypto_fail(error, CRYPTO_ERROR_MALFORMED, "the file ends behind its header");
    file_key = age_lock_open(identities, context, header, error);
    if (file_key == NULL)
        return false;
    file->stream = age_stream_new_open(file_key, bytes + n_header);
    file->payload = bytes + n_header + AGE_STREAM_NONCE_BYTES;
    file->n_payload = n_bytes - n_header - AGE_STREAM_NONCE_BYTES;
    return true;
}

/* The length of the plaintext if the file is genuine. */
static size_t
plain_bytes(const OpenFile *file)
{
    const size_t n_chunks =
        (file->n_payload + AGE_STREAM_SEALED_BYTES - 1) / AGE_STREAM_SEALED_BYTES;
    const size_t n_tags = n_chunks * AGE_STREAM_TAG_BYTES;

    return file->n_payload > n_tags ? file->n_payload - n_tags : 0;
}

/* Opens all chunks into `plain` (plain_bytes() long), straight, so that there is no copy to wipe.
 */
static bool
open_payload(const OpenFile *file, uint8_t *plain, GError **error)
{
    size_t n_left = file->n_payload;
    const uint8_t *sealed = file->payload;

    for (uint64_t number = 0; n_left > 0; number++) {
        const size_t n_chunk = MIN(n_left, AGE_STREAM_SEALED_BYTES);
        const AgeStreamPlace place = {number, n_chunk == n_left};
        const bool is_empty = n_chunk == AGE_STREAM_TAG_BYTES && number > 0;
        if (n_chunk < AGE_STREAM_TAG_BYTES || is_empty ||
            !age_stream_open(file->stream, place, sealed, n_chunk, plain)) {
            return crypto_fail(error, CRYPTO_ERROR_AUTHENTICATION,
                               "chunk %" G_GUINT64_FORMAT
                               " is not genuine: the file was changed, cut or extended",
                               number);
        }
        sealed += n_chunk;
        plain += n_chunk - AGE_STREAM_TAG_BYTES;
        n_left -= n_chunk;
    }
    return true;
}

GByteArray *
age_file_open(GPtrArray *identities, const AgeContext *context, const uint8_t *sealed,
              size_t n_bytes, GError **error)
{
    g_autoptr(GBytes) bytes = g_bytes_new_static(sealed, n_bytes);
    OpenFile file = {0};

    if (!open_header(identities, context, bytes, &file, error))
        return NULL;
    g_autoptr(AgeStream) stream = file.stream;
    /* One byte more, so that `data` is no NULL for an empty file. */
    GByteArray *plain = g_byte_array_sized_new((guint) plain_bytes(&file) + 1);
    g_byte_array_set_size(plain, (guint) plain_bytes(&file));
    if (open_payload(&file, plain->data, error))
        return plain;
    age_file_wipe(plain);
    return NULL;
}

bool
age_file_open_into(GPtrArray *identities, const AgeContext *context, const struct iovec *sealed,
                   PlainBuffer *plain, GError **error)
{
    g_autoptr(GBytes) bytes = g_bytes_new_static(sealed->iov_base, sealed->iov_len);
    OpenFile file = {0};

    plain_buffer_resize(plain, 0);
    if (!open_header(identities, context, bytes, &file, error))
        return false;
    g_autoptr(AgeStream) stream = file.stream;
    plain_buffer_resize(plain, plain_bytes(&file));
    if (open_payload(&file, plain->bytes, error))
        return true;
    plain_buffer_resize(plain, 0);
    return false;
}

Secret *
age_file_open_secret(GPtrArray *identities, const AgeContext *context, const uint8_t *sealed,
                     size_t n_bytes, GError **error)
{
    g_autoptr(GBytes) bytes = g_bytes_new_static(sealed, n_bytes);
    OpenFile file = {0};

    if (!open_header(identities, context, bytes, &file, error))
        return NULL;
    g_autoptr(AgeStream) stream = file.stream;
    /* A Secret is never empty: an empty plaintext is one zero byte cut to nothing. */
    g_autoptr(Secret) plain = secret_new_zero(MAX(plain_bytes(&file), 1), error);
    if (plain == NULL || !open_payload(&file, secret_bytes(plain), error))
        return NULL;
    secret_truncate(plain, plain_bytes(&file));
    return g_steal_pointer(&plain);
}

char *
age_file_claimed_context(const uint8_t *sealed, size_t n_bytes, GError **error)
{
    size_t n_header = 0;
    g_autoptr(AgeHeader) header = parse_header(sealed, n_bytes, &n_header, error);

    return header == NULL ? NULL : age_lock_claimed_context(header);
}

void
age_file_wipe(GByteArray *plaintext)
{
    if (plaintext == NULL)
        return;
    if (plaintext->len > 0)
        sodium_memzero(plaintext->data, plaintext->len);
    g_byte_array_unref(plaintext);
}
