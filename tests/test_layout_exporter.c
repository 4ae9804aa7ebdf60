#include "agent/media/layout_exporter.h"
#include "tests/fakes/export_fixture.h"
#include "tests/fakes/media_samples.h"
#include "tests/fakes/rtp_packets.h"
#include "tests/fakes/track_outcome.h"

#include <fcntl.h>
#include <gio/gio.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#define SECOND_US INT64_C(1000000)
#define UNTIL_US  (3 * SECOND_US)

static const MediaFormat vp8 = SAMPLE_VP8_FORMAT;
static const MediaFormat vp9 = SAMPLE_VP9_FORMAT;
static const MediaFormat h264 = SAMPLE_H264_FORMAT;
static const MediaFormat opus = SAMPLE_OPUS_FORMAT;

/* One track of one participant, without gaps unless the test adds some. */
typedef struct {
    GArray *tracks; /* LayoutTrack */
    GArray *inputs;
    GArray *gaps;
    ExportReader readers[16];
    guint n_readers;
} Visit;

static Visit *
visit_new(void)
{
    Visit *self = g_new0(Visit, 1);

    self->tracks = g_array_new(FALSE, FALSE, sizeof(LayoutTrack));
    self->inputs = export_fixture_new_inputs();
    self->gaps = g_array_new(FALSE, FALSE, sizeof(LayoutGap));
    return self;
}

static void
visit_free(Visit *self)
{
    g_array_unref(self->tracks);
    g_array_unref(self->inputs);
    g_array_unref(self->gaps);
    g_free(self);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Visit, visit_free)

static void
add_track(Visit *self, const char *id, const char *codec, const TrackOutcome *outcome,
          unsigned n_parts)
{
    const LayoutTrack track = {
        .id = id,
        .participant = "p1",
        .caption = "Provider",
        .gaps = self->gaps,
        .until_us = UNTIL_US,
        .is_video = g_str_has_suffix(id, "video"),
    };

    g_array_append_val(self->tracks, track);
    for (unsigned part = 0; part < n_parts; part++) {
        ExportReader *reader = &self->readers[self->n_readers++];

        *reader = (ExportReader){.outcome = outcome, .part = part};
        export_fixture_add(self->inputs, id, codec, reader);
    }
}

static LayoutOptions
options_of(const Visit *self, LayoutKind kind, int fd)
{
    for (guint i = 0; i < self->n_readers; i++)
        ((ExportReader *) &self->readers[i])->next = 0;
    return (LayoutOptions){
        .kind = kind,
        .tracks = self->tracks,
        .inputs = self->inputs,
        .until_us = UNTIL_US,
        .fd = fd,
    };
}

/* Returns: the file; NULL with `error`. */
static GByteArray *
lay_out(const Visit *self, LayoutKind kind, GError **error)
{
    const int fd = memfd_create("layout", MFD_CLOEXEC);
    const LayoutOptions options = options_of(self, kind, fd);
    GByteArray *file = NULL;

    g_assert_cmpint(fd, >=, 0);
    if (layout_exporter_run(&options, error)) {
        const off_t n_bytes = lseek(fd, 0, SEEK_END);

        file = g_byte_array_sized_new((guint) n_bytes);
        g_byte_array_set_size(file, (guint) n_bytes);
        g_assert_cmpint(pread(fd, file->data, file->len, 0), ==, n_bytes);
    }
    close(fd);
    return file;
}

/* `n_streams`, all of `UNTIL_US` and without a fault that ffprobe finds. */
static void
check_whole(const GByteArray *file, unsigned n_video, unsigned n_audio)
{
    for (unsigned i = 0; i < n_video; i++) {
        g_autofree char *which = g_strdup_printf("v:%u", i);
        const int n_frames = rtp_source_count_decoded(file->data, file->len, which);

        if (n_frames >= 0)
            g_assert_cmpint(n_frames, ==, 30 * UNTIL_US / SECOND_US);
    }
    for (unsigned i = 0; i < n_audio; i++) {
        g_autofree char *which = g_strdup_printf("a:%u", i);
        const int n_frames = rtp_source_count_decoded(file->data, file->len, which);

        if (n_frames >= 0)
            g_assert_cmpint(ABS(n_frames - 48 * UNTIL_US / 1000 / 1024), <=, 1);
    }
}

/* Flips bytes behind the payloads' own headers: what a hostile sender may send, and the recorder
 * takes as it is. */
static void
damage(RtpSource *source, GRand *chance)
{
    for (guint i = 0; i < source->packets->len; i++) {
        gsize n_bytes = 0;
        uint8_t *bytes = NULL;

        if (g_rand_int_range(chance, 0, 4) != 0)
            continue;
        bytes = g_bytes_unref_to_data(source->packets->pdata[i], &n_bytes);
        for (unsigned flip = 0; flip < 8 && n_bytes > 24; flip++) {
            bytes[g_rand_int_range(chance, 20, (gint32) n_bytes)] ^=
                (uint8_t) (1 << g_rand_int_range(chance, 0, 8));
        }
        source->packets->pdata[i] = g_bytes_new_take(bytes, n_bytes);
    }
}

typedef struct {
    const MediaFormat *format;
    const char *codec;
    const char *description;
} DamageCase;

static const DamageCase damaged_vp8 = {&vp8, "vp8", "videotestsrc num-buffers=90 ! " SAMPLE_VP8};
static const DamageCase damaged_vp9 = {&vp9, "vp9", "videotestsrc num-buffers=90 ! " SAMPLE_VP9};
static const DamageCase damaged_h264 = {&h264, "h264",
                                        "videotestsrc num-buffers=90 ! " SAMPLE_H264};

static void
test_goes_on_past_damaged_pictures(const void *data)
{
    const DamageCase *given = data;

    for (guint32 seed = 1; seed <= 2; seed++) {
        g_autoptr(RtpSource) pictures = rtp_source_new(given->description);
        g_autoptr(GRand) chance = g_rand_new_with_seed(seed);
        g_autoptr(Visit) visit = visit_new();
        g_autoptr(GError) error = NULL;

        damage(pictures, chance);
        g_autoptr(TrackOutcome) video = track_outcome_record(given->format, pictures, 0);
        add_track(visit, "p1-video", given->codec, video, 8);

        g_autoptr(GByteArray) file = lay_out(visit, LAYOUT_GRID, &error);
        g_assert_no_error(error);
        check_whole(file, 1, 0);
    }
}

static void
test_goes_on_past_damaged_sound(void)
{
    g_autoptr(RtpSource) sound =
        rtp_source_new("audiotestsrc num-buffers=150 samplesperbuffer=960 ! " SAMPLE_OPUS);
    g_autoptr(GRand) chance = g_rand_new_with_seed(7);
    g_autoptr(Visit) visit = visit_new();
    g_autoptr(GError) error = NULL;

    damage(sound, chance);
    g_autoptr(TrackOutcome) audio = track_outcome_record(&opus, sound, 0);
    add_track(visit, "p1-audio", "opus", audio, 1);

    g_autoptr(GByteArray) file = lay_out(visit, LAYOUT_TRACKS, &error);
    g_assert_no_error(error);
    check_whole(file, 0, 1);
}

static void
test_takes_every_size_and_part(void)
{
    g_autoptr(RtpSource) pictures = rtp_source_new("videotestsrc num-buffers=30 ! " SAMPLE_H264);
    g_autoptr(RtpSource) upright =
        rtp_source_new("videotestsrc num-buffers=30 ! " SAMPLE_H264_SIZED(240, 320));
    g_autoptr(RtpSource) odd =
        rtp_source_new("videotestsrc num-buffers=30 ! " SAMPLE_H264_SIZED(642, 482));
    g_autoptr(RtpSource) sound =
        rtp_source_new("audiotestsrc num-buffers=150 samplesperbuffer=960 ! " SAMPLE_OPUS);
    g_autoptr(Visit) visit = visit_new();
    g_autoptr(GError) error = NULL;

    rtp_packets_append(pictures, upright, 1 * SECOND_US);
    rtp_packets_append(pictures, odd, 2 * SECOND_US);
    g_autoptr(TrackOutcome) video = track_outcome_record(&h264, pictures, 0);
    g_autoptr(TrackOutcome) audio = track_outcome_record(&opus, sound, SECOND_US / 2);
    add_track(visit, "p1-video", "h264", video, 3);
    add_track(visit, "p1-audio", "opus", audio, 1);

    for (int kind = LAYOUT_GRID; kind <= LAYOUT_TRACKS; kind++) {
        g_autoptr(GByteArray) file = lay_out(visit, (LayoutKind) kind, &error);

        g_assert_no_error(error);
        check_whole(file, 1, 1);
    }
}

/* Nothing of them was recorded, and the manifest says why. */
static void
test_shows_tracks_without_media(void)
{
    const LayoutGap gap = {0, UNTIL_US, "paused-consent-missing"};
    g_autoptr(Visit) visit = visit_new();
    g_autoptr(GError) error = NULL;

    g_array_append_val(visit->gaps, gap);
    add_track(visit, "p1-video", "vp8", NULL, 0);
    add_track(visit, "p1-audio", "opus", NULL, 0);

    for (int kind = LAYOUT_GRID; kind <= LAYOUT_TRACKS; kind++) {
        g_autoptr(GByteArray) file = lay_out(visit, (LayoutKind) kind, &error);

        g_assert_no_error(error);
        check_whole(file, 1, 1);
    }
}

static void
test_same_recording_gives_same_file(void)
{
    g_autoptr(RtpSource) pictures = rtp_source_new("videotestsrc num-buffers=60 ! " SAMPLE_VP8);
    g_autoptr(TrackOutcome) video = track_outcome_record(&vp8, pictures, 0);
    g_autoptr(Visit) visit = visit_new();
    g_autoptr(GError) error = NULL;

    add_track(visit, "p1-video", "vp8", video, 1);
    g_autoptr(GByteArray) one = lay_out(visit, LAYOUT_SPEAKER, &error);
    g_assert_no_error(error);
    g_usleep(1100000); /* a second is what the file would tell */
    g_autoptr(GByteArray) other = lay_out(visit, LAYOUT_SPEAKER, &error);
    g_assert_no_error(error);

    g_assert_cmpmem(one->data, one->len, other->data, other->len);
}

static void
test_gives_back_the_fault(void)
{
    g_autoptr(RtpSource) pictures = rtp_source_new("videotestsrc num-buffers=300 ! " SAMPLE_VP8);
    g_autoptr(TrackOutcome) video = track_outcome_record(&vp8, pictures, 0);
    g_autoptr(Visit) visit = visit_new();
    g_autoptr(GError) forged = NULL;
    g_autoptr(GError) no_file = NULL;
    int ends[2];

    add_track(visit, "p1-video", "vp8", video, 1);
    visit->readers[0].fail_at = 1;
    LayoutOptions options = options_of(visit, LAYOUT_GRID, memfd_create("layout", MFD_CLOEXEC));
    options.until_us = 10 * SECOND_US;
    g_assert_false(layout_exporter_run(&options, &forged));
    close(options.fd);
    g_assert_error(forged, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED);
    g_assert_cmpstr(forged->message, ==, "track p1-video: segment 1 is forged");

    g_assert_cmpint(pipe2(ends, O_CLOEXEC), ==, 0);
    options.fd = ends[1];
    g_assert_false(layout_exporter_run(&options, &no_file));
    g_assert_error(no_file, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED);
    close(ends[0]);
    close(ends[1]);
}

static void
test_says_that_the_disk_is_full(void)
{
    const struct rlimit small = {65536, RLIM_INFINITY};
    const struct rlimit none = {RLIM_INFINITY, RLIM_INFINITY};
    g_autofree char *path = g_build_filename(g_get_tmp_dir(), "layout-XXXXXX", NULL);
    const int fd = g_mkstemp_full(path, O_RDWR, 0600);
    g_autoptr(RtpSource) pictures = rtp_source_new("videotestsrc num-buffers=60 ! " SAMPLE_VP8);
    g_autoptr(TrackOutcome) video = track_outcome_record(&vp8, pictures, 0);
    g_autoptr(Visit) visit = visit_new();
    g_autoptr(GError) error = NULL;

    add_track(visit, "p1-video", "vp8", video, 1);
    (void) signal(SIGXFSZ, SIG_IGN); /* so that writing fails */
    g_assert_cmpint(setrlimit(RLIMIT_FSIZE, &small), ==, 0);
    const LayoutOptions options = options_of(visit, LAYOUT_GRID, fd);
    g_assert_false(layout_exporter_run(&options, &error));
    g_assert_cmpint(setrlimit(RLIMIT_FSIZE, &none), ==, 0);

    g_assert_nonnull(error);
    g_assert_true(g_str_has_prefix(error->message, "cannot write the exported file"));
    close(fd);
    unlink(path);
}

static unsigned
count_threads(void)
{
    g_autoptr(GDir) tasks = g_dir_open("/proc/self/task", 0, NULL);
    unsigned n_threads = 0;

    while (g_dir_read_name(tasks) != NULL)
        n_threads++;
    return n_threads;
}

/* With no patience at all, the first call that is seen has lasted too long. */
static void
test_gives_up_what_hangs(void)
{
    g_autoptr(RtpSource) pictures = rtp_source_new("videotestsrc num-buffers=300 ! " SAMPLE_VP8);
    g_autoptr(TrackOutcome) video = track_outcome_record(&vp8, pictures, 0);
    g_autoptr(Visit) visit = visit_new();
    g_autoptr(GError) error = NULL;
    const unsigned n_threads = count_threads();
    const int fd = memfd_create("layout", MFD_CLOEXEC);

    add_track(visit, "p1-video", "vp8", video, 1);
    LayoutOptions options = options_of(visit, LAYOUT_GRID, fd);
    options.stall_us = 1;
    options.until_us = 600 * SECOND_US;
    g_assert_false(layout_exporter_run(&options, &error));

    g_assert_error(error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
    g_assert_true(g_str_has_suffix(error->message, "leave that track out with --tracks"));
    close(fd);
    while (count_threads() > n_threads) /* it was not really stuck, so it ends */
        g_usleep(10000);
}

int
main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;

    g_test_init(&argc, &argv, NULL);
    rtp_source_start();
    g_assert_true(media_start(&error));
    g_assert_true(media_start_layouts(&error));
    g_test_add_data_func("/layout_exporter/goes-on-past-damaged-vp8", &damaged_vp8,
                         test_goes_on_past_damaged_pictures);
    g_test_add_data_func("/layout_exporter/goes-on-past-damaged-vp9", &damaged_vp9,
                         test_goes_on_past_damaged_pictures);
    g_test_add_data_func("/layout_exporter/goes-on-past-damaged-h264", &damaged_h264,
                         test_goes_on_past_damaged_pictures);
    g_test_add_func("/layout_exporter/goes-on-past-damaged-sound", test_goes_on_past_damaged_sound);
    g_test_add_func("/layout_exporter/takes-every-size-and-part", test_takes_every_size_and_part);
    g_test_add_func("/layout_exporter/shows-tracks-without-media", test_shows_tracks_without_media);
    g_test_add_func("/layout_exporter/same-recording-gives-same-file",
                    test_same_recording_gives_same_file);
    g_test_add_func("/layout_exporter/gives-back-the-fault", test_gives_back_the_fault);
    g_test_add_func("/layout_exporter/says-that-the-disk-is-full", test_says_that_the_disk_is_full);
    g_test_add_func("/layout_exporter/gives-up-what-hangs", test_gives_up_what_hangs);
    return g_test_run();
}
