#include "agent/media/exporter.h"
#include "tests/fakes/export_fixture.h"
#include "tests/fakes/media_samples.h"
#include "tests/fakes/track_outcome.h"

#include <fcntl.h>
#include <gio/gio.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

static const MediaFormat vp8 = SAMPLE_VP8_FORMAT;
static const MediaFormat h264 = SAMPLE_H264_FORMAT;
static const MediaFormat opus = SAMPLE_OPUS_FORMAT;

static void
test_names_what_mp4_can_not_hold(void)
{
    g_autoptr(RtpSource) pictures = rtp_source_new("videotestsrc num-buffers=30 ! " SAMPLE_VP8);
    g_autoptr(TrackOutcome) video = track_outcome_record(&vp8, pictures, 0);
    ExportReader reader = {.outcome = video};
    g_autoptr(GArray) inputs = export_fixture_new_inputs();
    g_autoptr(GError) error = NULL;

    export_fixture_add(inputs, "p1-video", "vp8", &reader);
    g_assert_null(export_fixture_run(inputs, (ExporterOptions){.container = EXPORTER_MP4}, &error));
    g_assert_error(error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED);
    g_assert_cmpstr(error->message, ==,
                    "MP4 can not hold VP8, which track p1-video is in: export to Matroska (.mkv) "
                    "instead");
}

typedef struct {
    const TrackOutcome *video;
    const TrackOutcome *audio;
    guint fail_at;
    int fd;
    ExporterContainer container;
} TwoTracks;

static bool
export_two(const TwoTracks *given, GError **error)
{
    ExportReader readers[] = {
        {.outcome = given->video, .fail_at = given->fail_at},
        {.outcome = given->audio                      }
    };
    g_autoptr(GArray) inputs = export_fixture_new_inputs();
    const ExporterOptions options = {
        .container = given->container, .until_us = INT64_MAX, .fd = given->fd};

    export_fixture_add(inputs, "p1-video", "h264", &readers[0]);
    export_fixture_add(inputs, "p1-audio", "opus", &readers[1]);
    return exporter_run(inputs, &options, error);
}

/* The other track must not wait for the one that failed. */
static void
test_gives_back_the_fault(void)
{
    g_autoptr(RtpSource) pictures = rtp_source_new("videotestsrc num-buffers=300 ! " SAMPLE_H264);
    g_autoptr(RtpSource) sound =
        rtp_source_new("audiotestsrc num-buffers=600 samplesperbuffer=960 ! " SAMPLE_OPUS);
    g_autoptr(TrackOutcome) video = track_outcome_record(&h264, pictures, 0);
    g_autoptr(TrackOutcome) audio = track_outcome_record(&opus, sound, 0);
    TwoTracks given = {.video = video, .audio = audio};
    int ends[2];

    for (int container = EXPORTER_MATROSKA; container <= EXPORTER_MP4; container++) {
        g_autoptr(GError) forged = NULL;
        g_autoptr(GError) full = NULL;

        given.container = (ExporterContainer) container;
        given.fd = memfd_create("export", 0);
        given.fail_at = 2;
        g_assert_false(export_two(&given, &forged));
        g_assert_error(forged, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED);
        g_assert_cmpstr(forged->message, ==, "track p1-video: segment 2 is forged");
        given.fail_at = 0;
        close(given.fd);

        given.fd = open("/dev/full", O_WRONLY);
        g_assert_false(export_two(&given, &full));
        if (container == EXPORTER_MP4) {
            g_assert_error(full, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED);
        } else {
            g_assert_error(full, G_IO_ERROR, G_IO_ERROR_NO_SPACE);
        }
        close(given.fd);
    }
    g_assert_cmpint(pipe2(ends, O_CLOEXEC), ==, 0);
    g_autoptr(GError) closed = NULL;
    close(ends[0]);
    given.container = EXPORTER_MATROSKA;
    given.fd = ends[1];
    g_assert_false(export_two(&given, &closed));
    g_assert_error(closed, G_IO_ERROR, G_IO_ERROR_BROKEN_PIPE);
    close(ends[1]);
}

static void *
read_all(void *user_data)
{
    const int fd = GPOINTER_TO_INT(user_data);
    GByteArray *bytes = g_byte_array_new();
    uint8_t chunk[4096];
    ssize_t n = 0;

    while ((n = read(fd, chunk, sizeof(chunk))) > 0)
        g_byte_array_append(bytes, chunk, (guint) n);
    close(fd);
    return bytes;
}

static void
test_writes_matroska_into_a_pipe(void)
{
    g_autoptr(RtpSource) pictures = rtp_source_new("videotestsrc num-buffers=90 ! " SAMPLE_H264);
    g_autoptr(RtpSource) sound =
        rtp_source_new("audiotestsrc num-buffers=150 samplesperbuffer=960 ! " SAMPLE_OPUS);
    g_autoptr(TrackOutcome) video = track_outcome_record(&h264, pictures, 0);
    g_autoptr(TrackOutcome) audio = track_outcome_record(&opus, sound, 0);
    TwoTracks given = {.video = video, .audio = audio};
    g_autoptr(GError) error = NULL;
    int ends[2];

    g_assert_cmpint(pipe2(ends, O_CLOEXEC), ==, 0);
    GThread *reader = g_thread_new("read", read_all, GINT_TO_POINTER(ends[0]));
    given.fd = ends[1];
    g_assert_true(export_two(&given, &error));
    g_assert_no_error(error);
    close(ends[1]);
    g_autoptr(GByteArray) file = g_thread_join(reader);

    g_autoptr(GPtrArray) tracks = rtp_source_demux(file->data, file->len);
    rtp_source_check_frames(pictures, tracks->pdata[0], 0, 90, 0);
    rtp_source_check_frames(sound, tracks->pdata[1], 0, sound->frames->len, 0);
    const int n_decoded = rtp_source_count_decoded(file->data, file->len, "v:0");
    if (n_decoded >= 0)
        g_assert_cmpint(n_decoded, ==, 90);
}

static bool
read_garbage(void *user_data, PlainBuffer *segment, GError **error)
{
    static guint n_calls;
    const guint n_bytes = 1 + n_calls++ % 4;

    plain_buffer_resize(segment, (size_t) 1000 * n_bytes);
    for (guint i = 0; i < 1000; i++)
        memcpy(segment->bytes + (size_t) i * n_bytes, "\x1a\x45\xdf\xa3", n_bytes);
    return true;
}

static void
test_refuses_what_is_no_segment(void)
{
    for (int i = 0; i < 4; i++) {
        g_autoptr(GArray) inputs = export_fixture_new_inputs();
        const ExporterInput input = {"p1-video", "vp8", read_garbage, NULL};
        g_autoptr(GError) error = NULL;

        g_array_append_val(inputs, input);
        g_assert_null(export_fixture_run(inputs, (ExporterOptions){0}, &error));
        g_assert_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA);
    }
}

int
main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;

    (void) signal(SIGPIPE, SIG_IGN); /* can not fail */
    g_test_init(&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
    rtp_source_start();
    if (!media_start(&error))
        g_error("%s", error->message);
    g_test_add_func("/exporter-faults/names-what-mp4-can-not-hold",
                    test_names_what_mp4_can_not_hold);
    g_test_add_func("/exporter-faults/gives-back-the-fault", test_gives_back_the_fault);
    g_test_add_func("/exporter-faults/writes-matroska-into-a-pipe",
                    test_writes_matroska_into_a_pipe);
    g_test_add_func("/exporter-faults/refuses-what-is-no-segment", test_refuses_what_is_no_segment);
    return g_test_run();
}
