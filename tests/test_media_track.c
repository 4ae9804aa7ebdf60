#include "agent/media/media_track.h"
#include "tests/fakes/rtp_source.h"

#include <inttypes.h>
#include <string.h>

#define VP8                                                                                        \
    "video/x-raw,width=320,height=240,framerate=30/1 ! vp8enc deadline=1 cpu-used=8 "              \
    "keyframe-max-dist=30 target-bitrate=300000 ! rtpvp8pay mtu=600 picture-id-mode=2"
#define VP9                                                                                        \
    "video/x-raw,width=320,height=240,framerate=30/1 ! vp9enc deadline=1 cpu-used=8 "              \
    "keyframe-max-dist=30 target-bitrate=300000 ! rtpvp9pay mtu=600"
#define H264                                                                                       \
    "video/x-raw,width=320,height=240,framerate=30/1 ! x264enc tune=zerolatency "                  \
    "speed-preset=ultrafast key-int-max=30 bitrate=300 byte-stream=false ! "                       \
    "video/x-h264,profile=constrained-baseline ! rtph264pay mtu=600 config-interval=-1"
#define OPUS "audio/x-raw,rate=48000,channels=2 ! opusenc bitrate=32000 ! rtpopuspay"

static const MediaFormat vp8 = {MEDIA_CODEC_VP8, 96, 90000, 0};
static const MediaFormat vp9 = {MEDIA_CODEC_VP9, 96, 90000, 0};
static const MediaFormat h264 = {MEDIA_CODEC_H264, 96, 90000, 0};
static const MediaFormat opus = {MEDIA_CODEC_OPUS, 96, 48000, 2};

/* What a track gave out. */
typedef struct {
    GPtrArray *segments; /* of Segment */
    GString *gaps;       /* "start+duration reason;" */
    GString *parts;      /* "part@start;" */
    uint32_t first_rtp_timestamp;
    unsigned n_keyframe_requests;
} Outcome;

static void
on_segment(Segment *segment, void *user_data)
{
    g_ptr_array_add(((Outcome *) user_data)->segments, segment);
}

static void
on_keyframe_wanted(void *user_data)
{
    ((Outcome *) user_data)->n_keyframe_requests++;
}

static void
on_gap(int64_t start_us, int64_t duration_us, const char *reason, void *user_data)
{
    g_string_append_printf(((Outcome *) user_data)->gaps, "%" PRId64 "+%" PRId64 " %s;", start_us,
                           duration_us, reason);
}

static void
on_part(uint32_t part, int64_t start_us, uint32_t rtp_timestamp, void *user_data)
{
    Outcome *outcome = user_data;

    if (part == 0)
        outcome->first_rtp_timestamp = rtp_timestamp;
    g_string_append_printf(outcome->parts, "%u@%" PRId64 ";", part, start_us);
}

static void
outcome_init(Outcome *self)
{
    memset(self, 0, sizeof(*self));
    self->segments = g_ptr_array_new_with_free_func((GDestroyNotify) segment_free);
    self->gaps = g_string_new(NULL);
    self->parts = g_string_new(NULL);
}

static void
outcome_clear(Outcome *self)
{
    g_ptr_array_unref(self->segments);
    g_string_free(self->gaps, TRUE);
    g_string_free(self->parts, TRUE);
}

static MediaTrack *
track_for_test(const MediaFormat *format, Outcome *outcome)
{
    g_autoptr(GError) error = NULL;
    const MediaTrackOptions options = {
        .segment_ms = 4000,
        .on_segment = on_segment,
        .on_keyframe_wanted = on_keyframe_wanted,
        .on_gap = on_gap,
        .on_part = on_part,
        .user_data = outcome,
    };
    MediaTrack *track = media_track_new(format, &options, &error);

    g_assert_no_error(error);
    return track;
}

static MediaPacket
packet_of(const RtpSource *source, unsigned i, int64_t offset_us)
{
    MediaPacket packet = {.time_us = g_array_index(source->times_us, int64_t, i) + offset_us};

    packet.bytes = rtp_source_packet(source, i, &packet.n_bytes);
    return packet;
}

/* Pushes packets [from, until) in batches of seven. */
static void
push_range(MediaTrack *track, const RtpSource *source, unsigned from, unsigned until,
           int64_t offset_us)
{
    for (unsigned i = from; i < until; i += 7) {
        MediaPacket packets[7];
        const unsigned n = MIN(7, until - i);

        for (unsigned j = 0; j < n; j++)
            packets[j] = packet_of(source, i + j, offset_us);
        media_track_push(track, packets, n);
    }
}

static void
push_all(MediaTrack *track, const RtpSource *source, int64_t offset_us)
{
    push_range(track, source, 0, source->packets->len, offset_us);
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

static GByteArray *
concatenate_part(const Outcome *outcome, uint32_t part)
{
    GByteArray *bytes = g_byte_array_new();

    for (guint i = 0; i < outcome->segments->len; i++) {
        const Segment *segment = outcome->segments->pdata[i];

        if (segment->part == part)
            append_segment(bytes, segment);
    }
    return bytes;
}

/* Indexes count from 0, times tile the part, only the first has a header, only the last is the
 * last. */
static void
check_sequence(const Outcome *outcome)
{
    const Segment *before = NULL;

    for (guint i = 0; i < outcome->segments->len; i++) {
        const Segment *segment = outcome->segments->pdata[i];
        const Segment *after =
            i + 1 < outcome->segments->len ? outcome->segments->pdata[i + 1] : NULL;

        if (before != NULL && before->part == segment->part) {
            g_assert_cmpuint(segment->index, ==, before->index + 1);
            g_assert_cmpint(segment->start_us, ==, before->start_us + before->duration_us);
        } else {
            g_assert_cmpuint(segment->index, ==, 0);
        }
        g_assert_cmpint(segment->has_header, ==, segment->index == 0);
        g_assert_cmpint(segment->is_last_of_part, ==,
                        after == NULL || after->part != segment->part);
        g_assert_cmpint(memcmp(segment->pieces[0].iov_base,
                               segment->has_header ? "\x1a\x45\xdf\xa3" : "\x1f\x43\xb6\x75", 4),
                        ==, 0);
        before = segment;
    }
}

/* `got` is what was sent from frame `first` on; Matroska rounds times to milliseconds. */
static void
check_frames(const GArray *got, const RtpSource *source, guint first, int64_t offset_us)
{
    const bool with_sets = source->is_h264;

    g_assert_cmpuint(got->len, ==, source->frames->len - first);
    for (guint i = 0; i < got->len; i++) {
        const RtpSourceFrame *a = &g_array_index(got, RtpSourceFrame, i);
        const RtpSourceFrame *b = &g_array_index(source->frames, RtpSourceFrame, first + i);

        /* Parameter sets of H.264 move from its keyframes into the header. */
        if (!with_sets || !b->is_keyframe) {
            g_assert_cmpuint(a->n_bytes, ==, b->n_bytes);
            g_assert_cmpuint(a->hash, ==, b->hash);
        }
        g_assert_cmpint(ABS(a->time_us - b->time_us - offset_us), <=, 501);
    }
}

typedef struct {
    const MediaFormat *format;
    const char *description;
    int64_t offset_us;
    guint n_segments;
} WholeCase;

static void
test_keeps_every_frame(const void *data)
{
    const WholeCase *given = data;
    g_autoptr(RtpSource) source = rtp_source_new(given->description);
    Outcome outcome;
    outcome_init(&outcome);
    g_autoptr(MediaTrack) track = track_for_test(given->format, &outcome);

    push_all(track, source, given->offset_us);
    media_track_finish(track);

    check_sequence(&outcome);
    g_assert_cmpuint(outcome.segments->len, ==, given->n_segments);
    g_assert_cmpstr(outcome.gaps->str, ==, "");
    g_autoptr(GByteArray) bytes = concatenate_part(&outcome, 0);
    g_autoptr(GPtrArray) tracks = rtp_source_demux(bytes->data, bytes->len);
    g_assert_cmpuint(tracks->len, ==, 1);
    check_frames(tracks->pdata[0], source, 0, given->offset_us);
    const int n_decoded = rtp_source_count_decoded(bytes->data, bytes->len, "0");
    if (n_decoded >= 0)
        g_assert_cmpint(n_decoded, ==, source->frames->len);
    for (guint i = 0; i < outcome.segments->len; i++)
        g_assert_true(((Segment *) outcome.segments->pdata[i])->starts_at_keyframe);
    outcome_clear(&outcome);
}

static const WholeCase whole_vp8 = {&vp8, "videotestsrc num-buffers=300 ! " VP8, 0, 3};
static const WholeCase whole_vp8_late = {&vp8, "videotestsrc num-buffers=300 ! " VP8,
                                         INT64_C(86400) * 1000000 + 123456, 3};
static const WholeCase whole_vp9 = {&vp9, "videotestsrc num-buffers=150 ! " VP9, 7777777, 2};
static const WholeCase whole_h264 = {&h264, "videotestsrc num-buffers=300 ! " H264, 7777777, 3};
static const WholeCase whole_opus = {
    &opus, "audiotestsrc num-buffers=500 samplesperbuffer=960 ! " OPUS, 7777777, 3};

int
main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;

    g_test_init(&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
    if (!media_start(&error))
        g_error("%s", error->message);
    g_test_add_data_func("/media-track/keeps-every-frame/vp8", &whole_vp8, test_keeps_every_frame);
    g_test_add_data_func("/media-track/keeps-every-frame/vp8-a-day-in", &whole_vp8_late,
                         test_keeps_every_frame);
    g_test_add_data_func("/media-track/keeps-every-frame/vp9", &whole_vp9, test_keeps_every_frame);
    g_test_add_data_func("/media-track/keeps-every-frame/h264", &whole_h264,
                         test_keeps_every_frame);
    g_test_add_data_func("/media-track/keeps-every-frame/opus", &whole_opus,
                         test_keeps_every_frame);
    return g_test_run();
}
