#include "agent/recorder/rtp_probation.h"

#include <stdlib.h>

/* A stream's packets stay this near to each other, lost and reordered ones included. */
enum { NEAR_PACKETS = 256, N_HEARD = 256 };

typedef struct {
    uint32_t ssrc;
    uint16_t sequence;
    bool is_set;
} Heard;

struct RtpProbation {
    PacketPool *pool;
    unsigned n_packets;
    unsigned n_taken; /* of them, since the last time it was empty */
    HeldPacket *packets[RTP_PROBATION_MAX];
    Heard heard[N_HEARD]; /* by SSRC */
};

RtpProbation *
rtp_probation_new(PacketPool *pool)
{
    RtpProbation *self = g_new0(RtpProbation, 1);

    self->pool = pool;
    return self;
}

static bool
is_near(uint16_t sequence, uint16_t other)
{
    return abs((int16_t) (uint16_t) (sequence - other)) < NEAR_PACKETS;
}

bool
rtp_probation_fits(const RtpProbation *self, const RtpPacket *header)
{
    if (rtp_probation_count(self) == 0)
        return true;
    const RtpPacket *last = &self->packets[self->n_packets - 1]->header;

    return header->ssrc == last->ssrc && is_near(header->sequence, last->sequence);
}

bool
rtp_probation_heard(RtpProbation *self, const RtpPacket *header)
{
    Heard *heard = &self->heard[header->ssrc % N_HEARD];
    const bool was_heard =
        heard->is_set && heard->ssrc == header->ssrc && is_near(header->sequence, heard->sequence);

    *heard = (Heard){header->ssrc, header->sequence, true};
    return was_heard;
}

bool
rtp_probation_add(RtpProbation *self, HeldPacket *packet)
{
    g_assert(self->n_packets < RTP_PROBATION_MAX);
    for (unsigned i = self->n_taken; i < self->n_packets; i++) {
        if (self->packets[i]->header.sequence == packet->header.sequence) {
            packet_pool_give_back(self->pool, packet);
            return false;
        }
    }
    self->packets[self->n_packets++] = packet;
    return true;
}

unsigned
rtp_probation_count(const RtpProbation *self)
{
    return self->n_packets - self->n_taken;
}

const HeldPacket *
rtp_probation_peek(const RtpProbation *self, unsigned i)
{
    g_assert(i < rtp_probation_count(self));
    return self->packets[self->n_taken + i];
}

int64_t
rtp_probation_jitter_us(const RtpProbation *self, uint32_t rate)
{
    int64_t quickest_us = INT64_MAX, slowest_us = INT64_MIN;

    for (unsigned i = self->n_taken; i < self->n_packets; i++) {
        const HeldPacket *packet = self->packets[i];
        const RtpPacket *first = &self->packets[self->n_taken]->header;
        const int64_t ticks = (int32_t) (packet->header.timestamp - first->timestamp);
        const int64_t delay_us = packet->arrival_us - ticks * G_USEC_PER_SEC / rate;

        /* The rest of a large frame always comes behind its first packet. */
        if (i > self->n_taken && packet->header.timestamp == self->packets[i - 1]->header.timestamp)
            continue;
        quickest_us = MIN(quickest_us, delay_us);
        slowest_us = MAX(slowest_us, delay_us);
    }
    return MAX(slowest_us - quickest_us, 0);
}

HeldPacket *
rtp_probation_take_out(RtpProbation *self)
{
    if (rtp_probation_count(self) == 0)
        return NULL;
    HeldPacket *packet = self->packets[self->n_taken++];

    if (self->n_taken == self->n_packets)
        self->n_taken = self->n_packets = 0;
    return packet;
}

void
rtp_probation_free(RtpProbation *self)
{
    if (self == NULL)
        return;
    for (HeldPacket *packet; (packet = rtp_probation_take_out(self)) != NULL;)
        packet_pool_give_back(self->pool, packet);
    g_free(self);
}
