#pragma once

#include "agent/recorder/rtp_packet.h"

#include <glib.h>
#include <stddef.h>
#include <stdint.h>

/* Memory for the few packets that have to wait: for an earlier one, or until their source is
 * trusted. A packet that is given back is wiped, for it is someone's voice. Owned by one receiver.
 */
typedef struct PacketPool PacketPool;

typedef struct {
    RtpPacket header;
    int64_t arrival_us;
    int64_t time_us; /* on the timeline, once known */
    size_t n_bytes;
    uint8_t bytes[RTP_PACKET_MAX_BYTES];
} HeldPacket;

PacketPool *packet_pool_new(void);

/* Copies the `n_bytes` (at most RTP_PACKET_MAX_BYTES). Returns: owned by the caller until
 * packet_pool_give_back(). */
HeldPacket *packet_pool_copy(PacketPool *self, const RtpPacket *header, const uint8_t *bytes,
                             size_t n_bytes) G_GNUC_WARN_UNUSED_RESULT;

/* Wipes; NULL is allowed. */
void packet_pool_give_back(PacketPool *self, HeldPacket *packet);

/* Every packet must be given back. NULL is allowed. */
void packet_pool_free(PacketPool *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PacketPool, packet_pool_free)
