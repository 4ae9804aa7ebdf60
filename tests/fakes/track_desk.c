#include "tests/fakes/track_desk.h"

#include <gio/gio.h>
#include <inttypes.h>

static TrackDesk desk;
static char ingress_track; /* never looked into */

TrackDesk *
track_desk_start(void)
{
    desk = (TrackDesk){.told = g_string_new(NULL)};
    return &desk;
}

void
track_desk_stop(void)
{
    g_string_free(desk.told, TRUE);
}

char *
track_desk_take(void)
{
    char *told = g_strdup(desk.told->str);

    g_string_truncate(desk.told, 0);
    return told;
}

void
track_desk_push(const RtpSource *source, unsigned from, unsigned until, int64_t offset_us,
                int loss_at)
{
    g_autofree RtpReceiverPacket *packets = g_new0(RtpReceiverPacket, until - from);

    for (unsigned i = from; i < until; i++) {
        RtpReceiverPacket *packet = &packets[i - from];

        packet->bytes = rtp_source_packet(source, i, &packet->n_bytes);
        packet->time_us = g_array_index(source->times_us, int64_t, i) + offset_us;
        packet->follows_loss = (int) i == loss_at;
    }
    desk.options.receiver.on_packets(packets, until - from, desk.options.receiver.user_data);
}

IngressTrack *__wrap_ingress_add_track(Ingress *self, const IngressTrackOptions *options,
                                       GError **error);
uint16_t __wrap_ingress_track_port(const IngressTrack *track);
void __wrap_ingress_track_pause(IngressTrack *track, const char *reason);
void __wrap_ingress_track_finish(IngressTrack *track, int64_t until_us);
void __wrap_ingress_track_status(IngressTrack *track, RtpReceiverStatus *status);
void __wrap_ingress_track_request_keyframe(IngressTrack *track);
void __wrap_sealer_take_segment(Sealer *self, SealerTrack *track, Segment *segment);
void __wrap_sealer_take_gap(Sealer *self, SealerTrack *track, const LedgerGap *gap);
void __wrap_sealer_take_clock(Sealer *self, SealerTrack *track, const LedgerClock *clock);
void __wrap_sealer_take_end(Sealer *self, SealerTrack *track, const LedgerTrackEnd *end);

static void
check(const IngressTrack *track)
{
    g_assert_true((const void *) track == &ingress_track);
    g_assert_true(desk.is_open);
}

IngressTrack *
__wrap_ingress_add_track(Ingress *self, const IngressTrackOptions *options, GError **error)
{
    if (desk.is_full) {
        g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_NO_SPACE, "every port is taken");
        return NULL;
    }
    desk.options = *options;
    desk.is_open = true;
    if (desk.sends_early) {
        static const uint8_t nothing[13] = {0x80, 96};
        const RtpReceiverPacket packet = {.bytes = nothing, .n_bytes = sizeof(nothing)};

        options->receiver.on_packets(&packet, 1, options->receiver.user_data);
    }
    return (IngressTrack *) &ingress_track;
}

uint16_t
__wrap_ingress_track_port(const IngressTrack *track)
{
    check(track);
    return 40000;
}

void
__wrap_ingress_track_pause(IngressTrack *track, const char *reason)
{
    check(track);
    if (reason != NULL)
        g_string_append_printf(desk.told, "pause %s;", reason);
    else
        g_string_append(desk.told, "resume;");
}

void
__wrap_ingress_track_finish(IngressTrack *track, int64_t until_us)
{
    check(track);
    desk.is_open = false;
    g_string_append_printf(desk.told, "finish %" PRId64 ";", until_us);
}

void
__wrap_ingress_track_status(IngressTrack *track, RtpReceiverStatus *status)
{
    g_assert_true((void *) track == &ingress_track);
    *status = desk.status;
}

void
__wrap_ingress_track_request_keyframe(IngressTrack *track)
{
    check(track);
    g_string_append(desk.told, "keyframe;");
}

void
__wrap_sealer_take_segment(Sealer *self, SealerTrack *track, Segment *segment)
{
    desk.sealer_track = track;
    g_string_append_printf(desk.told, "segment %u/%u %" PRId64 "+%" PRId64 ";", segment->part,
                           segment->index, segment->start_us, segment->duration_us);
    segment_free(segment);
}

void
__wrap_sealer_take_gap(Sealer *self, SealerTrack *track, const LedgerGap *gap)
{
    desk.sealer_track = track;
    g_string_append_printf(desk.told, "gap %s %" PRId64 "+%" PRId64 " %s;", gap->track,
                           gap->start_us, gap->duration_us, gap->reason);
}

void
__wrap_sealer_take_clock(Sealer *self, SealerTrack *track, const LedgerClock *clock)
{
    desk.sealer_track = track;
    g_string_append_printf(desk.told, "clock %s %u@%" PRId64 "=%u;", clock->track, clock->part,
                           clock->start_us, clock->rtp_timestamp);
}

void
__wrap_sealer_take_end(Sealer *self, SealerTrack *track, const LedgerTrackEnd *end)
{
    desk.sealer_track = track;
    desk.end = *end;
    desk.end.track = g_intern_string(end->track);
    g_string_append_printf(desk.told, "end %s %" PRId64 ";", end->track, end->until_us);
}
