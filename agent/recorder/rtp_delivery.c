#include "agent/recorder/rtp_delivery.h"

static void
on_gap(int64_t start_us, int64_t duration_us, const char *reason, void *user_data)
{
    RtpDelivery *self = user_data;

    rtp_delivery_flush(self);
    self->options->on_gap(start_us, duration_us, reason, self->options->user_data);
}

void
rtp_delivery_init(RtpDelivery *self, const RtpReceiverOptions *options, RtpReceiverStatus *status,
                  PacketPool *pool)
{
    self->options = options;
    self->status = status;
    self->pool = pool;
    self->floor_us = self->last_us = options->from_us;
    self->resumed_us = INT64_MIN;
    gap_tracker_init(&self->gaps, options->from_us, (int64_t) options->gap_ms * 1000);
    self->gaps.on_gap = on_gap;
    self->gaps.user_data = self;
}

/* Returns: true if the packet is neither media of a pause nor empty. */
static bool
is_wanted(RtpDelivery *self, const RtpDeliveryPacket *packet, int64_t time_us)
{
    if (packet->header.n_payload == 0)
        return false;
    if (self->gaps.pause_reason == NULL && time_us >= self->resumed_us)
        return true;
    self->status->n_paused++;
    self->follows_loss = true;
    return false;
}

/* All packets of a picture have one time, even if the clock has moved between them: two times would
 * make two pictures of it. */
static int64_t
time_of(RtpDelivery *self, const RtpDeliveryPacket *packet)
{
    if (!self->has_timed || packet->header.timestamp != self->timed_timestamp) {
        self->timed_us = MAX(packet->time_us, self->floor_us);
        self->timed_timestamp = packet->header.timestamp;
        self->has_timed = true;
    }
    return self->timed_us;
}

void
rtp_delivery_give(RtpDelivery *self, const RtpDeliveryPacket *packet, unsigned n_missing)
{
    const int64_t time_us = time_of(self, packet);

    if (n_missing > 0)
        rtp_delivery_lost(self, n_missing);
    self->last_us = MAX(self->last_us, time_us);
    if (!is_wanted(self, packet, time_us)) {
        packet_pool_give_back(self->pool, packet->held);
        return;
    }
    if (self->must_restart) {
        rtp_delivery_flush(self);
        self->options->on_restart(self->options->user_data);
        self->must_restart = false;
    }
    /* A frame may be sent before one that is shown earlier; the timeline's end does not go back for
     * it. */
    gap_tracker_media(&self->gaps, MAX(time_us, self->gaps.last_us));

    self->packets[self->n_packets] = (RtpReceiverPacket){
        .bytes = packet->bytes,
        .n_bytes = packet->n_bytes,
        .time_us = time_us,
        .rtp_timestamp = packet->header.timestamp,
        .follows_loss = self->follows_loss,
    };
    self->held[self->n_packets++] = packet->held;
    self->follows_loss = false;
    self->has_given = true;
    self->status->n_packets++;
    self->status->n_bytes += packet->n_bytes;
    if (self->n_packets == RTP_DELIVERY_BATCH)
        rtp_delivery_flush(self);
}

void
rtp_delivery_lost(RtpDelivery *self, unsigned n_missing)
{
    self->status->n_lost += n_missing;
    self->follows_loss = true;
    if (self->gaps.pause_reason == NULL)
        gap_tracker_lost(&self->gaps);
}

void
rtp_delivery_restart(RtpDelivery *self, int64_t floor_us)
{
    self->must_restart = self->has_given;
    self->follows_loss = false;
    self->floor_us = floor_us;
    self->has_timed = false;
    gap_tracker_restart(&self->gaps);
}

void
rtp_delivery_flush(RtpDelivery *self)
{
    const unsigned n_packets = self->n_packets;

    if (n_packets == 0)
        return;
    self->n_packets = 0;
    self->options->on_packets(self->packets, n_packets, self->options->user_data);
    for (unsigned i = 0; i < n_packets; i++)
        packet_pool_give_back(self->pool, self->held[i]);
}

void
rtp_delivery_pause(RtpDelivery *self, const char *reason, int64_t now_us)
{
    rtp_delivery_flush(self);
    if (reason != NULL) {
        gap_tracker_pause(&self->gaps, g_intern_string(reason), now_us);
        return;
    }
    if (self->gaps.pause_reason == NULL)
        return;
    gap_tracker_resume(&self->gaps, now_us);
    self->resumed_us = now_us;
}

void
rtp_delivery_finish(RtpDelivery *self, int64_t until_us)
{
    rtp_delivery_flush(self);
    gap_tracker_finish(&self->gaps, until_us);
}
