#include "agent/recorder/packet_pool.h"

#include <string.h>

/* Kept for the next reordering; more only come and go with a storm. */
enum { MAX_SPARE = 8 };

struct PacketPool {
    HeldPacket *spare[MAX_SPARE];
    unsigned n_spare;
    unsigned n_out;
};

PacketPool *
packet_pool_new(void)
{
    return g_new0(PacketPool, 1);
}

HeldPacket *
packet_pool_copy(PacketPool *self, const RtpPacket *header, const uint8_t *bytes, size_t n_bytes)
{
    g_assert(n_bytes <= RTP_PACKET_MAX_BYTES);
    HeldPacket *packet =
        self->n_spare > 0 ? self->spare[--self->n_spare] : g_malloc(sizeof(HeldPacket));

    packet->header = *header;
    packet->arrival_us = 0;
    packet->time_us = 0;
    packet->n_bytes = n_bytes;
    memcpy(packet->bytes, bytes, n_bytes);
    self->n_out++;
    return packet;
}

void
packet_pool_give_back(PacketPool *self, HeldPacket *packet)
{
    if (packet == NULL)
        return;
    g_assert(self->n_out > 0);
    self->n_out--;
    explicit_bzero(packet->bytes, packet->n_bytes);
    if (self->n_spare < MAX_SPARE) {
        self->spare[self->n_spare++] = packet;
    } else {
        g_free(packet);
    }
}

void
packet_pool_free(PacketPool *self)
{
    if (self == NULL)
        return;
    g_assert(self->n_out == 0);
    for (unsigned i = 0; i < self->n_spare; i++)
        g_free(self->spare[i]);
    g_free(self);
}
