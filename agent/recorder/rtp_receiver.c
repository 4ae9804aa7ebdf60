/* The way of a datagram:
 *  1. parsed and, by its payload type, made into packets of the track (rtp_intake.c); what is not
 * this track's RTP is counted and forgotten;
 *  2. if it fits the stream (SSRC, sequence number, clock) it goes on, else into probation;
 *  3. probation ends when a packet fits again (what waited was late, or noise) or when enough of
 * them agree: then the stream went on elsewhere (loss of thousands), or began anew (settle());
 *  4. the window puts packets into order, the delivery collects them for one call of on_packets. */
#include "agent/recorder/rtp_receiver.h"

#include "agent/recorder/rtp_receiver_internal.h"

enum {
    /* The kept SSRC must be silent for so long before another one may take its place. */
    QUIET_US = 500000,
    /* A network that stalled sends its backlog within this time, and the clock was right all along.
     */
    STALL_WAIT_US = 200000,
    /* A source in waiting that sends nothing for so long gives way to another. */
    ABANDONED_US = 100000,
    MAX_STALL_US = 60 * G_USEC_PER_SEC,
    /* How far a packet's place on the timeline may lie before the last one's. */
    MAX_BACK_US = 10 * G_USEC_PER_SEC,
};

RtpReceiver *
rtp_receiver_new(const RtpReceiverOptions *options)
{
    RtpReceiver *self = g_new0(RtpReceiver, 1);

    self->options = *options;
    rtp_stream_init(&self->stream, &self->options, &self->status);
    self->probation = rtp_probation_new(self->stream.pool);
    return self;
}

static void
count_foreign(RtpReceiver *self, const RtpPacket *header)
{
    if (self->status.has_ssrc && header->ssrc != self->status.ssrc) {
        self->status.n_foreign_ssrc++;
    } else {
        self->status.n_foreign++;
    }
}

/* Counts a packet that is not wanted, and forgets it. */
static void
drop_foreign(RtpReceiver *self, const RtpArrival *arrival)
{
    count_foreign(self, &arrival->header);
    packet_pool_give_back(self->stream.pool, arrival->held);
}

static void
drop_probation(RtpReceiver *self)
{
    for (HeldPacket *held; (held = rtp_probation_take_out(self->probation)) != NULL;) {
        count_foreign(self, &held->header);
        packet_pool_give_back(self->stream.pool, held);
    }
}

static int64_t
lag_of(const RtpReceiver *self, const HeldPacket *held)
{
    return rtp_clock_lag_us(&self->stream.clock, held->header.timestamp, held->arrival_us);
}

static const HeldPacket *
last_on_probation(const RtpReceiver *self)
{
    return rtp_probation_peek(self->probation, rtp_probation_count(self->probation) - 1);
}

/* The stream goes on as it was: of what is on probation all that is merely late belongs to it. */
static void
resume_stream(RtpReceiver *self)
{
    for (HeldPacket *held; (held = rtp_probation_take_out(self->probation)) != NULL;) {
        const int64_t lag_us = lag_of(self, held);
        if (held->header.ssrc == self->status.ssrc && lag_us >= -RTP_CLOCK_MAX_LAG_US &&
            held->arrival_us - lag_us >= self->stream.delivery.last_us - MAX_BACK_US) {
            rtp_stream_accept_held(&self->stream, held);
        } else {
            count_foreign(self, &held->header);
            packet_pool_give_back(self->stream.pool, held);
        }
    }
}

/* Says whether what is on probation runs after its own clock: a backlog, sent faster than it was
 * made. */
static bool
is_catching_up(const RtpReceiver *self)
{
    const HeldPacket *first = rtp_probation_peek(self->probation, 0);
    const HeldPacket *last = last_on_probation(self);
    const int64_t arrivals_us = last->arrival_us - first->arrival_us;
    const int64_t media_us = arrivals_us - (lag_of(self, last) - lag_of(self, first));

    return media_us > 2 * arrivals_us;
}

/* Late, but not so that the clock must have changed. */
static bool
may_be_stall(const RtpReceiver *self, const HeldPacket *held)
{
    const int64_t lag_us = lag_of(self, held);

    return held->header.ssrc == self->status.ssrc && lag_us > RTP_CLOCK_MAX_LAG_US &&
           lag_us < MAX_STALL_US &&
           held->arrival_us - lag_us >= self->stream.delivery.last_us - G_USEC_PER_SEC;
}

static void
begin(RtpReceiver *self)
{
    rtp_stream_begin(&self->stream, self->probation);
    self->is_odd = false;
}

/* Says whether the kept SSRC is alive, so that no other one may take its place. */
static bool
is_kept(const RtpReceiver *self, int64_t now_us)
{
    return self->stream.n_proven >= RTP_PROBATION_ENOUGH &&
           now_us - self->stream.last_arrival_us < QUIET_US;
}

/* Says whether what is on probation is another SSRC's, which waits for the kept one to fall
 * silent. */
static bool
is_in_waiting(const RtpReceiver *self)
{
    return self->status.has_ssrc && rtp_probation_count(self->probation) > 0 &&
           last_on_probation(self)->header.ssrc != self->status.ssrc;
}

/* Decides about enough packets on probation, of which only the clock can say what they are. */
static void
settle_enough(RtpReceiver *self, int64_t now_us)
{
    const HeldPacket *last = last_on_probation(self);
    const bool is_full = rtp_probation_count(self->probation) == RTP_PROBATION_MAX;
    const bool has_waited = now_us - self->odd_since_us >= STALL_WAIT_US;

    if (last->header.ssrc == self->status.ssrc && ABS(lag_of(self, last)) <= RTP_CLOCK_MAX_LAG_US) {
        rtp_stream_rejoin(&self->stream, self->probation);
        self->is_odd = false;
    } else if (!may_be_stall(self, last) || (has_waited && !is_catching_up(self))) {
        begin(self);
    } else if (has_waited || is_full) {
        resume_stream(self);
        self->odd_since_us = has_waited ? now_us : self->odd_since_us;
    }
}

/* Decides about what is on probation, if it can be decided at `now_us`. */
static void
settle(RtpReceiver *self, int64_t now_us)
{
    const unsigned n_packets = rtp_probation_count(self->probation);

    if (!self->status.has_ssrc) {
        if (n_packets == RTP_PROBATION_MAX ||
            now_us - self->odd_since_us >= (int64_t) self->options.reorder_ms * 1000)
            begin(self);
    } else if (is_in_waiting(self) && is_kept(self, now_us)) {
        if (n_packets == RTP_PROBATION_MAX)
            drop_probation(self);
    } else if (n_packets >= RTP_PROBATION_ENOUGH) {
        settle_enough(self, now_us);
    }
}

/* Says whether a packet belongs to what is on probation, by number and by clock. */
static bool
fits_probation(const RtpReceiver *self, const RtpArrival *arrival)
{
    if (!rtp_probation_fits(self->probation, &arrival->header))
        return false;
    if (!self->status.has_ssrc || rtp_probation_count(self->probation) == 0)
        return true;
    const int64_t before_us = lag_of(self, last_on_probation(self));
    const int64_t lag_us =
        rtp_clock_lag_us(&self->stream.clock, arrival->header.timestamp, arrival->arrival_us);

    return ABS(lag_us - before_us) <= RTP_CLOCK_MAX_LAG_US || (lag_us > 0 && lag_us < before_us);
}

static void
put_on_probation(RtpReceiver *self, const RtpArrival *arrival)
{
    if (!fits_probation(self, arrival)) {
        /* At the very start whoever came first is the track. */
        if (!self->status.has_ssrc) {
            const HeldPacket *first = rtp_probation_peek(self->probation, 0);
            if (first->header.ssrc != arrival->header.ssrc) {
                self->status.n_foreign_ssrc++;
            } else {
                self->status.n_foreign++;
            }
            packet_pool_give_back(self->stream.pool, arrival->held);
            return;
        }
        drop_probation(self);
        self->is_odd = false;
    }
    if (!self->is_odd) {
        self->is_odd = true;
        self->odd_since_us = arrival->arrival_us;
    }
    if (!rtp_probation_add(self->probation, rtp_stream_hold(&self->stream, arrival)))
        self->status.n_duplicate++;
    settle(self, arrival->arrival_us);
}

/* Says whether a packet came before or too late. With a timestamp after all that was given on its
 * number is a new one: a server may renumber a stream. */
static bool
is_past(const RtpReceiver *self, const RtpArrival *arrival, ReorderPlace place)
{
    const RtpStream *stream = &self->stream;
    const uint16_t distance =
        (uint16_t) (arrival->header.sequence - reorder_window_next(stream->window));
    const int64_t time_us =
        rtp_clock_time_us(&stream->clock, arrival->header.timestamp, arrival->arrival_us);

    if (place == REORDER_IS_DUPLICATE && (int16_t) distance >= 0)
        return true;
    return (place == REORDER_IS_DUPLICATE || place == REORDER_IS_LATE) &&
           time_us <= stream->delivery.last_us && time_us >= stream->delivery.last_us - MAX_BACK_US;
}

/* A packet of the kept SSRC. */
static void
take_own(RtpReceiver *self, const RtpArrival *arrival)
{
    const ReorderPlace place = reorder_window_place(self->stream.window, arrival->header.sequence);
    const int64_t lag_us =
        rtp_clock_lag_us(&self->stream.clock, arrival->header.timestamp, arrival->arrival_us);
    const bool is_ahead =
        place == REORDER_IS_NEXT || place == REORDER_IS_EARLY || place == REORDER_IS_BEYOND;

    if (is_past(self, arrival, place)) {
        rtp_stream_accept(&self->stream, arrival); /* to be counted; proves nothing */
    } else if (is_ahead && ABS(lag_us) <= RTP_CLOCK_MAX_LAG_US) {
        resume_stream(self);
        self->is_odd = false;
        rtp_stream_accept(&self->stream, arrival);
    } else {
        put_on_probation(self, arrival);
    }
}

/* Whether a packet of another SSRC may wait for the kept one to fall silent: while another one is
 * waiting that sends, or the kept one itself is on probation, it may not. */
static bool
may_wait(const RtpReceiver *self, const RtpArrival *arrival)
{
    if (!is_kept(self, arrival->arrival_us) || rtp_probation_count(self->probation) == 0)
        return true;
    const HeldPacket *last = last_on_probation(self);

    return is_in_waiting(self) && (last->header.ssrc == arrival->header.ssrc ||
                                   arrival->arrival_us - last->arrival_us >= ABANDONED_US);
}

void
rtp_receiver_take_media(RtpReceiver *self, const RtpArrival *arrival)
{
    if (self->status.has_ssrc && arrival->header.ssrc == self->status.ssrc) {
        take_own(self, arrival);
    } else if (may_wait(self, arrival)) {
        put_on_probation(self, arrival);
    } else {
        drop_foreign(self, arrival);
    }
}

void
rtp_receiver_take_batch(RtpReceiver *self, const RtpDatagram *datagrams, size_t n_datagrams)
{
    for (size_t i = 0; i < n_datagrams; i++)
        rtp_receiver_take_datagram(self, &datagrams[i]);
    rtp_delivery_flush(&self->stream.delivery);
}

void
rtp_receiver_take(RtpReceiver *self, const uint8_t *bytes, size_t n_bytes, int64_t now_us)
{
    const RtpDatagram datagram = {bytes, n_bytes, now_us};

    rtp_receiver_take_batch(self, &datagram, 1);
}

/* Returns: when settle() may decide without another packet. */
static int64_t
settle_due_us(const RtpReceiver *self)
{
    const unsigned n_packets = rtp_probation_count(self->probation);

    if (!self->status.has_ssrc && n_packets > 0)
        return self->odd_since_us + (int64_t) self->options.reorder_ms * 1000;
    if (is_in_waiting(self) && n_packets >= RTP_PROBATION_ENOUGH &&
        is_kept(self, self->odd_since_us))
        return self->stream.last_arrival_us + QUIET_US;
    return n_packets >= RTP_PROBATION_ENOUGH ? self->odd_since_us + STALL_WAIT_US : INT64_MAX;
}

int64_t
rtp_receiver_expire(RtpReceiver *self, int64_t now_us)
{
    if (settle_due_us(self) <= now_us)
        settle(self, now_us);
    rtp_stream_give_due(&self->stream, now_us);
    rtp_delivery_flush(&self->stream.delivery);
    return MIN(reorder_window_due_us(self->stream.window), settle_due_us(self));
}

/* Gives on all that came so far, waiting or on probation. */
static void
give_everything(RtpReceiver *self, int64_t now_us)
{
    const unsigned n_packets = rtp_probation_count(self->probation);
    const bool is_first = !self->status.has_ssrc && n_packets > 0;

    if (is_in_waiting(self) && is_kept(self, now_us)) {
        drop_probation(self);
    } else if (is_first || (n_packets >= RTP_PROBATION_ENOUGH && !is_catching_up(self))) {
        begin(self);
    } else {
        resume_stream(self);
    }
    self->is_odd = false;
    rtp_stream_give_due(&self->stream, INT64_MAX);
}

void
rtp_receiver_pause(RtpReceiver *self, const char *reason, int64_t now_us)
{
    if (reason != NULL)
        give_everything(self, now_us);
    rtp_delivery_pause(&self->stream.delivery, reason, now_us);
}

void
rtp_receiver_finish(RtpReceiver *self, int64_t until_us)
{
    give_everything(self, until_us);
    rtp_delivery_finish(&self->stream.delivery, until_us);
}

void
rtp_receiver_status(const RtpReceiver *self, RtpReceiverStatus *status)
{
    *status = self->status;
}

void
rtp_receiver_free(RtpReceiver *self)
{
    if (self == NULL)
        return;
    drop_probation(self);
    rtp_probation_free(self->probation);
    rtp_stream_clear(&self->stream);
    g_free(self);
}
