#include "tests/fakes/track_outcome.h"

#include <inttypes.h>
#include <string.h>

static void
on_segment(Segment *segment, void *user_data)
{
    g_ptr_array_add(((TrackOutcome *) user_data)->segments, segment);
}

static void
on_keyframe_wanted(void *user_data)
{
    ((TrackOutcome *) user_data)->n_keyframe_requests++;
}

static void
on_gap(int64_t start_us, int64_t duration_us, const char *reason, void *user_data)
{
    g_string_append_printf(((TrackOutcome *) user_data)->gaps, "%" PRId64 "+%" PRId64 " %s;",
                           start_us, duration_us, reason);
}

static void
on_part(uint32_t part, int64_t start_us, uint32_t rtp_timestamp, void *user_data)
{
    TrackOutcome *self = user_data;

    if (part == 0)
        self->first_rtp_timestamp = rtp_timestamp;
    g_string_append_printf(self->parts, "%u@%" PRId64 ";", part, start_us);
}

TrackOutcome *
track_outcome_new(void)
{
    TrackOutcome *self = g_new0(TrackOutcome, 1);

    self->segments = g_ptr_array_new_with_free_func((GDestroyNotify) segment_free);
    self->gaps = g_string_new(NULL);
    self->parts = g_string_new(NULL);
    return self;
}

MediaTrack *
track_outcome_start_track(TrackOutcome *self, const MediaFormat *format)
{
    g_autoptr(GError) error = NULL;
    const MediaTrackOptions options = {
        .segment_ms = 4000,
        .on_segment = on_segment,
        .on_keyframe_wanted = on_keyframe_wanted,
        .on_gap = on_gap,
        .on_part = on_part,
        .user_data = self,
    };
    MediaTrack *track = media_track_new(format, &options, &error);

    g_assert_no_error(error);
    return track;
}

MediaPacket
track_outcome_packet(const RtpSource *source, unsigned i, int64_t offset_us)
{
    MediaPacket packet = {.time_us = g_array_index(source->times_us, int64_t, i) + offset_us};

    packet.bytes = rtp_source_packet(source, i, &packet.n_bytes);
    return packet;
}

void
track_outcome_push(MediaTrack *track, const RtpSource *source, unsigned from, unsigned until,
                   int64_t offset_us)
{
    for (unsigned i = from; i < until; i += 7) {
        MediaPacket packets[7];
        const unsigned n = MIN(7, until - i);

        for (unsigned j = 0; j < n; j++)
            packets[j] = track_outcome_packet(source, i + j, offset_us);
        media_track_push(track, packets, n);
    }
}

TrackOutcome *
track_outcome_record(const MediaFormat *format, const RtpSource *source, int64_t offset_us)
{
    TrackOutcome *self = track_outcome_new();
    g_autoptr(MediaTrack) track = track_outcome_start_track(self, format);

    track_outcome_push(track, source, 0, source->packets->len, offset_us);
    media_track_finish(track);
    return self;
}

static void
append_segment(GByteArray *bytes, const Segment *segment)
{
    size_t n_bytes = 0;

    for (size_t i = 0; i < segment->n_pieces; i++) {
        g_byte_array_append(bytes, segment->pieces[i].iov_base, (guint) segment->pieces[i].iov_len);
        n_bytes += segment->pieces[i].iov_len;
    }
    g_assert_cmpuint(n_bytes, ==, segment->n_bytes);
}

GByteArray *
track_outcome_segment_bytes(const TrackOutcome *self, guint i)
{
    GByteArray *bytes = g_byte_array_new();

    append_segment(bytes, self->segments->pdata[i]);
    return bytes;
}

void
track_outcome_read_segment(const TrackOutcome *self, guint i, PlainBuffer *plain)
{
    g_autoptr(GByteArray) bytes = track_outcome_segment_bytes(self, i);

    plain_buffer_resize(plain, bytes->len);
    memcpy(plain->bytes, bytes->data, bytes->len);
}

GByteArray *
track_outcome_part_bytes(const TrackOutcome *self, uint32_t part)
{
    GByteArray *bytes = g_byte_array_new();

    for (guint i = 0; i < self->segments->len; i++) {
        const Segment *segment = self->segments->pdata[i];

        if (segment->part == part)
            append_segment(bytes, segment);
    }
    return bytes;
}

void
track_outcome_check_sequence(const TrackOutcome *self)
{
    const Segment *before = NULL;

    for (guint i = 0; i < self->segments->len; i++) {
        const Segment *segment = self->segments->pdata[i];
        const Segment *after = i + 1 < self->segments->len ? self->segments->pdata[i + 1] : NULL;

        if (before != NULL && before->part == segment->part) {
            g_assert_cmpuint(segment->index, ==, before->index + 1);
            g_assert_cmpint(segment->start_us, ==, before->start_us + before->duration_us);
        } else {
            g_assert_cmpuint(segment->index, ==, 0);
        }
        g_assert_cmpint(segment->has_header, ==, segment->index == 0);
        g_assert_cmpint(segment->is_last_of_part, ==,
                        after == NULL || after->part != segment->part);
        g_assert_cmpmem(segment->pieces[0].iov_base, 4,
                        segment->has_header ? "\x1a\x45\xdf\xa3" : "\x1f\x43\xb6\x75", 4);
        before = segment;
    }
}

void
track_outcome_free(TrackOutcome *self)
{
    if (self == NULL)
        return;
    g_ptr_array_unref(self->segments);
    g_string_free(self->gaps, TRUE);
    g_string_free(self->parts, TRUE);
    g_free(self);
}
