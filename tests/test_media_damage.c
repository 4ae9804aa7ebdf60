/* Lost, broken and hostile packets through a MediaTrack. */
#include "agent/media/media_track.h"
#include "tests/fakes/effort.h"
#include "tests/fakes/media_samples.h"
#include "tests/fakes/track_outcome.h"

#include <string.h>

#define SECOND_US INT64_C(1000000)

typedef struct {
    MediaFormat format;
    const char *description;
} DamageCase;

static const DamageCase cases[] = {
    {SAMPLE_VP8_FORMAT,  "videotestsrc num-buffers=90 ! " SAMPLE_VP8 },
    {SAMPLE_VP9_FORMAT,  "videotestsrc num-buffers=90 ! " SAMPLE_VP9 },
    {SAMPLE_H264_FORMAT, "videotestsrc num-buffers=90 ! " SAMPLE_H264},
 /* Several slices in each picture, several packets in each slice. */
    {SAMPLE_H264_FORMAT,
     "videotestsrc num-buffers=90 ! " SAMPLE_SIZE(
         320,                                                          240) "x264enc speed-preset=ultrafast key-int-max=30 bitrate=600 byte-stream=false "
              "bframes=0 rc-lookahead=0 sync-lookahead=0 option-string=slices=4:sliced-threads=0 ! "
              "video/x-h264,profile=constrained-baseline ! rtph264pay mtu=300 config-interval=-1"},
    {SAMPLE_OPUS_FORMAT,                  "audiotestsrc num-buffers=90 samplesperbuffer=960 ! " SAMPLE_OPUS                                            },
};

/* Pushes all packets but those of `is_lost`, one at a time. */
static TrackOutcome *
record_with_loss(const DamageCase *given, const RtpSource *source, const bool *is_lost)
{
    TrackOutcome *outcome = track_outcome_new();
    g_autoptr(MediaTrack) track = track_outcome_start_track(outcome, &given->format);
    bool follows_loss = false;

    for (guint i = 0; i < source->packets->len; i++) {
        MediaPacket packet = track_outcome_packet(source, i, 0);

        packet.follows_loss = follows_loss;
        follows_loss = is_lost[i];
        if (!is_lost[i])
            media_track_push(track, &packet, 1);
    }
    media_track_finish(track);
    return outcome;
}

static const RtpSourceFrame *
frame_at(const GArray *frames, int64_t time_us)
{
    for (guint i = 0; i < frames->len; i++) {
        const RtpSourceFrame *frame = &g_array_index(frames, RtpSourceFrame, i);

        if (ABS(frame->time_us - time_us) <= 501)
            return frame;
    }
    return NULL;
}

/* Everything that came out is whole; what is missing was hit by loss, or came before the first
 * keyframe. */
static void
check_loss(const TrackOutcome *outcome, const RtpSource *source, const bool *is_lost)
{
    g_autoptr(GHashTable) hit = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
    int64_t first_us = INT64_MAX;
    guint n_got = 0;

    for (guint i = 0; i < source->packets->len; i++) {
        if (is_lost[i])
            g_hash_table_add(hit, g_memdup2(&g_array_index(source->times_us, int64_t, i), 8));
    }
    track_outcome_check_sequence(outcome);
    if (outcome->segments->len > 0)
        first_us = ((Segment *) outcome->segments->pdata[0])->start_us;
    g_autoptr(GByteArray) bytes = track_outcome_part_bytes(outcome, 0);
    g_autoptr(GPtrArray) tracks = rtp_source_demux(bytes->data, bytes->len);
    for (guint i = 0; i < source->frames->len; i++) {
        const RtpSourceFrame *sent = &g_array_index(source->frames, RtpSourceFrame, i);
        const RtpSourceFrame *got = frame_at(tracks->pdata[0], sent->time_us);

        if (got != NULL) {
            g_assert_cmpuint(got->hash, ==, sent->hash);
            n_got++;
        } else if (sent->time_us >= first_us) {
            g_assert_true(g_hash_table_contains(hit, &sent->time_us));
        }
    }
    g_assert_cmpuint(n_got, ==, ((GArray *) tracks->pdata[0])->len);
}

static void
test_one_lost_packet_costs_its_frame(const void *data)
{
    const DamageCase *given = data;
    g_autoptr(RtpSource) source = rtp_source_new(given->description);
    const guint n_packets = source->packets->len;
    const guint step = MAX(n_packets / 60, 1);

    for (guint lost = 0; lost < n_packets; lost += step) {
        g_autofree bool *is_lost = g_new0(bool, n_packets);

        is_lost[lost] = true;
        g_autoptr(TrackOutcome) outcome = record_with_loss(given, source, is_lost);
        check_loss(outcome, source, is_lost);
        if (lost > n_packets / 2 && lost + 1 < n_packets) {
            g_assert_true(((Segment *) outcome->segments->pdata[0])->is_damaged);
            if (media_codec_is_video(given->format.codec))
                g_assert_cmpuint(outcome->n_keyframe_requests, >=, 1);
        }
    }
}

static void
test_random_loss_leaves_no_hole(const void *data)
{
    const DamageCase *given = data;
    g_autoptr(RtpSource) source = rtp_source_new(given->description);
    const guint n_packets = source->packets->len;

    for (guint round = 0; round < 25; round += effort_step(3)) {
        g_autofree bool *is_lost = g_new0(bool, n_packets);
        guint burst = 0;

        for (guint i = 10; i < n_packets; i++) {
            if (burst == 0 && g_test_rand_int_range(0, 100) < (int) (1 + round))
                burst = (guint) g_test_rand_int_range(1, 5);
            is_lost[i] = burst > 0;
            burst -= MIN(burst, 1);
        }
        g_autoptr(TrackOutcome) outcome = record_with_loss(given, source, is_lost);
        if (outcome->segments->len > 0)
            check_loss(outcome, source, is_lost);
    }
}

static void
write_header(uint8_t *packet, guint sequence, guint timestamp, bool has_marker)
{
    const uint8_t header[12] = {0x80,
                                (uint8_t) (96 | (has_marker ? 0x80 : 0)),
                                (uint8_t) (sequence >> 8),
                                (uint8_t) sequence,
                                (uint8_t) (timestamp >> 24),
                                (uint8_t) (timestamp >> 16),
                                (uint8_t) (timestamp >> 8),
                                (uint8_t) timestamp,
                                1,
                                2,
                                3,
                                4};

    memcpy(packet, header, sizeof(header));
}

/* After whatever happened, a good stream is recorded whole in the last part. */
static void
check_recovers(MediaTrack *track, TrackOutcome *outcome, const RtpSource *source, int64_t offset_us)
{
    media_track_restart(track);
    const guint n_before = outcome->segments->len;

    track_outcome_push(track, source, 0, source->packets->len, offset_us);
    media_track_finish(track);
    g_assert_cmpuint(outcome->segments->len, >, n_before);
    const Segment *last = outcome->segments->pdata[outcome->segments->len - 1];
    g_autoptr(GByteArray) bytes = track_outcome_part_bytes(outcome, last->part);
    g_autoptr(GPtrArray) tracks = rtp_source_demux(bytes->data, bytes->len);
    rtp_source_check_frames(source, tracks->pdata[0], 0, source->frames->len, offset_us);
}

static void
test_random_bytes_do_no_harm(const void *data)
{
    const DamageCase *given = data;
    g_autoptr(RtpSource) source = rtp_source_new(given->description);
    g_autoptr(TrackOutcome) outcome = track_outcome_new();
    g_autoptr(MediaTrack) track = track_outcome_start_track(outcome, &given->format);
    const guint n_packets = 20000 / effort_step(4);
    uint8_t bytes[1500];

    for (guint i = 0; i < n_packets; i++) {
        const guint n_bytes = (guint) g_test_rand_int_range(12, i % 2 ? 40 : 1200);
        MediaPacket packet = {bytes, n_bytes, (int64_t) i / 3 * 33333, i % 7 == 0};

        for (guint j = 12; j < n_bytes; j++)
            bytes[j] = (uint8_t) g_test_rand_int();
        write_header(bytes, i, i / 3 * 3000, i % 3 == 2);
        media_track_push(track, &packet, 1);
    }
    check_recovers(track, outcome, source, 10000 * SECOND_US);
    track_outcome_check_sequence(outcome);
    const Segment *last = outcome->segments->pdata[outcome->segments->len - 1];
    g_assert_cmpuint(last->part, <=, 8 + n_packets / 64 + 8);
}

/* Every packet of a real stream, at every length up to 60 and a few more. */
static void
test_truncated_packets_do_no_harm(const void *data)
{
    const DamageCase *given = data;
    g_autoptr(RtpSource) source = rtp_source_new(given->description);
    g_autoptr(TrackOutcome) outcome = track_outcome_new();
    g_autoptr(MediaTrack) track = track_outcome_start_track(outcome, &given->format);
    guint sequence = 0;

    track_outcome_push(track, source, 0, MIN(60, source->packets->len), 0);
    for (guint i = 0; i < MIN(60, source->packets->len); i += effort_step(3)) {
        MediaPacket packet = track_outcome_packet(source, i, SECOND_US);
        const size_t n_whole = packet.n_bytes;

        for (size_t n_bytes = 0; n_bytes < MIN(n_whole, 72); n_bytes++) {
            g_autofree uint8_t *bytes = g_memdup2(packet.bytes, n_bytes);

            if (n_bytes >= 4) {
                bytes[2] = (uint8_t) (sequence >> 8);
                bytes[3] = (uint8_t) sequence;
            }
            sequence++;
            packet.bytes = bytes;
            packet.n_bytes = n_bytes;
            media_track_push(track, &packet, 1);
            packet.bytes = rtp_source_packet(source, i, &packet.n_bytes);
        }
    }
    check_recovers(track, outcome, source, 100 * SECOND_US);
    track_outcome_check_sequence(outcome);
}

static void
test_flipped_bytes_do_no_harm(const void *data)
{
    const DamageCase *given = data;
    g_autoptr(RtpSource) source = rtp_source_new(given->description);
    g_autoptr(TrackOutcome) outcome = track_outcome_new();
    g_autoptr(MediaTrack) track = track_outcome_start_track(outcome, &given->format);

    for (guint round = 0; round < 20; round += effort_step(4)) {
        media_track_restart(track);
        for (guint i = 0; i < source->packets->len; i++) {
            MediaPacket packet = track_outcome_packet(source, i, (int64_t) round * 10 * SECOND_US);
            g_autofree uint8_t *bytes = g_memdup2(packet.bytes, packet.n_bytes);

            if (packet.n_bytes > 12 && g_test_rand_int_range(0, 4) == 0) {
                bytes[g_test_rand_int_range(12, (gint32) MIN(packet.n_bytes, 40))] ^=
                    (uint8_t) (1 << g_test_rand_int_range(0, 8));
            }
            packet.bytes = bytes;
            media_track_push(track, &packet, 1);
        }
    }
    check_recovers(track, outcome, source, 1000 * SECOND_US);
    track_outcome_check_sequence(outcome);
}

static void
test_frame_without_end_is_dropped(void)
{
    const DamageCase *given = &cases[0];
    g_autoptr(RtpSource) source = rtp_source_new(given->description);
    g_autoptr(TrackOutcome) outcome = track_outcome_new();
    g_autoptr(MediaTrack) track = track_outcome_start_track(outcome, &given->format);
    uint8_t bytes[1200] = {0};

    track_outcome_push(track, source, 0, source->packets->len, 0);
    for (guint i = 0; i < 20000; i++) {
        MediaPacket packet = {bytes, sizeof(bytes), 4 * SECOND_US, false};

        write_header(bytes, i, 360000, false);
        bytes[12] = i == 0 ? 0x10 : 0; /* VP8: S on the first */
        media_track_push(track, &packet, 1);
    }
    check_recovers(track, outcome, source, 10 * SECOND_US);
    track_outcome_check_sequence(outcome);
}

/* One byte in sequence behind the start of a fragmented unit: rtph264depay 1.22 would take its
 * length for 4 GiB. */
static void
test_fragment_without_content_is_refused(void)
{
    const DamageCase *given = &cases[2];
    static const uint8_t start[] = {0x7c, 0x85, 0x88, 0x84, 0x00, 0x10};
    g_autoptr(RtpSource) source = rtp_source_new(given->description);
    g_autoptr(TrackOutcome) outcome = track_outcome_new();
    g_autoptr(MediaTrack) track = track_outcome_start_track(outcome, &given->format);
    uint8_t bytes[64] = {0};

    track_outcome_push(track, source, 0, source->packets->len, 0);
    media_track_restart(track);
    for (guint n_bytes = 1; n_bytes <= 3; n_bytes++) {
        MediaPacket packet = {bytes, 12 + sizeof(start), 4 * SECOND_US, false};

        write_header(bytes, 2 * n_bytes, 360000, false);
        memcpy(bytes + 12, start, sizeof(start));
        media_track_push(track, &packet, 1);
        packet.n_bytes = 12 + n_bytes;
        write_header(bytes, 2 * n_bytes + 1, 360000, true);
        memcpy(bytes + 12, "\x7c\x05\x00", 3);
        media_track_push(track, &packet, 1);
    }
    g_assert_cmpuint(media_track_count_unreadable(track), ==, 1);
    check_recovers(track, outcome, source, 10 * SECOND_US);
}

/* What can not be read is missing as if it were lost: it is told, and a keyframe asked for. */
static void
test_malformed_packet_is_counted(void)
{
    const DamageCase *given = &cases[0];
    g_autoptr(RtpSource) source = rtp_source_new(given->description);
    g_autoptr(TrackOutcome) outcome = track_outcome_new();
    g_autoptr(MediaTrack) track = track_outcome_start_track(outcome, &given->format);
    const guint half = source->packets->len / 2;
    MediaPacket packet = track_outcome_packet(source, half, 0);

    track_outcome_push(track, source, 0, half, 0);
    const guint n_requests = outcome->n_keyframe_requests;
    const guint n_segments = outcome->segments->len;
    packet.n_bytes = 13;
    media_track_push(track, &packet, 1);
    g_assert_cmpuint(outcome->n_keyframe_requests, ==, n_requests + 1);
    track_outcome_push(track, source, half + 1, source->packets->len, 0);
    media_track_finish(track);

    g_assert_cmpuint(media_track_count_unreadable(track), ==, 1);
    g_assert_true(((Segment *) outcome->segments->pdata[n_segments])->is_damaged);
}

static void
add_tests(const char *name, GTestDataFunc function)
{
    static const char *const names[] = {"vp8", "vp9", "h264", "h264-slices", "opus"};

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *path = g_strdup_printf("/media-damage/%s/%s", name, names[i]);

        g_test_add_data_func(path, &cases[i], function);
    }
}

int
main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;

    g_test_init(&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
    rtp_source_start();
    if (!media_start(&error))
        g_error("%s", error->message);
    add_tests("one-lost-packet-costs-its-frame", test_one_lost_packet_costs_its_frame);
    add_tests("random-loss-leaves-no-hole", test_random_loss_leaves_no_hole);
    add_tests("random-bytes-do-no-harm", test_random_bytes_do_no_harm);
    add_tests("truncated-packets-do-no-harm", test_truncated_packets_do_no_harm);
    add_tests("flipped-bytes-do-no-harm", test_flipped_bytes_do_no_harm);
    g_test_add_func("/media-damage/fragment-without-content-is-refused",
                    test_fragment_without_content_is_refused);
    g_test_add_func("/media-damage/malformed-packet-is-counted", test_malformed_packet_is_counted);
    g_test_add_func("/media-damage/frame-without-end-is-dropped",
                    test_frame_without_end_is_dropped);
    return g_test_run();
}
