#include "agent/recorder/rtp_red.h"

#include <glib.h>

enum { BLOCK_HEADER_BYTES = 4, LAST_HEADER_BYTES = 1 };

/* Reads the headers. Returns: their number, the last one without a length; 0: they do not end.
 * `n_header_bytes`: of all. */
static unsigned
read_headers(const uint8_t *payload, size_t n_payload, RtpRedBlock *blocks, size_t *n_header_bytes)
{
    size_t at = 0;

    for (unsigned n = 0; n < RTP_RED_MAX_BLOCKS; n++) {
        if (n_payload - at < LAST_HEADER_BYTES)
            return 0;
        const uint8_t *header = payload + at;
        blocks[n] = (RtpRedBlock){.payload_type = header[0] & 0x7f};
        if ((header[0] & 0x80) == 0) {
            *n_header_bytes = at + LAST_HEADER_BYTES;
            return n + 1;
        }
        if (n_payload - at < BLOCK_HEADER_BYTES)
            return 0;
        blocks[n].before = (uint16_t) (header[1] << 6 | header[2] >> 2);
        blocks[n].n_bytes = (uint16_t) ((header[2] & 3) << 8 | header[3]);
        at += BLOCK_HEADER_BYTES;
    }
    return 0;
}

unsigned
rtp_red_split(const uint8_t *payload, size_t n_payload, RtpRedBlock blocks[RTP_RED_MAX_BLOCKS])
{
    size_t at = 0;
    const unsigned n_blocks =
        n_payload <= UINT16_MAX ? read_headers(payload, n_payload, blocks, &at) : 0;

    for (unsigned i = 0; i < n_blocks; i++) {
        if (i + 1 == n_blocks)
            blocks[i].n_bytes = (uint16_t) (n_payload - at);
        if (blocks[i].n_bytes > n_payload - at)
            return 0;
        blocks[i].bytes = payload + at;
        at += blocks[i].n_bytes;
    }
    return n_blocks;
}

void
rtp_red_remember(RtpRedMemory *self, uint16_t sequence, uint32_t timestamp)
{
    const unsigned i = self->n_packets++ % RTP_RED_MEMORY;

    self->sequences[i] = sequence;
    self->timestamps[i] = timestamp;
}

bool
rtp_red_find(const RtpRedMemory *self, uint32_t timestamp, uint16_t likely, uint16_t *sequence)
{
    const unsigned n = MIN(self->n_packets, RTP_RED_MEMORY);
    int64_t before = INT64_MIN, after = INT64_MAX; /* the nearest timestamps on both sides */
    uint16_t first = 0, last = 0;                  /* and their numbers */

    for (unsigned i = 0; i < n; i++) {
        const int32_t distance = (int32_t) (self->timestamps[i] - timestamp);
        if (distance == 0)
            return false;
        if (distance < 0 && distance > before) {
            before = distance;
            first = self->sequences[i];
        } else if (distance > 0 && distance < after) {
            after = distance;
            last = self->sequences[i];
        }
    }
    /* Where one number is missing it is this one, whatever the sender repeats. */
    const bool is_only_one = before != INT64_MIN && (uint16_t) (last - first) == 2;

    *sequence = is_only_one ? (uint16_t) (first + 1) : likely;
    return after != INT64_MAX && (int16_t) (uint16_t) (last - *sequence) > 0 &&
           (before == INT64_MIN || (int16_t) (uint16_t) (*sequence - first) > 0);
}
