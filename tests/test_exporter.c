#include "agent/media/exporter.h"
#include "tests/fakes/media_samples.h"
#include "tests/fakes/track_outcome.h"

#include <fcntl.h>
#include <gio/gio.h>
#include <string.h>
#include <unistd.h>

#define SECOND_US INT64_C(1000000)

static const MediaFormat vp8 = SAMPLE_VP8_FORMAT;
static const MediaFormat vp9 = SAMPLE_VP9_FORMAT;
static const MediaFormat h264 = SAMPLE_H264_FORMAT;
static const MediaFormat opus = SAMPLE_OPUS_FORMAT;

/* Gives the segments of one part, one after the other. */
typedef struct {
    const TrackOutcome *outcome;
    uint32_t part;
    guint next;
    guint fail_at; /* 0: never */
} Reader;

static GByteArray *
read_next(void *user_data, GError **error)
{
    Reader *self = user_data;

    while (self->next < self->outcome->segments->len) {
        const guint i = self->next++;

        if (((Segment *) self->outcome->segments->pdata[i])->part != self->part)
            continue;
        if (self->fail_at > 0 && i == self->fail_at) {
            g_set_error(error, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED, "segment %u is forged", i);
            return NULL;
        }
        return track_outcome_segment_bytes(self->outcome, i);
    }
    return NULL;
}

static void
add_input(GArray *inputs, const char *title, const char *codec, Reader *reader)
{
    const ExporterInput input = {title, codec, read_next, reader};

    g_array_append_val(inputs, input);
}

static GArray *
inputs_for_test(void)
{
    return g_array_new(FALSE, FALSE, sizeof(ExporterInput));
}

/* Exports into a file, and returns what is in it; NULL with `error`. */
static GByteArray *export(const GArray *inputs, ExporterOptions options, GError **error)
{
    g_autofree char *path = g_build_filename(g_get_tmp_dir(), "export-XXXXXX", NULL);
    char *content = NULL;
    gsize n_bytes = 0;
    bool is_good = false;

    options.fd = g_mkstemp_full(path, O_RDWR, 0600);
    g_assert_cmpint(options.fd, >=, 0);
    if (options.until_us == 0)
        options.until_us = INT64_MAX;
    is_good = exporter_run(inputs, &options, error);
    close(options.fd);
    g_assert_true(g_file_get_contents(path, &content, &n_bytes, NULL));
    unlink(path);
    if (!is_good) {
        g_free(content);
        return NULL;
    }
    return g_byte_array_new_take((guint8 *) content, n_bytes);
}

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
    Reader readers[] = {{.outcome = video}, {.outcome = audio}};
    g_autoptr(GArray) inputs = inputs_for_test();
    g_autoptr(GError) error = NULL;

    add_input(inputs, "p1-video", given->codec, &readers[0]);
    add_input(inputs, "p1-audio", "opus", &readers[1]);
    g_autoptr(GByteArray) file =
        export(inputs, (ExporterOptions){.container = given->container}, &error);
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
    return g_test_run();
}
