#include "agent/recorder/track.h"

#include "agent/recorder/gap_tiler.h"

#include <string.h>

/* A hole on the timeline is named in the manifest from this length on; shorter ones are only
 * counted. */
#define GAP_MS 200

struct Track {
    char *id;
    Sealer *sealer;
    SealerTrack *sealer_track;
    IngressTrack *ingress_track;
    uint16_t port;
    RateLimit *rate, *session_rate;
    int64_t from_us;
    bool is_ending;   /* main thread */
    int64_t until_us; /* set before the ingress is told to finish */

    /* Of the ingress thread. */
    MediaTrack *media;
    GapTiler *tiler;

    int is_discarded; /* atomic */
    GMutex mutex;
    struct {
        RtpReceiverStatus last; /* once the ingress has let go of the track */
        bool is_finished;
    } locked;
};

static bool
is_discarded(Track *self)
{
    return g_atomic_int_get(&self->is_discarded) != 0;
}

static void
on_segment(Segment *segment, void *user_data)
{
    Track *self = user_data;

    if (is_discarded(self)) {
        segment_free(segment);
        return;
    }
    gap_tiler_add_segment(self->tiler, segment->start_us, segment->start_us + segment->duration_us);
    sealer_take_segment(self->sealer, self->sealer_track, segment);
}

/* From the receiver and from the media: a hole, before it is known where segments lie. */
static void
on_gap(int64_t start_us, int64_t duration_us, const char *reason, void *user_data)
{
    Track *self = user_data;

    gap_tiler_add_gap(self->tiler, start_us, duration_us, reason);
}

static void
on_tiled_gap(int64_t start_us, int64_t duration_us, const char *reason, void *user_data)
{
    Track *self = user_data;
    const LedgerGap gap = {self->id, start_us, duration_us, reason};

    if (!is_discarded(self))
        sealer_take_gap(self->sealer, self->sealer_track, &gap);
}

static void
on_part(uint32_t part, int64_t start_us, uint32_t rtp_timestamp, void *user_data)
{
    Track *self = user_data;
    const LedgerClock clock = {self->id, part, start_us, rtp_timestamp};

    if (!is_discarded(self))
        sealer_take_clock(self->sealer, self->sealer_track, &clock);
}

static void
on_keyframe_wanted(void *user_data)
{
    Track *self = user_data;
    IngressTrack *ingress_track = g_atomic_pointer_get(&self->ingress_track);

    /* A stray packet may come before the port is even known to us. */
    if (ingress_track != NULL)
        ingress_track_request_keyframe(ingress_track);
}

static void
on_packets(const RtpReceiverPacket *packets, size_t n_packets, void *user_data)
{
    Track *self = user_data;
    MediaPacket batch[64];

    for (size_t done = 0; done < n_packets;) {
        size_t n = MIN(n_packets - done, G_N_ELEMENTS(batch));

        for (size_t i = 0; i < n; i++) {
            const RtpReceiverPacket *packet = &packets[done + i];

            batch[i] = (MediaPacket){
                .bytes = packet->bytes,
                .n_bytes = packet->n_bytes,
                .time_us = packet->time_us,
                .follows_loss = packet->follows_loss,
            };
        }
        media_track_push(self->media, batch, n);
        done += n;
    }
    if (sealer_track_take_restart(self->sealer_track))
        media_track_restart(self->media);
}

static void
on_restart(void *user_data)
{
    Track *self = user_data;

    media_track_restart(self->media);
}

/* What SRTP's replay protection refused came twice, or much too late to tell. */
static TrackCounts
counts_of(const RtpReceiverStatus *status)
{
    return (TrackCounts){
        .n_known = N_TRACK_COUNTS,
        .of =
            {
                 [TRACK_COUNT_RECEIVED] = status->n_packets,
                 [TRACK_COUNT_LOST] = status->n_lost,
                 [TRACK_COUNT_REORDERED] = status->n_reordered,
                 [TRACK_COUNT_DUPLICATE] = status->n_duplicate + status->n_replayed,
                 [TRACK_COUNT_LATE] = status->n_late,
                 [TRACK_COUNT_PAUSED] = status->n_paused,
                 [TRACK_COUNT_FOREIGN] =
                    status->n_foreign + status->n_foreign_ssrc + status->n_unauthentic,
                 [TRACK_COUNT_KERNEL_DROPPED] = status->n_kernel_dropped,
                 [TRACK_COUNT_RECOVERED] = status->n_recovered,
                 [TRACK_COUNT_LIMITED] = status->n_limited,
                 [TRACK_COUNT_BESIDE] = status->n_beside,
                 },
    };
}

static void
on_finished(void *user_data)
{
    Track *self = user_data;
    LedgerTrackEnd end = {.track = self->id};

    media_track_finish(self->media);
    end.until_us = gap_tiler_finish(self->tiler, self->until_us);
    g_mutex_lock(&self->mutex);
    ingress_track_status(self->ingress_track, &self->locked.last);
    self->locked.is_finished = true;
    end.counts = counts_of(&self->locked.last);
    end.counts.of[TRACK_COUNT_LATE_KEYFRAMES] = media_track_count_late_keyframes(self->media);
    end.counts.of[TRACK_COUNT_UNREADABLE] = media_track_count_unreadable(self->media);
    g_mutex_unlock(&self->mutex);
    if (is_discarded(self)) {
        track_free(self);
    } else {
        sealer_take_end(self->sealer, self->sealer_track, &end);
    }
}

static bool
open_media(Track *self, const TrackOptions *options, GError **error)
{
    const MediaTrackOptions media_options = {
        .segment_ms = options->segment_ms,
        .on_segment = on_segment,
        .on_keyframe_wanted = on_keyframe_wanted,
        .on_gap = on_gap,
        .on_part = on_part,
        .user_data = self,
    };

    self->media = media_track_new(&options->format, &media_options, error);
    return self->media != NULL;
}

static bool
open_ports(Track *self, const TrackOptions *options, Ingress *ingress, GError **error)
{
    const IngressTrackOptions ingress_options = {
        .receiver =
            {
                       .payload_type = options->format.payload_type,
                       .roles = options->roles,
                       .clock_rate = options->format.clock_rate,
                       .reorder_ms = options->reorder_ms,
                       .gap_ms = GAP_MS,
                       .from_us = options->from_us,
                       .sender_clocks = options->sender_clocks,
                       .track_rate = self->rate,
                       .session_rate = self->session_rate,
                       .on_packets = on_packets,
                       .on_gap = on_gap,
                       .on_restart = on_restart,
                       .user_data = self,
                       },
        .zero_monotonic_us = options->zero_monotonic_us,
        .srtp = options->srtp,
        .name = self->id,
        .feedback = media_codec_is_video(options->format.codec) ? options->feedback : 0,
        .on_finished = on_finished,
        .user_data = self,
    };

    IngressTrack *opened = ingress_add_track(ingress, &ingress_options, error);

    if (opened == NULL)
        return false;
    g_atomic_pointer_set(&self->ingress_track, opened);
    self->port = ingress_track_port(opened);
    return true;
}

Track *
track_new(const TrackOptions *options, Ingress *ingress, Sealer *sealer, SealerSession *session,
          GError **error)
{
    g_autoptr(Track) self = g_new0(Track, 1);

    self->id = g_strdup(options->id);
    self->from_us = options->from_us;
    self->sealer = sealer;
    self->rate = rate_limit_new(options->max_kbps);
    self->session_rate = rate_limit_ref(options->session_rate);
    g_mutex_init(&self->mutex);
    self->tiler = gap_tiler_new(options->from_us, on_tiled_gap, self);
    self->sealer_track =
        sealer_track_new(session, options->id, options->recipient, options->object_ms, error);
    if (self->sealer_track == NULL || !open_media(self, options, error) ||
        !open_ports(self, options, ingress, error))
        return NULL;
    return g_steal_pointer(&self);
}

void
track_discard(Track *self)
{
    g_atomic_int_set(&self->is_discarded, 1);
    self->is_ending = true;
    ingress_track_finish(self->ingress_track, 0);
}

uint16_t
track_port(const Track *self)
{
    return self->port;
}

int64_t
track_from_us(const Track *self)
{
    return self->from_us;
}

void
track_pause(Track *self, const char *reason)
{
    g_autofree char *gap_reason = NULL;

    if (self->is_ending)
        return;
    if (reason != NULL)
        gap_reason = g_strconcat("paused-", reason, NULL);
    ingress_track_pause(self->ingress_track, gap_reason);
}

void
track_finish(Track *self, int64_t until_us)
{
    if (self->is_ending)
        return;
    self->is_ending = true;
    self->until_us = until_us;
    ingress_track_finish(self->ingress_track, until_us);
}

void
track_status(Track *self, TrackStatus *status)
{
    sealer_track_status(self->sealer_track, &status->sealer);
    g_mutex_lock(&self->mutex);
    if (self->locked.is_finished) {
        status->receiver = self->locked.last;
    } else {
        ingress_track_status(self->ingress_track, &status->receiver);
    }
    g_mutex_unlock(&self->mutex);
}

void
track_free(Track *self)
{
    if (self == NULL)
        return;
    media_track_free(self->media);
    gap_tiler_free(self->tiler);
    sealer_track_free(self->sealer_track);
    rate_limit_unref(self->rate);
    rate_limit_unref(self->session_rate);
    g_mutex_clear(&self->mutex);
    g_free(self->id);
    g_free(self);
}
