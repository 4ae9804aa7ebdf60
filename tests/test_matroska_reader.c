#include "agent/media/matroska_reader.h"
#include "tests/fakes/media_samples.h"
#include "tests/fakes/track_outcome.h"

#include <gio/gio.h>
#include <string.h>

/* Gives the segments of `outcome`, or else `bytes`. */
typedef struct {
    const TrackOutcome *outcome;
    guint next;
    const uint8_t *bytes; /* NULL once given */
    size_t n_bytes;
} Input;

static bool
read_next(void *user_data, PlainBuffer *segment, GError **error)
{
    Input *self = user_data;

    if (self->outcome != NULL) {
        if (self->next == self->outcome->segments->len)
            return false;
        track_outcome_read_segment(self->outcome, self->next++, segment);
        return true;
    }
    if (self->bytes == NULL)
        return false;
    plain_buffer_clear(segment);
    /* No room behind it, where a step too far would go unseen. */
    *segment = (PlainBuffer){g_memdup2(self->bytes, self->n_bytes), self->n_bytes, self->n_bytes};
    self->bytes = NULL;
    return true;
}

typedef struct {
    MediaFormat format;
    const char *description;
    const char *codec_id;
    unsigned width;
    unsigned height;
} SampleCase;

#define FEW "videotestsrc num-buffers=3 ! "
#define X264(size, options)                                                                        \
    FEW size "x264enc speed-preset=ultrafast tune=zerolatency " options                            \
             " ! rtph264pay config-interval=-1"

#define SMALL_X264 X264(SAMPLE_SIZE(322, 182), "")
#define LARGE_X264 X264(SAMPLE_SIZE(1920, 1080), "dct8x8=true")
#define LACED_X264 X264(SAMPLE_SIZE(720, 486), "interlaced=true option-string=cqm=jvt")

static const SampleCase opus = {SAMPLE_OPUS_FORMAT, "audiotestsrc num-buffers=3 ! " SAMPLE_OPUS,
                                "A_OPUS", 0, 0};
static const SampleCase vp8 = {SAMPLE_VP8_FORMAT, FEW SAMPLE_VP8_SIZED(322, 182), "V_VP8", 322,
                               182};
static const SampleCase vp9 = {SAMPLE_VP9_FORMAT, FEW SAMPLE_VP9, "V_VP9", 320, 240};
static const SampleCase h264 = {SAMPLE_H264_FORMAT, SMALL_X264, "V_MPEG4/ISO/AVC", 322, 182};
static const SampleCase h264_large = {SAMPLE_H264_FORMAT, LARGE_X264, "V_MPEG4/ISO/AVC", 1920,
                                      1080};
static const SampleCase h264_laced = {SAMPLE_H264_FORMAT, LACED_X264, "V_MPEG4/ISO/AVC", 720, 486};

static void
test_reads_what_was_recorded(const void *data)
{
    const SampleCase *given = data;
    g_autoptr(RtpSource) source = rtp_source_new(given->description);
    g_autoptr(TrackOutcome) outcome = track_outcome_record(&given->format, source, 1234000);
    Input input = {.outcome = outcome};
    g_autoptr(GError) error = NULL;
    g_autoptr(MatroskaReader) reader = matroska_reader_new(read_next, &input, &error);
    MatroskaFrame frame;
    guint n_frames = 0;

    g_assert_no_error(error);
    g_assert_cmpstr(matroska_reader_track(reader)->codec_id, ==, given->codec_id);
    g_assert_cmpuint(matroska_reader_track(reader)->width, ==, given->width);
    g_assert_cmpuint(matroska_reader_track(reader)->height, ==, given->height);
    while (matroska_reader_next(reader, &frame, &error)) {
        const RtpSourceFrame *sent =
            &g_array_index(source->frames, RtpSourceFrame, MIN(n_frames, source->frames->len - 1));

        g_assert_cmpint(frame.is_keyframe, ==, given->width == 0 || n_frames == 0);
        g_assert_cmpint(ABS(frame.time_us - sent->time_us - 1234000), <=, 501);
        n_frames++;
    }
    g_assert_no_error(error);
    g_assert_cmpuint(n_frames, ==, source->frames->len);
}

/* Returns: whether all could be read. */
static bool
read_all(const uint8_t *bytes, size_t n_bytes, GError **error)
{
    g_autofree uint8_t *copy = g_memdup2(bytes, n_bytes);
    Input input = {.bytes = copy, .n_bytes = n_bytes};
    g_autoptr(MatroskaReader) reader = matroska_reader_new(read_next, &input, error);
    MatroskaFrame frame;

    while (reader != NULL && matroska_reader_next(reader, &frame, error))
        ;
    return *error == NULL;
}

static void
test_refuses_what_is_cut_off(void)
{
    g_autoptr(RtpSource) source = rtp_source_new(opus.description);
    g_autoptr(TrackOutcome) outcome = track_outcome_record(&opus.format, source, 0);
    g_autoptr(GByteArray) bytes = track_outcome_segment_bytes(outcome, 0);
    guint n_read = 0;

    for (size_t n = 0; n < bytes->len; n++) {
        g_autoptr(GError) error = NULL;

        if (read_all(bytes->data, n, &error)) {
            n_read++;
        } else {
            g_assert_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA);
        }
    }
    /* Between two elements a cut can not be seen: whoever signed the segment knows its length. */
    g_assert_cmpuint(n_read, <=, 24);
}

static void
test_survives_flipped_bytes(void)
{
    g_autoptr(RtpSource) source = rtp_source_new(opus.description);
    g_autoptr(TrackOutcome) outcome = track_outcome_record(&opus.format, source, 0);
    g_autoptr(GByteArray) bytes = track_outcome_segment_bytes(outcome, 0);

    for (size_t i = 0; i < bytes->len; i++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            g_autoptr(GError) error = NULL;

            bytes->data[i] ^= (uint8_t) (1U << bit);
            (void) read_all(bytes->data, bytes->len, &error);
            bytes->data[i] ^= (uint8_t) (1U << bit);
        }
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
    g_test_add_data_func("/matroska-reader/reads/opus", &opus, test_reads_what_was_recorded);
    g_test_add_data_func("/matroska-reader/reads/vp8", &vp8, test_reads_what_was_recorded);
    g_test_add_data_func("/matroska-reader/reads/vp9", &vp9, test_reads_what_was_recorded);
    g_test_add_data_func("/matroska-reader/reads/h264", &h264, test_reads_what_was_recorded);
    g_test_add_data_func("/matroska-reader/reads/h264-large", &h264_large,
                         test_reads_what_was_recorded);
    g_test_add_data_func("/matroska-reader/reads/h264-interlaced", &h264_laced,
                         test_reads_what_was_recorded);
    g_test_add_func("/matroska-reader/refuses-what-is-cut-off", test_refuses_what_is_cut_off);
    g_test_add_func("/matroska-reader/survives-flipped-bytes", test_survives_flipped_bytes);
    return g_test_run();
}
