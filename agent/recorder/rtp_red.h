#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Redundant audio (RFC 2198): a packet's payload in blocks, and where in the stream an earlier
 * block belongs, for it says its time but not its number. Any thread. */

enum { RTP_RED_MAX_BLOCKS = 32, RTP_RED_MEMORY = 64 };

typedef struct {
    const uint8_t *bytes;
    uint16_t n_bytes;
    uint16_t before; /* its timestamp is so much before the packet's; 0: the packet's own */
    uint8_t payload_type;
} RtpRedBlock;

/* Splits a payload. Returns: how many `blocks`, the last is the packet's own; 0: a length lies, or
 * there are too many. */
unsigned rtp_red_split(const uint8_t *payload, size_t n_payload,
                       RtpRedBlock blocks[RTP_RED_MAX_BLOCKS]);

/* The packets that came lately; all zero: none. */
typedef struct {
    unsigned n_packets; /* ever; the last RTP_RED_MEMORY are kept */
    uint16_t sequences[RTP_RED_MEMORY];
    uint32_t timestamps[RTP_RED_MEMORY];
} RtpRedMemory;

/* A packet came; of one source only. */
void rtp_red_remember(RtpRedMemory *self, uint16_t sequence, uint32_t timestamp);

/* Finds the number of a block with `timestamp`. `likely`: by its place in its packet, which holds
 * where the sender repeats each of its last packets. Returns: false - it came, or its number can
 * not be told. */
bool rtp_red_find(const RtpRedMemory *self, uint32_t timestamp, uint16_t likely,
                  uint16_t *sequence);
