#pragma once

#include "agent/recorder/gap_tracker.h"
#include "agent/recorder/packet_pool.h"
#include "agent/recorder/rtp_receiver.h"

#include <stdbool.h>
#include <stdint.h>

/* The way out of a receiver: collects packets that are in order, leaves out those of a pause, and
 * tells of holes and restarts between them. Embedded in its receiver. */
enum { RTP_DELIVERY_BATCH = 64 };

typedef struct {
    const RtpReceiverOptions *options;
    RtpReceiverStatus *status;
    PacketPool *pool;
    GapTracker gaps;
    bool has_given;
    bool must_restart;
    bool follows_loss;
    int64_t floor_us; /* no packet of the present stream lies before */
    int64_t last_us;  /* the latest given on or left out */
    bool has_timed;   /* the next two are of the packet before */
    uint32_t timed_timestamp;
    int64_t timed_us;
    int64_t resumed_us;
    unsigned n_packets;
    RtpReceiverPacket packets[RTP_DELIVERY_BATCH];
    HeldPacket *held[RTP_DELIVERY_BATCH];
} RtpDelivery;

/* A packet on its way: `bytes` either belong to `held` or are borrowed until rtp_delivery_flush().
 */
typedef struct {
    RtpPacket header;
    const uint8_t *bytes;
    size_t n_bytes;
    int64_t time_us;
    HeldPacket *held; /* taken; NULL: borrowed */
} RtpDeliveryPacket;

/* All borrowed; must outlive it. */
void rtp_delivery_init(RtpDelivery *self, const RtpReceiverOptions *options,
                       RtpReceiverStatus *status, PacketPool *pool);

/* The next packet in order, after `n_missing` that were given up. */
void rtp_delivery_give(RtpDelivery *self, const RtpDeliveryPacket *packet, unsigned n_missing);

/* Packets are missing, whose number may not be known (0). */
void rtp_delivery_lost(RtpDelivery *self, unsigned n_missing);

/* Another stream begins; no packet of it lies before `floor_us`. */
void rtp_delivery_restart(RtpDelivery *self, int64_t floor_us);

/* Calls on_packets with what was collected. */
void rtp_delivery_flush(RtpDelivery *self);

/* `reason`: NULL resumes. */
void rtp_delivery_pause(RtpDelivery *self, const char *reason, int64_t now_us);

void rtp_delivery_finish(RtpDelivery *self, int64_t until_us);
