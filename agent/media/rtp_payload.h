#pragma once

#include "agent/media/media_format.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A look at one RTP packet's payload before a depayloader gets it: what GStreamer 1.22 would read
 * or write past (rtph264depay crashes on a one-byte FU-A) is refused here, and what it forgets
 * after loss is told. */
typedef enum {
    RTP_PAYLOAD_INSIDE,  /* some of its frame came before it */
    RTP_PAYLOAD_STARTS,  /* nothing of its frame did */
    RTP_PAYLOAD_NEUTRAL, /* parameter sets and messages of H.264, which stand anywhere before a
                            slice */
} RtpPayloadPlace;

typedef struct {
    uint32_t rtp_timestamp;
    bool has_marker; /* the last packet of its frame */
    RtpPayloadPlace place;
    bool is_padded;
    /* Of VP8: the picture's bytes, in the packet; of the other codecs none. */
    const uint8_t *picture;
    size_t n_picture;
} RtpPayload;

typedef enum {
    RTP_PAYLOAD_GOOD,
    RTP_PAYLOAD_EMPTY, /* padding alone, as senders use to probe for bandwidth */
    RTP_PAYLOAD_BAD,   /* not fit for a depayloader: cut off or malformed */
} RtpPayloadFitness;

RtpPayloadFitness rtp_payload_read(RtpPayload *self, MediaCodec codec, const uint8_t *packet,
                                   size_t n_bytes);
