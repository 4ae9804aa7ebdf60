#include "agent/media/media_track.h"
#include "tests/fakes/media_samples.h"
#include "tests/fakes/rtp_packets.h"
#include "tests/fakes/track_outcome.h"

#include <string.h>

#define SECOND_US INT64_C(1000000)

static const MediaFormat vp8 = SAMPLE_VP8_FORMAT;
static const MediaFormat vp9 = SAMPLE_VP9_FORMAT;
static const MediaFormat h264 = SAMPLE_H264_FORMAT;
static const MediaFormat opus = SAMPLE_OPUS_FORMAT;

typedef struct {
    const MediaFormat *format;
    const char *description;
    int64_t offset_us;
    guint n_segments;
} WholeCase;

static const Segment *
segment_at(const TrackOutcome *outcome, guint i)
{
    return outcome->segments->pdata[i];
}

static void
test_keeps_every_frame(const void *data)
{
    const WholeCase *given = data;
    g_autoptr(RtpSource) source = rtp_source_new(given->description);
    g_autoptr(TrackOutcome) outcome = track_outcome_record(given->format, source, given->offset_us);

    track_outcome_check_sequence(outcome);
    g_assert_cmpuint(outcome->segments->len, ==, given->n_segments);
    g_assert_cmpstr(outcome->gaps->str, ==, "");
    g_autoptr(GByteArray) bytes = track_outcome_part_bytes(outcome, 0);
    g_autoptr(GPtrArray) tracks = rtp_source_demux(bytes->data, bytes->len);
    g_assert_cmpuint(tracks->len, ==, 1);
    rtp_source_check_frames(source, tracks->pdata[0], 0, source->frames->len, given->offset_us);
    const int n_decoded = rtp_source_count_decoded(bytes->data, bytes->len, "0");
    if (n_decoded >= 0)
        g_assert_cmpint(n_decoded, ==, source->frames->len);
    for (guint i = 0; i < outcome->segments->len; i++) {
        g_assert_true(segment_at(outcome, i)->starts_at_keyframe);
        g_assert_false(segment_at(outcome, i)->is_damaged);
    }
}

/* Pieces as short as they may be. */
static void
test_keeps_frames_of_short_fragments(void)
{
    g_autoptr(RtpSource) source = rtp_source_new("videotestsrc num-buffers=90 ! " SAMPLE_H264);
    const unsigned n_cut = rtp_packets_cut_last_pieces(source);
    g_autoptr(TrackOutcome) outcome = track_outcome_record(&h264, source, 0);
    g_autoptr(GByteArray) bytes = track_outcome_part_bytes(outcome, 0);
    g_autoptr(GPtrArray) tracks = rtp_source_demux(bytes->data, bytes->len);

    g_assert_cmpuint(n_cut, >, 3);
    g_assert_cmpuint(tracks->len, ==, 1);
    rtp_source_check_frames(source, tracks->pdata[0], 0, source->frames->len, 0);
}

/* The part's header and any later segment. */
static void
test_later_segment_plays_alone(const void *data)
{
    const WholeCase *given = data;
    g_autoptr(RtpSource) source = rtp_source_new(given->description);
    g_autoptr(TrackOutcome) outcome = track_outcome_record(given->format, source, 0);
    g_autoptr(GByteArray) first = track_outcome_segment_bytes(outcome, 0);
    const uint8_t *cluster = memmem(first->data, first->len, "\x1f\x43\xb6\x75", 4);
    guint n_before = 0;

    g_assert_nonnull(cluster);
    for (guint i = 0; i < outcome->segments->len; i++) {
        g_autoptr(GByteArray) one = track_outcome_segment_bytes(outcome, i);
        g_autoptr(GByteArray) alone = g_byte_array_new();

        if (i > 0)
            g_byte_array_append(alone, first->data, (guint) (cluster - first->data));
        g_byte_array_append(alone, one->data, one->len);
        g_autoptr(GPtrArray) tracks = rtp_source_demux(alone->data, alone->len);
        const GArray *frames = tracks->pdata[0];
        rtp_source_check_frames(source, frames, n_before, frames->len, 0);
        if (i + 1 == outcome->segments->len) {
            const int n_decoded = rtp_source_count_decoded(alone->data, alone->len, "0");
            if (n_decoded >= 0)
                g_assert_cmpint(n_decoded, ==, frames->len);
        }
        n_before += frames->len;
    }
    g_assert_cmpuint(n_before, ==, source->frames->len);
}

/* Opus is decoded at 48 kHz, whatever was encoded. */
static void
test_says_the_rate_of_opus(void)
{
    static const uint8_t rate[] = {0xb5, 0x88, 0x40, 0xe7, 0x70, 0, 0, 0, 0, 0};
    g_autoptr(RtpSource) source =
        rtp_source_new("audiotestsrc num-buffers=50 samplesperbuffer=960 ! " SAMPLE_OPUS);
    g_autoptr(TrackOutcome) outcome = track_outcome_record(&opus, source, 0);
    g_autoptr(GByteArray) bytes = track_outcome_part_bytes(outcome, 0);

    g_assert_nonnull(memmem(bytes->data, bytes->len, rate, sizeof rate));
}

static void
test_says_where_a_part_begins(void)
{
    g_autoptr(RtpSource) source = rtp_source_new("videotestsrc num-buffers=60 ! " SAMPLE_VP8);
    g_autoptr(TrackOutcome) outcome = track_outcome_record(&vp8, source, 5 * SECOND_US);
    const uint8_t *packet = rtp_source_packet(source, 0, &(size_t){0});
    const uint32_t rtp_timestamp = (uint32_t) packet[4] << 24 | (uint32_t) packet[5] << 16 |
                                   (uint32_t) packet[6] << 8 | packet[7];

    g_assert_cmpstr(outcome->parts->str, ==, "0@5000000;");
    g_assert_cmpuint(outcome->first_rtp_timestamp, ==, rtp_timestamp);
    g_assert_cmpint(segment_at(outcome, 0)->start_us, ==, 5 * SECOND_US);
    g_assert_cmpint(ABS(segment_at(outcome, 0)->duration_us - 2 * SECOND_US), <=, 10);
}

/* Which packets start a second of pictures. */
static unsigned
packet_after(const RtpSource *source, int64_t time_us)
{
    unsigned i = 0;

    while (i < source->packets->len && g_array_index(source->times_us, int64_t, i) < time_us)
        i++;
    return i;
}

static void
test_tells_what_came_before_a_keyframe(const void *data)
{
    const WholeCase *given = data;
    g_autoptr(RtpSource) source = rtp_source_new(given->description);
    g_autoptr(TrackOutcome) outcome = track_outcome_new();
    g_autoptr(MediaTrack) track = track_outcome_start_track(outcome, given->format);
    const unsigned from = packet_after(source, SECOND_US / 2);
    const int64_t from_us = g_array_index(source->times_us, int64_t, from);
    g_autofree char *gap =
        g_strdup_printf("%d+%d no-keyframe;", (int) from_us, (int) (SECOND_US - from_us));

    track_outcome_push(track, source, from, source->packets->len, 0);
    media_track_finish(track);

    g_assert_cmpstr(outcome->gaps->str, ==, gap);
    g_assert_cmpstr(outcome->parts->str, ==, "0@1000000;");
    g_assert_cmpuint(outcome->n_keyframe_requests, >=, 1);
    g_autoptr(GByteArray) bytes = track_outcome_part_bytes(outcome, 0);
    g_autoptr(GPtrArray) tracks = rtp_source_demux(bytes->data, bytes->len);
    rtp_source_check_frames(source, tracks->pdata[0], 30, source->frames->len - 30, 0);
}

static void
test_never_gives_out_video_without_keyframe(void)
{
    g_autoptr(RtpSource) source = rtp_source_new("videotestsrc num-buffers=29 ! " SAMPLE_VP8);
    g_autoptr(TrackOutcome) outcome = track_outcome_new();
    g_autoptr(MediaTrack) track = track_outcome_start_track(outcome, &vp8);

    track_outcome_push(track, source, packet_after(source, 1), source->packets->len, 0);
    media_track_finish(track);

    g_assert_cmpuint(outcome->segments->len, ==, 0);
    g_assert_cmpstr(outcome->parts->str, ==, "");
    g_assert_cmpstr(outcome->gaps->str, ==, "33333+900000 no-keyframe;");
    /* At 0 s and half a second later. */
    g_assert_cmpuint(outcome->n_keyframe_requests, ==, 2);
    g_assert_cmpint(media_track_end_us(track), ==, -1);
}

static void
test_new_size_starts_new_part(const void *data)
{
    const WholeCase *given = data;
    g_autoptr(RtpSource) small = rtp_source_new(given->description);
    const bool is_vp8 = given->format->codec == MEDIA_CODEC_VP8;
    g_autoptr(RtpSource) large =
        rtp_source_new(is_vp8 ? "videotestsrc num-buffers=45 ! " SAMPLE_VP8_SIZED(640, 480)
                              : "videotestsrc num-buffers=45 ! " SAMPLE_H264_SIZED(640, 480));
    g_autoptr(TrackOutcome) outcome = track_outcome_new();
    g_autoptr(MediaTrack) track = track_outcome_start_track(outcome, given->format);

    track_outcome_push(track, small, 0, small->packets->len, 0);
    track_outcome_push(track, large, 0, large->packets->len, 5 * SECOND_US);
    media_track_finish(track);

    track_outcome_check_sequence(outcome);
    g_assert_cmpstr(outcome->parts->str, ==, "0@0;1@5000000;");
    g_assert_cmpstr(outcome->gaps->str, ==, "");
    for (uint32_t part = 0; part < 2; part++) {
        const RtpSource *source = part == 0 ? small : large;
        g_autoptr(GByteArray) bytes = track_outcome_part_bytes(outcome, part);
        g_autoptr(GPtrArray) tracks = rtp_source_demux(bytes->data, bytes->len);

        rtp_source_check_frames(source, tracks->pdata[0], 0, source->frames->len,
                                (int64_t) part * 5 * SECOND_US);
    }
}

/* The encoder's first packet is shorter than the others by its delay. */
static int64_t
sound_end_us(const RtpSource *source)
{
    return g_array_index(source->times_us, int64_t, source->times_us->len - 1) + 20000;
}

static void
test_restart_starts_new_part(void)
{
    g_autoptr(RtpSource) source =
        rtp_source_new("audiotestsrc num-buffers=100 samplesperbuffer=960 ! " SAMPLE_OPUS);
    g_autoptr(TrackOutcome) outcome = track_outcome_new();
    g_autoptr(MediaTrack) track = track_outcome_start_track(outcome, &opus);

    track_outcome_push(track, source, 0, source->packets->len, 0);
    media_track_restart(track);
    track_outcome_push(track, source, 0, source->packets->len, 10 * SECOND_US);
    media_track_restart(track);
    media_track_finish(track);

    track_outcome_check_sequence(outcome);
    g_assert_cmpuint(outcome->segments->len, ==, 2);
    g_assert_cmpstr(outcome->parts->str, ==, "0@0;1@10000000;");
    g_assert_cmpint(segment_at(outcome, 0)->duration_us, ==, sound_end_us(source));
    g_assert_cmpint(segment_at(outcome, 1)->start_us, ==, 10 * SECOND_US);
    g_assert_cmpint(media_track_end_us(track), ==, 10 * SECOND_US + sound_end_us(source));
}

/* A source that pauses: nothing is cut while it is silent, the first frame after it starts a
 * segment, and what lies between belongs to the segment before. */
static void
test_pause_ends_segment(void)
{
    g_autoptr(RtpSource) source =
        rtp_source_new("audiotestsrc num-buffers=100 samplesperbuffer=960 ! " SAMPLE_OPUS);
    g_autoptr(TrackOutcome) outcome = track_outcome_new();
    g_autoptr(MediaTrack) track = track_outcome_start_track(outcome, &opus);

    const int64_t resumed_us = g_array_index(source->times_us, int64_t, 50) + 60 * SECOND_US;

    track_outcome_push(track, source, 0, 50, 0);
    g_assert_cmpuint(outcome->segments->len, ==, 0);
    track_outcome_push(track, source, 50, source->packets->len, 60 * SECOND_US);
    g_assert_cmpuint(outcome->segments->len, ==, 1);
    media_track_finish(track);

    track_outcome_check_sequence(outcome);
    g_assert_cmpuint(outcome->segments->len, ==, 2);
    g_assert_cmpint(segment_at(outcome, 0)->duration_us, ==, resumed_us);
    g_assert_cmpint(segment_at(outcome, 1)->start_us, ==, resumed_us);
    g_assert_cmpint(media_track_end_us(track), ==, 60 * SECOND_US + sound_end_us(source));
}

#define RARE_KEYFRAMES                                                                             \
    "videotestsrc num-buffers=300 ! " SAMPLE_SIZE(                                                 \
        320, 240) "vp8enc deadline=1 cpu-used=8 keyframe-max-dist=100000 target-bitrate=300000 ! " \
                  "rtpvp8pay"

static void
test_asks_for_overdue_keyframe(void)
{
    g_autoptr(RtpSource) source = rtp_source_new(RARE_KEYFRAMES);
    g_autoptr(TrackOutcome) outcome = track_outcome_record(&vp8, source, 0);

    track_outcome_check_sequence(outcome);
    g_assert_cmpuint(outcome->segments->len, ==, 2);
    g_assert_true(segment_at(outcome, 0)->starts_at_keyframe);
    g_assert_false(segment_at(outcome, 1)->starts_at_keyframe);
    g_assert_cmpint(segment_at(outcome, 1)->start_us, ==, 8 * SECOND_US);
    /* Twice a second from 4 s to 8 s; none came, so on it goes once 4 s have passed in the next. */
    g_assert_cmpuint(outcome->n_keyframe_requests, >=, 8);
    g_assert_cmpuint(outcome->n_keyframe_requests, <=, 13);
}

static void
test_large_segment_is_cut(void)
{
    g_autoptr(RtpSource) source =
        rtp_source_new("videotestsrc pattern=snow num-buffers=16 ! " SAMPLE_SIZE(
            1280,
            720) "vp8enc deadline=1 cpu-used=16 threads=2 keyframe-max-dist=1000 min-quantizer=0 "
                 "max-quantizer=4 target-bitrate=200000000 ! rtpvp8pay mtu=1400");
    g_autoptr(TrackOutcome) outcome = track_outcome_record(&vp8, source, 0);

    track_outcome_check_sequence(outcome);
    g_assert_cmpuint(outcome->segments->len, >=, 2);
    for (guint i = 0; i < outcome->segments->len; i++)
        g_assert_cmpuint(segment_at(outcome, i)->n_bytes, <=, 6 * 1024 * 1024 + 1000);
    g_autoptr(GByteArray) bytes = track_outcome_part_bytes(outcome, 0);
    g_autoptr(GPtrArray) tracks = rtp_source_demux(bytes->data, bytes->len);
    rtp_source_check_frames(source, tracks->pdata[0], 0, source->frames->len, 0);
}

/* Senders need not set it: the last frame then comes out at the end only. */
static void
test_finish_drains_without_marker(void)
{
    g_autoptr(RtpSource) source = rtp_source_new("videotestsrc num-buffers=60 ! " SAMPLE_H264);

    for (guint i = 0; i < source->packets->len; i++)
        ((uint8_t *) rtp_source_packet(source, i, &(size_t){0}))[1] &= 0x7f;
    g_autoptr(TrackOutcome) outcome = track_outcome_record(&h264, source, 0);

    g_autoptr(GByteArray) bytes = track_outcome_part_bytes(outcome, 0);
    g_autoptr(GPtrArray) tracks = rtp_source_demux(bytes->data, bytes->len);
    rtp_source_check_frames(source, tracks->pdata[0], 0, source->frames->len, 0);
}

static void
test_free_drops_what_is_open(void)
{
    g_autoptr(RtpSource) source = rtp_source_new("videotestsrc num-buffers=30 ! " SAMPLE_VP8);
    g_autoptr(TrackOutcome) outcome = track_outcome_new();
    MediaTrack *track = track_outcome_start_track(outcome, &vp8);

    track_outcome_push(track, source, 0, source->packets->len - 1, 0);
    media_track_free(track);

    g_assert_cmpuint(outcome->segments->len, ==, 0);
}

static const WholeCase whole_vp8 = {&vp8, "videotestsrc num-buffers=300 ! " SAMPLE_VP8, 0, 3};
static const WholeCase whole_vp8_late = {&vp8, "videotestsrc num-buffers=300 ! " SAMPLE_VP8,
                                         INT64_C(86400) * 1000000 + 123456, 3};
static const WholeCase whole_vp9 = {&vp9, "videotestsrc num-buffers=150 ! " SAMPLE_VP9, 7777777, 2};
static const WholeCase whole_h264 = {&h264, "videotestsrc num-buffers=300 ! " SAMPLE_H264, 7777777,
                                     3};
static const WholeCase whole_opus = {
    &opus, "audiotestsrc num-buffers=500 samplesperbuffer=960 ! " SAMPLE_OPUS, 7777777, 3};

int
main(int argc, char **argv)
{
    static const struct {
        const char *codec;
        const WholeCase *given;
    } whole[] = {
        {"vp8",          &whole_vp8     },
        {"vp8-a-day-in", &whole_vp8_late},
        {"vp9",          &whole_vp9     },
        {"h264",         &whole_h264    },
        {"opus",         &whole_opus    }
    };
    g_autoptr(GError) error = NULL;

    g_test_init(&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
    rtp_source_start();
    if (!media_start(&error))
        g_error("%s", error->message);
    for (size_t i = 0; i < G_N_ELEMENTS(whole); i++) {
        g_autofree char *all = g_strconcat("/media-track/keeps-every-frame/", whole[i].codec, NULL);
        g_autofree char *one =
            g_strconcat("/media-track/later-segment-plays-alone/", whole[i].codec, NULL);

        g_test_add_data_func(all, whole[i].given, test_keeps_every_frame);
        g_test_add_data_func(one, whole[i].given, test_later_segment_plays_alone);
    }
    g_test_add_func("/media-track/keeps-frames-of-short-fragments",
                    test_keeps_frames_of_short_fragments);
    g_test_add_func("/media-track/says-the-rate-of-opus", test_says_the_rate_of_opus);
    g_test_add_func("/media-track/says-where-a-part-begins", test_says_where_a_part_begins);
    g_test_add_data_func("/media-track/tells-what-came-before-a-keyframe/vp8", &whole_vp8,
                         test_tells_what_came_before_a_keyframe);
    g_test_add_data_func("/media-track/tells-what-came-before-a-keyframe/vp9", &whole_vp9,
                         test_tells_what_came_before_a_keyframe);
    g_test_add_data_func("/media-track/tells-what-came-before-a-keyframe/h264", &whole_h264,
                         test_tells_what_came_before_a_keyframe);
    g_test_add_func("/media-track/never-gives-out-video-without-keyframe",
                    test_never_gives_out_video_without_keyframe);
    g_test_add_data_func("/media-track/new-size-starts-new-part/vp8", &whole_vp8,
                         test_new_size_starts_new_part);
    g_test_add_data_func("/media-track/new-size-starts-new-part/h264", &whole_h264,
                         test_new_size_starts_new_part);
    g_test_add_func("/media-track/restart-starts-new-part", test_restart_starts_new_part);
    g_test_add_func("/media-track/pause-ends-segment", test_pause_ends_segment);
    g_test_add_func("/media-track/asks-for-overdue-keyframe", test_asks_for_overdue_keyframe);
    g_test_add_func("/media-track/large-segment-is-cut", test_large_segment_is_cut);
    g_test_add_func("/media-track/finish-drains-without-marker", test_finish_drains_without_marker);
    g_test_add_func("/media-track/free-drops-what-is-open", test_free_drops_what_is_open);
    return g_test_run();
}
