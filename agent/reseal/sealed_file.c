#include "agent/reseal/sealed_file.h"

#include "crypto/age_header.h"
#include "crypto/age_stream.h"

uint64_t
sealed_file_length(const uint8_t *bytes, size_t n_bytes, size_t n_plain)
{
    const size_t n_chunks = MAX(1, (n_plain + AGE_STREAM_CHUNK_BYTES - 1) / AGE_STREAM_CHUNK_BYTES);
    size_t n_seen = 0;
    const size_t n_header = age_header_find_end(bytes, MIN(n_bytes, AGE_HEADER_MAX_BYTES), &n_seen);
    const uint64_t n_all = (uint64_t) n_header + AGE_STREAM_NONCE_BYTES + n_plain +
                           (uint64_t) n_chunks * AGE_STREAM_TAG_BYTES;

    return n_header == 0 || n_all > n_bytes ? 0 : n_all;
}
