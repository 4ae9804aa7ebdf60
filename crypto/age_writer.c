#include "crypto/age_writer.h"

#include "crypto/age_lock.h"
#include "crypto/age_stream.h"

#include <sodium.h>
#include <string.h>

/* A chunk leaves only when a byte behind it is known, as the last one is sealed differently. */
struct AgeWriter {
    ByteSink sink;
    void *sink_data;
    AgeStream *stream;
    uint64_t number; /* of the chunk being filled */
    size_t n_plain;
    uint8_t plain[AGE_STREAM_CHUNK_BYTES];
    uint8_t sealed[AGE_STREAM_SEALED_BYTES];
};

AgeWriter *
age_writer_new(GPtrArray *recipients, const AgeContext *context, ByteSink sink, void *sink_data,
               GError **error)
{
    g_autoptr(Secret) file_key = NULL;
    g_autoptr(GByteArray) header = age_lock_new(recipients, context, &file_key, error);
    uint8_t nonce[AGE_STREAM_NONCE_BYTES];

    if (header == NULL)
        return NULL;
    randombytes_buf(nonce, sizeof(nonce));
    g_byte_array_append(header, nonce, sizeof(nonce));
    if (!sink(sink_data, header->data, header->len, error))
        return NULL;

    AgeWriter *self = g_new(AgeWriter, 1);
    self->sink = sink;
    self->sink_data = sink_data;
    self->stream = age_stream_new_seal(file_key, nonce);
    self->number = 0;
    self->n_plain = 0;
    return self;
}

static bool
seal_chunk(AgeWriter *self, bool is_last, const uint8_t *plain, size_t n_plain, GError **error)
{
    const AgeStreamPlace place = {self->number++, is_last};

    age_stream_seal(self->stream, place, plain, n_plain, self->sealed);
    return self->sink(self->sink_data, self->sealed, n_plain + AGE_STREAM_TAG_BYTES, error);
}

bool
age_writer_write(AgeWriter *self, const uint8_t *bytes, size_t n_bytes, GError **error)
{
    while (n_bytes > 0) {
        if (self->n_plain == AGE_STREAM_CHUNK_BYTES) {
            if (!seal_chunk(self, false, self->plain, self->n_plain, error))
                return false;
            self->n_plain = 0;
        }
        /* A whole chunk with more behind it need not be copied. */
        if (self->n_plain == 0 && n_bytes > AGE_STREAM_CHUNK_BYTES) {
            if (!seal_chunk(self, false, bytes, AGE_STREAM_CHUNK_BYTES, error))
                return false;
            bytes += AGE_STREAM_CHUNK_BYTES;
            n_bytes -= AGE_STREAM_CHUNK_BYTES;
            continue;
        }
        const size_t n_taken = MIN(n_bytes, AGE_STREAM_CHUNK_BYTES - self->n_plain);
        memcpy(self->plain + self->n_plain, bytes, n_taken);
        self->n_plain += n_taken;
        bytes += n_taken;
        n_bytes -= n_taken;
    }
    return true;
}

bool
age_writer_finish(AgeWriter *self, GError **error)
{
    return seal_chunk(self, true, self->plain, self->n_plain, error);
}

void
age_writer_free(AgeWriter *self)
{
    if (self == NULL)
        return;
    age_stream_free(self->stream);
    sodium_memzero(self->plain, sizeof(self->plain));
    g_free(self);
}
