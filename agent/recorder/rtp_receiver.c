/* The way of a datagram:
 *  1. parsed and, by its payload type, made into packets of the track (rtp_intake.c); what is not
 * this track's RTP is counted and forgotten;
 *  2. if it fits the stream (SSRC, sequence number, clock) it goes on, else into probation;
 *  3. probation ends when a packet fits again (what waited was late, or noise) or when enough of
 * them agree: then the stream went on elsewhere (loss of thousands), or began anew (rtp_settle.c);
 *  4. the window puts packets into order, the delivery collects them for one call of on_packets. */
#include "agent/recorder/rtp_receiver.h"

#include "agent/recorder/rtp_receiver_internal.h"

RtpReceiver *
rtp_receiver_new(const RtpReceiverOptions *options)
{
    RtpReceiver *self = g_new0(RtpReceiver, 1);

    self->options = *options;
    rtp_stream_init(&self->stream, &self->options, &self->status);
    self->probation = rtp_probation_new(self->stream.pool);
    return self;
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
           time_us <= stream->delivery.last_us &&
           time_us >= stream->delivery.last_us - RTP_RECEIVER_MAX_BACK_US;
}

/* Says whether a packet follows the stream's clock. Who is waited for may come as late as that. */
static bool
is_in_step(const RtpReceiver *self, const RtpArrival *arrival, ReorderPlace place)
{
    const int64_t lag_us =
        rtp_clock_lag_us(&self->stream.clock, arrival->header.timestamp, arrival->arrival_us);
    const int64_t wait_us =
        place == REORDER_IS_AWAITED ? (int64_t) self->options.reorder_ms * 1000 : 0;

    return lag_us >= -RTP_CLOCK_MAX_LAG_US && lag_us <= RTP_CLOCK_MAX_LAG_US + wait_us;
}

/* A packet of the kept SSRC. */
static void
take_own(RtpReceiver *self, const RtpArrival *arrival)
{
    const ReorderPlace place = reorder_window_place(self->stream.window, arrival->header.sequence);
    const bool is_ahead = place == REORDER_IS_NEXT || place == REORDER_IS_EARLY ||
                          place == REORDER_IS_AWAITED || place == REORDER_IS_BEYOND;

    if (is_past(self, arrival, place)) {
        rtp_stream_accept(&self->stream, arrival); /* to be counted; proves nothing */
    } else if (is_ahead && is_in_step(self, arrival, place)) {
        rtp_receiver_resume(self);
        self->is_odd = false;
        rtp_stream_accept(&self->stream, arrival);
    } else {
        rtp_receiver_doubt(self, arrival);
    }
}

void
rtp_receiver_take_media(RtpReceiver *self, const RtpArrival *arrival)
{
    if (self->status.has_ssrc && arrival->header.ssrc == self->status.ssrc) {
        take_own(self, arrival);
    } else {
        rtp_receiver_doubt(self, arrival);
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

void
rtp_receiver_take_report(RtpReceiver *self, const RtcpReport *report, int64_t arrival_us)
{
    RtpStream *stream = &self->stream;

    if (!report->has_sender_report)
        return;
    if (self->status.has_ssrc && report->ssrc == self->status.ssrc &&
        rtp_sync_take(&stream->sync, report, &stream->clock, arrival_us)) {
        self->status.n_reports++;
    } else {
        self->status.n_odd_reports++;
    }
}

int64_t
rtp_receiver_expire(RtpReceiver *self, int64_t now_us)
{
    if (rtp_receiver_settle_due_us(self) <= now_us)
        rtp_receiver_settle(self, now_us);
    rtp_stream_give_due(&self->stream, now_us);
    rtp_delivery_flush(&self->stream.delivery);
    return MIN(reorder_window_due_us(self->stream.window), rtp_receiver_settle_due_us(self));
}

/* Gives on all that came so far, waiting or on probation. */
static void
give_everything(RtpReceiver *self, int64_t now_us)
{
    rtp_receiver_settle_all(self, now_us);
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
    status->is_synced = self->stream.sync.member != NULL;
}

void
rtp_receiver_free(RtpReceiver *self)
{
    if (self == NULL)
        return;
    rtp_receiver_drop_probation(self);
    rtp_probation_free(self->probation);
    rtp_stream_clear(&self->stream);
    g_free(self);
}
