#pragma once

#include "agent/recorder/packet_pool.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* Packets that do not fit the stream as it was: the start of another one, or noise (the idea of RFC
 * 3550 A.1). They wait here until there are enough of them that fit each other. Owned by one
 * receiver. */
typedef struct RtpProbation RtpProbation;

enum {
    RTP_PROBATION_ENOUGH = 3,
    RTP_PROBATION_MAX = 256, /* packets */
};

/* `pool`: borrowed, must outlive it. */
RtpProbation *rtp_probation_new(PacketPool *pool);

/* Says whether a packet with this header continues what waits here (true if nothing does). */
bool rtp_probation_fits(const RtpProbation *self, const RtpPacket *header);

/* Notes a packet's source, whether it fits or not. Returns: whether that one was heard of before, a
 * few packets ago. Of thousands of sources only the last are remembered. */
bool rtp_probation_heard(RtpProbation *self, const RtpPacket *header);

/* Adds (taken) one that fits; there must be room. Returns: false - its sequence number is here
 * already; it is dropped. */
bool rtp_probation_add(RtpProbation *self, HeldPacket *packet);

unsigned rtp_probation_count(const RtpProbation *self);

/* Returns: the packet number `i` in order of arrival, borrowed. */
const HeldPacket *rtp_probation_peek(const RtpProbation *self, unsigned i);

/* Returns: how much more one of them was delayed than another, by timestamps of `rate`. */
int64_t rtp_probation_jitter_us(const RtpProbation *self, uint32_t rate);

/* Takes out the earliest to arrive. Returns: owned by the caller; NULL: none is left. */
HeldPacket *rtp_probation_take_out(RtpProbation *self) G_GNUC_WARN_UNUSED_RESULT;

/* NULL is allowed. */
void rtp_probation_free(RtpProbation *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RtpProbation, rtp_probation_free)
