#pragma once

#include "agent/recorder/reorder_window.h"
#include "agent/recorder/rtp_clock.h"
#include "agent/recorder/rtp_delivery.h"
#include "agent/recorder/rtp_probation.h"
#include "agent/recorder/rtp_sync.h"

#include <stdint.h>

/* One RTP stream that is trusted: its order, its clock and its way out. Which packets belong to it
 * is decided before, by the receiver it is embedded in. */
typedef struct {
    RtpReceiverStatus *status;
    PacketPool *pool;
    ReorderWindow *window;
    RtpClock clock;
    RtpSync sync;
    RtpDelivery delivery;
    unsigned n_proven; /* packets since it began, counted to RTP_PROBATION_ENOUGH */
    int64_t last_arrival_us;
} RtpStream;

/* A packet as it came: `bytes` belong to `held` or are borrowed until the end of the batch. */
typedef struct {
    RtpPacket header;
    const uint8_t *bytes;
    size_t n_bytes;
    int64_t arrival_us;
    HeldPacket *held; /* taken by the function that gets it; NULL: borrowed */
    bool is_repair;   /* not the packet itself, but what was sent to make up for it */
} RtpArrival;

/* `options`, `status`: borrowed, must outlive it. */
void rtp_stream_init(RtpStream *self, const RtpReceiverOptions *options, RtpReceiverStatus *status);

/* What is on probation is the stream from now on, with a clock of its own. */
void rtp_stream_begin(RtpStream *self, RtpProbation *probation);

/* What is on probation is this stream, with the same clock, thousands of packets further. */
void rtp_stream_rejoin(RtpStream *self, RtpProbation *probation);

/* Gives the packet on, keeps it until it is its turn, or counts why not. */
void rtp_stream_accept(RtpStream *self, const RtpArrival *arrival);
void rtp_stream_accept_held(RtpStream *self, HeldPacket *held);

/* Returns: `arrival` in memory of its own. */
HeldPacket *rtp_stream_hold(RtpStream *self, const RtpArrival *arrival) G_GNUC_WARN_UNUSED_RESULT;

/* Gives on what waited long enough; INT64_MAX: all that waits. */
void rtp_stream_give_due(RtpStream *self, int64_t now_us);

/* Drops what waits. The probation's packets must be given back before. */
void rtp_stream_clear(RtpStream *self);
