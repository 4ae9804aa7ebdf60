/* What does not fit a receiver's stream, and what becomes of it: late, noise, the stream gone on
 * elsewhere, or another source. */
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
    /* A new clock is set by the quickest of its first packets: while they differ by more than
     * STEADY_US more of them are waited for. */
    STEADY_US = 20000,
    UNSTEADY_WAIT_US = 2 * G_USEC_PER_SEC,
};

static void
count_foreign(RtpReceiver *self, const RtpPacket *header)
{
    if (!self->status.has_ssrc || header->ssrc != self->status.ssrc) {
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

void
rtp_receiver_drop_probation(RtpReceiver *self)
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

void
rtp_receiver_resume(RtpReceiver *self)
{
    for (HeldPacket *held; (held = rtp_probation_take_out(self->probation)) != NULL;) {
        const int64_t lag_us = lag_of(self, held);
        if (held->header.ssrc == self->status.ssrc && lag_us >= -RTP_CLOCK_MAX_LAG_US &&
            held->arrival_us - lag_us >= self->stream.delivery.last_us - RTP_RECEIVER_MAX_BACK_US) {
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

/* Returns: until when another stream on probation waits for a quicker packet; 0: it does not. */
static int64_t
steady_due_us(const RtpReceiver *self)
{
    const unsigned n_packets = rtp_probation_count(self->probation);

    if (n_packets == 0 || n_packets == RTP_PROBATION_MAX ||
        (self->status.has_ssrc && last_on_probation(self)->header.ssrc == self->status.ssrc) ||
        rtp_probation_jitter_us(self->probation, self->options.clock_rate) <= STEADY_US)
        return 0;
    return self->odd_since_us + UNSTEADY_WAIT_US;
}

/* Returns: when the first stream begins. */
static int64_t
start_due_us(const RtpReceiver *self)
{
    const int64_t due_us = self->odd_since_us + (int64_t) self->options.reorder_ms * 1000;

    return MAX(due_us, steady_due_us(self));
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
    } else if (now_us < steady_due_us(self)) {
        return;
    } else if (!may_be_stall(self, last) || (has_waited && !is_catching_up(self))) {
        begin(self);
    } else if (has_waited || is_full) {
        rtp_receiver_resume(self);
        self->odd_since_us = has_waited ? now_us : self->odd_since_us;
    }
}

void
rtp_receiver_settle(RtpReceiver *self, int64_t now_us)
{
    const unsigned n_packets = rtp_probation_count(self->probation);

    if (!self->status.has_ssrc) {
        if (n_packets == RTP_PROBATION_MAX || now_us >= start_due_us(self))
            begin(self);
    } else if (is_in_waiting(self) && is_kept(self, now_us)) {
        if (n_packets == RTP_PROBATION_MAX)
            rtp_receiver_drop_probation(self);
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

/* Says whether a packet that does not fit may take the place of what is on probation. A source of
 * which it is the first must wait, or thousands of them, one packet each, would let nobody in; and
 * so must one that comes between two packets of another. */
static bool
may_displace(RtpReceiver *self, const RtpArrival *arrival, bool was_heard)
{
    if (self->status.has_ssrc && arrival->header.ssrc == self->status.ssrc)
        return true;
    return was_heard && (rtp_probation_count(self->probation) == 1 ||
                         arrival->arrival_us - last_on_probation(self)->arrival_us > STALL_WAIT_US);
}

/* Two that do not agree are no new beginning; each may still be a late one of the stream. */
static void
clear_probation(RtpReceiver *self)
{
    if (self->status.has_ssrc) {
        rtp_receiver_resume(self);
    } else {
        rtp_receiver_drop_probation(self);
    }
    self->is_odd = false;
}

static void
put_on_probation(RtpReceiver *self, const RtpArrival *arrival)
{
    const bool was_heard = rtp_probation_heard(self->probation, &arrival->header);

    if (!fits_probation(self, arrival)) {
        if (!may_displace(self, arrival, was_heard)) {
            drop_foreign(self, arrival);
            return;
        }
        clear_probation(self);
    }
    if (!self->is_odd) {
        self->is_odd = true;
        self->odd_since_us = arrival->arrival_us;
    }
    if (!rtp_probation_add(self->probation, rtp_stream_hold(&self->stream, arrival)))
        self->status.n_duplicate++;
    rtp_receiver_settle(self, arrival->arrival_us);
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

int64_t
rtp_receiver_settle_due_us(const RtpReceiver *self)
{
    const unsigned n_packets = rtp_probation_count(self->probation);

    if (!self->status.has_ssrc && n_packets > 0)
        return start_due_us(self);
    if (n_packets < RTP_PROBATION_ENOUGH)
        return INT64_MAX;
    if (is_in_waiting(self) && is_kept(self, self->odd_since_us))
        return MAX(self->stream.last_arrival_us + QUIET_US, steady_due_us(self));
    return MAX(self->odd_since_us + STALL_WAIT_US, steady_due_us(self));
}

/* Says whether a source's clock jumps while its first packets are still waited for: no clock could
 * hold both. */
static bool
has_jumped(const RtpReceiver *self, const RtpArrival *arrival)
{
    const HeldPacket *last = NULL;
    int64_t media_us = 0;

    if (self->status.has_ssrc || rtp_probation_count(self->probation) < RTP_PROBATION_ENOUGH)
        return false;
    last = last_on_probation(self);
    media_us = (int64_t) (int32_t) (arrival->header.timestamp - last->header.timestamp) *
               G_USEC_PER_SEC / self->options.clock_rate;
    return last->header.ssrc == arrival->header.ssrc &&
           ABS(media_us - (arrival->arrival_us - last->arrival_us)) > RTP_RECEIVER_MAX_BACK_US;
}

void
rtp_receiver_doubt(RtpReceiver *self, const RtpArrival *arrival)
{
    if (has_jumped(self, arrival)) {
        begin(self);
        rtp_receiver_take_media(self, arrival); /* now one of the stream that has jumped */
        return;
    }
    const bool is_own = self->status.has_ssrc && arrival->header.ssrc == self->status.ssrc;

    if (is_own || may_wait(self, arrival)) {
        put_on_probation(self, arrival);
    } else {
        drop_foreign(self, arrival);
    }
}

void
rtp_receiver_settle_all(RtpReceiver *self, int64_t now_us)
{
    const unsigned n_packets = rtp_probation_count(self->probation);
    const bool is_first = !self->status.has_ssrc && n_packets > 0;

    if (is_in_waiting(self) && is_kept(self, now_us)) {
        rtp_receiver_drop_probation(self);
    } else if (is_first || (n_packets >= RTP_PROBATION_ENOUGH && !is_catching_up(self))) {
        begin(self);
    } else {
        rtp_receiver_resume(self);
    }
    self->is_odd = false;
}
