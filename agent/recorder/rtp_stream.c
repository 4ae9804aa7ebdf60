#include "agent/recorder/rtp_stream.h"

enum { N_AWAITED = REORDER_WINDOW_PACKETS / 2 };

void
rtp_stream_init(RtpStream *self, const RtpReceiverOptions *options, RtpReceiverStatus *status)
{
    self->status = status;
    self->pool = packet_pool_new();
    self->window = reorder_window_new((int64_t) options->reorder_ms * 1000, self->pool);
    rtp_clock_init(&self->clock, options->clock_rate);
    rtp_sync_init(&self->sync, options->sender_clocks);
    rtp_delivery_init(&self->delivery, options, status, self->pool);
}

static void
give_held(RtpStream *self, HeldPacket *held, unsigned n_missing)
{
    rtp_delivery_give(&self->delivery,
                      &(RtpDeliveryPacket){.header = held->header,
                                           .bytes = held->bytes,
                                           .n_bytes = held->n_bytes,
                                           .time_us = held->time_us,
                                           .held = held},
                      n_missing);
}

void
rtp_stream_give_due(RtpStream *self, int64_t now_us)
{
    unsigned n_missing = 0;

    for (HeldPacket *held;
         (held = reorder_window_take_out(self->window, now_us, &n_missing)) != NULL;)
        give_held(self, held, n_missing);
}

HeldPacket *
rtp_stream_hold(RtpStream *self, const RtpArrival *arrival)
{
    HeldPacket *held = arrival->held;

    if (held == NULL)
        held = packet_pool_copy(self->pool, &arrival->header, arrival->bytes, arrival->n_bytes);
    held->arrival_us = arrival->arrival_us;
    return held;
}

static void
wait_for_earlier(RtpStream *self, const RtpArrival *arrival, int64_t time_us)
{
    HeldPacket *held = rtp_stream_hold(self, arrival);
    unsigned n_missing = 0;

    held->time_us = time_us;
    for (HeldPacket *earlier; (earlier = reorder_window_make_room(
                                   self->window, held->header.sequence, &n_missing)) != NULL;)
        give_held(self, earlier, n_missing);
    if (reorder_window_hold(self->window, held) && !arrival->is_repair && !held->header.is_beside)
        self->status->n_reordered++;
    rtp_stream_give_due(self, arrival->arrival_us);
}

/* Returns: the packet's place on the timeline, after the clock has learned from it. What came to
 * make up for another, or is no media, says nothing of when it was sent. */
static int64_t
place_in_time(RtpStream *self, const RtpArrival *arrival)
{
    const uint32_t timestamp = arrival->header.timestamp;
    int64_t shift_us = 0;
    bool is_reported = false;

    if (!arrival->is_repair && !arrival->header.is_beside) {
        is_reported = rtp_sync_shift_us(&self->sync, &self->clock, arrival->arrival_us, &shift_us);
        rtp_clock_observe(&self->clock, timestamp, arrival->arrival_us,
                          is_reported ? &shift_us : NULL);
    }
    return rtp_clock_time_us(&self->clock, timestamp, arrival->arrival_us);
}

void
rtp_stream_accept(RtpStream *self, const RtpArrival *arrival)
{
    switch (reorder_window_place(self->window, arrival->header.sequence)) {
    case REORDER_IS_NEXT:
        reorder_window_pass(self->window);
        rtp_delivery_give(&self->delivery,
                          &(RtpDeliveryPacket){.header = arrival->header,
                                               .bytes = arrival->bytes,
                                               .n_bytes = arrival->n_bytes,
                                               .time_us = place_in_time(self, arrival),
                                               .held = arrival->held},
                          0);
        break;
    case REORDER_IS_EARLY:
    case REORDER_IS_AWAITED:
    case REORDER_IS_BEYOND:
        wait_for_earlier(self, arrival, place_in_time(self, arrival));
        break;
    case REORDER_IS_DUPLICATE:
        self->status->n_duplicate++;
        packet_pool_give_back(self->pool, arrival->held);
        return;
    case REORDER_IS_LATE:
        self->status->n_late++;
        packet_pool_give_back(self->pool, arrival->held);
        return;
    case REORDER_IS_FAR:
        self->status->n_foreign++;
        packet_pool_give_back(self->pool, arrival->held);
        return;
    }
    if (arrival->is_repair) {
        self->status->n_recovered++;
        return;
    }
    self->last_arrival_us = arrival->arrival_us;
    if (arrival->header.is_beside)
        return;
    if (self->n_proven < RTP_PROBATION_ENOUGH)
        self->n_proven++;
}

void
rtp_stream_accept_held(RtpStream *self, HeldPacket *held)
{
    rtp_stream_accept(self, &(RtpArrival){.header = held->header,
                                          .bytes = held->bytes,
                                          .n_bytes = held->n_bytes,
                                          .arrival_us = held->arrival_us,
                                          .held = held});
}

static void
accept_probation(RtpStream *self, RtpProbation *probation)
{
    for (HeldPacket *held; (held = rtp_probation_take_out(probation)) != NULL;)
        rtp_stream_accept_held(self, held);
}

/* Returns: the packet on probation with the lowest sequence number. */
static const HeldPacket *
lowest_on_probation(const RtpProbation *probation)
{
    const HeldPacket *lowest = rtp_probation_peek(probation, 0);

    for (unsigned i = 1; i < rtp_probation_count(probation); i++) {
        const HeldPacket *held = rtp_probation_peek(probation, i);
        if ((int16_t) (uint16_t) (held->header.sequence - lowest->header.sequence) < 0)
            lowest = held;
    }
    return lowest;
}

void
rtp_stream_begin(RtpStream *self, RtpProbation *probation)
{
    const HeldPacket *lowest = lowest_on_probation(probation);

    rtp_stream_give_due(self, INT64_MAX);
    rtp_sync_restart(&self->sync);
    rtp_clock_anchor(&self->clock, lowest->header.timestamp, lowest->arrival_us);
    for (unsigned i = 0; i < rtp_probation_count(probation); i++) {
        const HeldPacket *held = rtp_probation_peek(probation, i);
        rtp_clock_improve(&self->clock, held->header.timestamp, held->arrival_us);
    }
    /* Parts do not overlap, whatever the new clock says. */
    const int64_t floor_us = MAX(self->delivery.last_us, self->delivery.gaps.end_us);
    rtp_clock_not_before(&self->clock, lowest->header.timestamp, floor_us);
    rtp_delivery_restart(&self->delivery, floor_us);
    reorder_window_start(self->window, lowest->header.sequence);
    self->status->ssrc = lowest->header.ssrc;
    self->status->has_ssrc = true;
    self->n_proven = 0;
    accept_probation(self, probation);
}

void
rtp_stream_rejoin(RtpStream *self, RtpProbation *probation)
{
    const HeldPacket *lowest = lowest_on_probation(probation);

    rtp_stream_give_due(self, INT64_MAX);
    const int distance =
        (int16_t) (uint16_t) (lowest->header.sequence - reorder_window_next(self->window));
    const unsigned n_missing = (unsigned) MAX(distance, 0);
    /* The last of those that are missing may just be slower than the ones that came. */
    const unsigned n_awaited = MIN(n_missing, N_AWAITED);

    rtp_delivery_lost(&self->delivery, n_missing - n_awaited);
    reorder_window_start(self->window, (uint16_t) (lowest->header.sequence - n_awaited));
    accept_probation(self, probation);
}

void
rtp_stream_clear(RtpStream *self)
{
    rtp_sync_clear(&self->sync);
    reorder_window_free(self->window);
    packet_pool_free(self->pool);
}
