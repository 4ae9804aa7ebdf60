#pragma once

#include "agent/media/media_track.h"
#include "agent/media/rtp_payload.h"

#include <gst/gst.h>
#include <stdbool.h>
#include <stdint.h>

/* RTP packets that wait to go through a depayloader together, copied into buffers that are wiped.
 *
 * Each packet costs a depayloader ten times what its bytes do. Those of one VP8 picture that follow
 * each other become one packet, as a network without a limit of its own would have carried them:
 * the first with its header and payload descriptor, of the others the picture's bytes, and the
 * marker of the last. The sequence numbers of what comes behind are made to follow. One thread. */
typedef struct {
    GstBufferList *buffers; /* NULL: nothing waits */
    unsigned n_packets;     /* that came */
    GstBuffer *last;        /* of `buffers`, while another may join it; else NULL */
    uint8_t *last_start;    /* its bytes */
    int64_t last_us;
    uint16_t n_joined; /* ever */
} PacketList;

/* `payload`: what rtp_payload_read() found in it. `follows`: it goes on where the one before ended,
 * if it is of the same picture: nothing was lost or refused between them. */
void packet_list_add(PacketList *self, const MediaPacket *packet, const RtpPayload *payload,
                     bool follows);

/* Puts in `buffer` as it is; taken. */
void packet_list_add_buffer(PacketList *self, GstBuffer *buffer);

/* Returns: what waited, owned; NULL if nothing did. */
GstBufferList *packet_list_take(PacketList *self);
