#include "agent/media/exporter.h"
#include "tests/fakes/export_fixture.h"
#include "tests/fakes/media_samples.h"
#include "tests/fakes/track_outcome.h"

#include <unistd.h>

#define SECOND_US INT64_C(1000000)

static const MediaFormat vp8 = SAMPLE_VP8_FORMAT;
static const MediaFormat vp9 = SAMPLE_VP9_FORMAT;
static const MediaFormat h264 = SAMPLE_H264_FORMAT;
static const MediaFormat opus = SAMPLE_OPUS_FORMAT;

typedef struct {
    ExporterContainer container;
    const MediaFormat *video;
    const char *codec;
    const char *description;
} PairCase;

static void
test_keeps_tracks_in_step(const void *data)
{
    const PairCase *given = data;
    /* An MP4 file begins at its first frame. */
    const int64_t start_us = given->container == EXPORTER_MP4 ? 1 * SECOND_US : 0;
    g_autoptr(RtpSource) pictures = rtp_source_new(given->description);
    g_autoptr(RtpSource) sound =
        rtp_source_new("audiotestsrc num-buffers=300 samplesperbuffer=960 ! " SAMPLE_OPUS);
    g_autoptr(TrackOutcome) video = track_outcome_record(given->video, pictures, 3 * SECOND_US);
    g_autoptr(TrackOutcome) audio = track_outcome_record(&opus, sound, 1 * SECOND_US);
    ExportReader readers[] = {{.outcome = video}, {.outcome = audio}};
    g_autoptr(GArray) inputs = export_fixture_new_inputs();
    g_autoptr(GError) error = NULL;

    export_fixture_add(inputs, "p1-video", given->codec, &readers[0]);
    export_fixture_add(inputs, "p1-audio", "opus", &readers[1]);
    g_autoptr(GByteArray) file =
        export_fixture_run(inputs, (ExporterOptions){.container = given->container}, &error);
    g_assert_no_error(error);

    g_autoptr(GPtrArray) tracks = rtp_source_demux(file->data, file->len);
    g_assert_cmpuint(tracks->len, ==, 2);
    rtp_source_check_frames(pictures, tracks->pdata[0], 0, pictures->frames->len,
                            3 * SECOND_US - start_us);
    rtp_source_check_frames(sound, tracks->pdata[1], 0, sound->frames->len,
                            1 * SECOND_US - start_us);
    const int n_decoded = rtp_source_count_decoded(file->data, file->len, "v:0");
    if (n_decoded >= 0)
        g_assert_cmpint(n_decoded, ==, pictures->frames->len);
}

static const PairCase vp8_mkv = {EXPORTER_MATROSKA, &vp8, "vp8",
                                 "videotestsrc num-buffers=200 ! " SAMPLE_VP8};
static const PairCase vp9_mkv = {EXPORTER_MATROSKA, &vp9, "vp9",
                                 "videotestsrc num-buffers=60 ! " SAMPLE_VP9};
static const PairCase h264_mkv = {EXPORTER_MATROSKA, &h264, "h264",
                                  "videotestsrc num-buffers=200 ! " SAMPLE_H264};
static const PairCase h264_mp4 = {EXPORTER_MP4, &h264, "h264",
                                  "videotestsrc num-buffers=200 ! " SAMPLE_H264};
static const PairCase vp9_mp4 = {EXPORTER_MP4, &vp9, "vp9",
                                 "videotestsrc num-buffers=60 ! " SAMPLE_VP9};

/* A part ends and the next begins: a restart (equal settings) and, in VP8, another size. */
static void
test_joins_parts_of_a_track(void)
{
    g_autoptr(RtpSource) small = rtp_source_new("videotestsrc num-buffers=60 ! " SAMPLE_VP8);
    g_autoptr(RtpSource) large =
        rtp_source_new("videotestsrc num-buffers=60 ! " SAMPLE_VP8_SIZED(640, 480));
    g_autoptr(TrackOutcome) outcome = track_outcome_new();
    g_autoptr(MediaTrack) track = track_outcome_start_track(outcome, &vp8);
    g_autoptr(GArray) inputs = export_fixture_new_inputs();
    g_autoptr(GError) error = NULL;
    ExportReader readers[] = {
        {outcome, 0, 0, 0},
        {outcome, 1, 0, 0},
        {outcome, 2, 0, 0}
    };

    track_outcome_push(track, small, 0, small->packets->len, 0);
    media_track_restart(track);
    track_outcome_push(track, small, 0, small->packets->len, 10 * SECOND_US);
    track_outcome_push(track, large, 0, large->packets->len, 20 * SECOND_US);
    media_track_finish(track);
    for (size_t i = 0; i < G_N_ELEMENTS(readers); i++)
        export_fixture_add(inputs, "p1-video", "vp8", &readers[i]);
    g_autoptr(GByteArray) file = export_fixture_run(inputs, (ExporterOptions){0}, &error);
    g_assert_no_error(error);

    g_autoptr(GPtrArray) tracks = rtp_source_demux(file->data, file->len);
    g_assert_cmpuint(tracks->len, ==, 1);
    GArray *frames = tracks->pdata[0];
    g_assert_cmpuint(frames->len, ==, 180);
    g_assert_cmpint(g_array_index(frames, RtpSourceFrame, 60).time_us, ==, 10 * SECOND_US);
    g_assert_cmpint(g_array_index(frames, RtpSourceFrame, 120).time_us, ==, 20 * SECOND_US);
    const int n_decoded = rtp_source_count_decoded(file->data, file->len, "v:0");
    if (n_decoded >= 0)
        g_assert_cmpint(n_decoded, ==, 180);
}

/* (qtdemux leaves tracks out that are shorter than a fifth of the file.) */
static void
test_other_settings_become_own_track(void)
{
    g_autoptr(RtpSource) small = rtp_source_new("videotestsrc num-buffers=30 ! " SAMPLE_H264);
    g_autoptr(RtpSource) large =
        rtp_source_new("videotestsrc num-buffers=30 ! " SAMPLE_H264_SIZED(640, 480));
    g_autoptr(TrackOutcome) outcome = track_outcome_new();
    g_autoptr(MediaTrack) track = track_outcome_start_track(outcome, &h264);
    g_autoptr(GArray) inputs = export_fixture_new_inputs();
    g_autoptr(GError) error = NULL;
    ExportReader readers[] = {
        {outcome, 0, 0, 0},
        {outcome, 1, 0, 0},
        {outcome, 2, 0, 0}
    };

    track_outcome_push(track, small, 0, small->packets->len, 0);
    track_outcome_push(track, large, 0, large->packets->len, 2 * SECOND_US);
    track_outcome_push(track, small, 0, small->packets->len, 4 * SECOND_US);
    media_track_finish(track);
    for (size_t i = 0; i < G_N_ELEMENTS(readers); i++)
        export_fixture_add(inputs, "p1-video", "h264", &readers[i]);
    for (int container = EXPORTER_MATROSKA; container <= EXPORTER_MP4; container++) {
        for (size_t i = 0; i < G_N_ELEMENTS(readers); i++)
            readers[i].next = 0;
        g_autoptr(GByteArray) file = export_fixture_run(
            inputs, (ExporterOptions){.container = (ExporterContainer) container}, &error);
        g_assert_no_error(error);

        g_autoptr(GPtrArray) tracks = rtp_source_demux(file->data, file->len);
        g_assert_cmpuint(tracks->len, ==, 2);
        g_assert_cmpuint(((GArray *) tracks->pdata[0])->len, ==, 60);
        rtp_source_check_frames(large, tracks->pdata[1], 0, 30, 2 * SECOND_US);
        g_assert_cmpint(g_array_index((GArray *) tracks->pdata[0], RtpSourceFrame, 30).time_us, ==,
                        4 * SECOND_US);
    }
}

typedef struct {
    int64_t from_us;
    int64_t until_us;
    guint first_frame; /* of video, which starts 1 s into the session with a keyframe each second */
    guint n_frames;
    int64_t origin_us;
} RangeCase;

static const RangeCase ranges[] = {
    {0,                     INT64_MAX,             0,   300, 0             },
    {1 * SECOND_US,         INT64_MAX,             0,   300, 1 * SECOND_US },
 /* Video starts at the keyframe before, and sound with it. */
    {INT64_C(4500) * 1000,  INT64_MAX,             90,  210, 4 * SECOND_US },
    {5 * SECOND_US,         8 * SECOND_US,         120, 90,  5 * SECOND_US },
    {5 * SECOND_US + 1,     8 * SECOND_US + 20000, 120, 91,  5 * SECOND_US },
    {INT64_C(4999) * 1000,  5 * SECOND_US,         90,  30,  4 * SECOND_US },
    {INT64_C(10900) * 1000, INT64_MAX,             270, 30,  10 * SECOND_US},
};

static void
test_cuts_to_range(void)
{
    g_autoptr(RtpSource) pictures = rtp_source_new("videotestsrc num-buffers=300 ! " SAMPLE_VP8);
    g_autoptr(RtpSource) sound =
        rtp_source_new("audiotestsrc num-buffers=600 samplesperbuffer=960 ! " SAMPLE_OPUS);
    g_autoptr(TrackOutcome) video = track_outcome_record(&vp8, pictures, 1 * SECOND_US);
    g_autoptr(TrackOutcome) audio = track_outcome_record(&opus, sound, 0);

    for (size_t i = 0; i < G_N_ELEMENTS(ranges); i++) {
        const RangeCase *given = &ranges[i];
        ExportReader readers[] = {{.outcome = video}, {.outcome = audio}};
        g_autoptr(GArray) inputs = export_fixture_new_inputs();
        g_autoptr(GError) error = NULL;
        const ExporterOptions options = {.from_us = given->from_us, .until_us = given->until_us};
        guint n_sounds = 0;

        export_fixture_add(inputs, "p1-video", "vp8", &readers[0]);
        export_fixture_add(inputs, "p1-audio", "opus", &readers[1]);
        g_autoptr(GByteArray) file = export_fixture_run(inputs, options, &error);
        g_assert_no_error(error);

        g_autoptr(GPtrArray) tracks = rtp_source_demux(file->data, file->len);
        rtp_source_check_frames(pictures, tracks->pdata[0], given->first_frame, given->n_frames,
                                1 * SECOND_US - given->origin_us);
        for (guint j = 0; j < sound->frames->len; j++) {
            const int64_t time_us = g_array_index(sound->frames, RtpSourceFrame, j).time_us;

            n_sounds += time_us + 500 >= given->origin_us && time_us < given->until_us - 500;
        }
        g_assert_cmpuint(((GArray *) tracks->pdata[1])->len, ==, n_sounds);
    }
}

/* Returns: what ffprobe says of the file, NULL if there is none here. */
static char *
probe(const char *path, const char *where, const char *entries)
{
    const char *argv[] = {
        "ffprobe",         "-v",  "error", "-select_streams", "v:0",   "-of", "csv=p=0",
        "-read_intervals", where, path,    "-show_entries",   entries, NULL};
    g_autofree char *complaints = NULL;
    char *out = NULL;

    if (!g_spawn_sync(NULL, (char **) argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &out,
                      &complaints, NULL, NULL))
        return NULL;
    g_assert_cmpstr(complaints, ==, "");
    return g_strchomp(out);
}

/* A player that jumps to a time lands on the keyframe before it, and knows how long it lasts. */
static void
test_another_reader_finds_its_way(const void *data)
{
    const ExporterContainer container = (ExporterContainer) GPOINTER_TO_INT(data);
    g_autoptr(RtpSource) pictures = rtp_source_new("videotestsrc num-buffers=300 ! " SAMPLE_VP8);
    g_autoptr(RtpSource) sound =
        rtp_source_new("audiotestsrc num-buffers=500 samplesperbuffer=960 ! " SAMPLE_OPUS);
    g_autoptr(TrackOutcome) video = track_outcome_record(&vp8, pictures, 0);
    g_autoptr(TrackOutcome) audio = track_outcome_record(&opus, sound, 0);
    ExportReader readers[] = {{.outcome = video}, {.outcome = audio}};
    g_autoptr(GArray) inputs = export_fixture_new_inputs();
    g_autoptr(GError) error = NULL;
    g_autofree char *path = g_build_filename(g_get_tmp_dir(), "seek-me", NULL);

    export_fixture_add(inputs, "p1-video", "vp8", &readers[0]);
    export_fixture_add(inputs, "p1-audio", "opus", &readers[1]);
    g_autoptr(GByteArray) file =
        export_fixture_run(inputs, (ExporterOptions){.container = container}, &error);
    g_assert_no_error(error);
    g_assert_true(g_file_set_contents(path, (const char *) file->data, file->len, &error));
    g_autofree char *duration = probe(path, "%+#1", "format=duration");
    g_autofree char *packet = probe(path, "6.7%+#1", "packet=pts_time,flags");
    unlink(path);

    if (duration == NULL)
        return;
    /* Ten seconds; the encoder gives a little more sound than it was given. */
    g_assert_cmpfloat_with_epsilon(g_ascii_strtod(duration, NULL), 10.01, 0.02);
    g_assert_true(g_str_has_prefix(packet, "6.000000,K"));
}

int
main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;

    g_test_init(&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
    rtp_source_start();
    if (!media_start(&error))
        g_error("%s", error->message);
    g_test_add_data_func("/exporter/keeps-tracks-in-step/vp8-matroska", &vp8_mkv,
                         test_keeps_tracks_in_step);
    g_test_add_data_func("/exporter/keeps-tracks-in-step/vp9-matroska", &vp9_mkv,
                         test_keeps_tracks_in_step);
    g_test_add_data_func("/exporter/keeps-tracks-in-step/h264-matroska", &h264_mkv,
                         test_keeps_tracks_in_step);
    g_test_add_data_func("/exporter/keeps-tracks-in-step/h264-mp4", &h264_mp4,
                         test_keeps_tracks_in_step);
    g_test_add_data_func("/exporter/keeps-tracks-in-step/vp9-mp4", &vp9_mp4,
                         test_keeps_tracks_in_step);
    g_test_add_func("/exporter/joins-parts-of-a-track", test_joins_parts_of_a_track);
    g_test_add_func("/exporter/other-settings-become-own-track",
                    test_other_settings_become_own_track);
    g_test_add_data_func("/exporter/another-reader-finds-its-way/matroska",
                         GINT_TO_POINTER(EXPORTER_MATROSKA), test_another_reader_finds_its_way);
    g_test_add_data_func("/exporter/another-reader-finds-its-way/webm",
                         GINT_TO_POINTER(EXPORTER_WEBM), test_another_reader_finds_its_way);
    g_test_add_func("/exporter/cuts-to-range", test_cuts_to_range);
    return g_test_run();
}
