/* Streams that change while they run: what comes out is right before, at and after the change, and
 * no header says another size than its frames have. */
#include "agent/media/matroska_reader.h"
#include "tests/fakes/export_fixture.h"
#include "tests/fakes/media_samples.h"
#include "tests/fakes/rtp_packets.h"
#include "tests/fakes/track_outcome.h"

#include <gio/gio.h>
#include <string.h>

#define SECOND_US INT64_C(1000000)

static const MediaFormat opus_mono = {MEDIA_CODEC_OPUS, 96, 48000, 1};
static const MediaFormat opus_stereo = SAMPLE_OPUS_FORMAT;

typedef struct {
    MediaFormat format;
    const char *description; /* NULL: noise */
    const char *probed;      /* codec, rate and channels by ffprobe */
} SoundCase;

static const SoundCase sounds[] = {
    {{MEDIA_CODEC_PCMU, 0, 8000, 1},   NULL, "pcm_mulaw,8000,1"  },
    {{MEDIA_CODEC_PCMU, 0, 8000, 2},   NULL, "pcm_mulaw,8000,2"  },
    {{MEDIA_CODEC_PCMA, 8, 8000, 1},   NULL, "pcm_alaw,8000,1"   },
    {{MEDIA_CODEC_PCMA, 101, 8000, 2}, NULL, "pcm_alaw,8000,2"   },
    {{MEDIA_CODEC_G722, 9, 8000, 1},   NULL, "adpcm_g722,16000,1"},
};

static void
check_probed(const GByteArray *file, const SoundCase *given, const RtpSource *source)
{
    g_autofree char *probed =
        rtp_source_probe(file->data, file->len, "0", "stream=codec_name,sample_rate,channels");

    if (probed == NULL)
        return;
    g_assert_cmpstr(probed, ==, given->probed);
    g_assert_cmpint(rtp_source_count_decoded(file->data, file->len, "0"), ==, source->frames->len);
}

static GByteArray *
export_one(const TrackOutcome *outcome, ExporterContainer container, GError **error)
{
    ExportReader reader = {.outcome = outcome};
    g_autoptr(GArray) inputs = export_fixture_new_inputs();

    export_fixture_add(inputs, "p1-audio", "sound", &reader);
    return export_fixture_run(inputs, (ExporterOptions){.container = container}, error);
}

/* 10 s, recorded as it came, and exported so too. */
static void
test_keeps_plain_sound(const void *data)
{
    const SoundCase *given = data;
    g_autoptr(GError) error = NULL;
    g_autoptr(RtpSource) source = rtp_source_new_sound(500, (size_t) 160 * given->format.channels);
    g_autoptr(TrackOutcome) outcome = track_outcome_record(&given->format, source, 3 * SECOND_US);

    track_outcome_check_sequence(outcome);
    g_assert_cmpstr(outcome->parts->str, ==, "0@3000000;");
    g_assert_cmpstr(outcome->gaps->str, ==, "");
    g_assert_cmpuint(outcome->segments->len, ==, 3);
    g_assert_cmpint(((Segment *) outcome->segments->pdata[2])->start_us, ==, 11 * SECOND_US);
    g_assert_cmpint(((Segment *) outcome->segments->pdata[2])->duration_us, ==, 2 * SECOND_US);
    g_autoptr(GByteArray) part = track_outcome_part_bytes(outcome, 0);
    g_autoptr(GPtrArray) recorded = rtp_source_demux(part->data, part->len);
    rtp_source_check_frames(source, recorded->pdata[0], 0, 500, 3 * SECOND_US);
    check_probed(part, given, source);

    g_autoptr(GByteArray) file = export_one(outcome, EXPORTER_MATROSKA, &error);
    g_assert_no_error(error);
    g_autoptr(GPtrArray) exported = rtp_source_demux(file->data, file->len);
    rtp_source_check_frames(source, exported->pdata[0], 0, 500, 3 * SECOND_US);
    check_probed(file, given, source);

    g_assert_null(export_one(outcome, EXPORTER_MP4, &error));
    g_assert_error(error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED);
    g_assert_nonnull(strstr(error->message, "export to Matroska"));
}

static void
test_drops_half_a_sample(void)
{
    g_autoptr(RtpSource) whole = rtp_source_new_sound(100, 320);
    g_autoptr(RtpSource) odd = rtp_source_new_sound(1, 319);
    g_autoptr(TrackOutcome) outcome = track_outcome_new();
    g_autoptr(MediaTrack) track = track_outcome_start_track(outcome, &sounds[1].format);

    track_outcome_push(track, whole, 0, 50, 0);
    track_outcome_push(track, odd, 0, 1, SECOND_US);
    track_outcome_push(track, whole, 50, 100, SECOND_US / 50);
    media_track_finish(track);

    g_autoptr(GByteArray) part = track_outcome_part_bytes(outcome, 0);
    g_autoptr(GPtrArray) tracks = rtp_source_demux(part->data, part->len);
    g_assert_cmpuint(((GArray *) tracks->pdata[0])->len, ==, 100);
}

/* What is not sent while nobody speaks leaves a hole of its own length and no new part. */
static void
test_keeps_time_over_a_mute(const void *data)
{
    const SoundCase *given = data;
    g_autoptr(RtpSource) source =
        given->description != NULL
            ? rtp_source_new(given->description)
            : rtp_source_new_sound(500, (size_t) 160 * given->format.channels);
    g_autoptr(TrackOutcome) outcome = track_outcome_new();
    g_autoptr(MediaTrack) track = track_outcome_start_track(outcome, &given->format);

    track_outcome_push(track, source, 0, 100, 0);
    track_outcome_push(track, source, 300, 301, 0); /* one of comfort noise */
    track_outcome_push(track, source, 400, 500, 0);
    media_track_finish(track);

    track_outcome_check_sequence(outcome);
    g_assert_cmpstr(outcome->parts->str, ==, "0@0;");
    g_assert_cmpstr(outcome->gaps->str, ==, "");
    g_autoptr(GByteArray) part = track_outcome_part_bytes(outcome, 0);
    g_autoptr(GPtrArray) tracks = rtp_source_demux(part->data, part->len);
    const GArray *frames = tracks->pdata[0];
    g_assert_cmpuint(frames->len, ==, 201);
    for (guint i = 0; i < frames->len; i++) {
        const guint from = i < 100 ? i : i == 100 ? 300 : i + 299;
        const RtpSourceFrame *got = &g_array_index(frames, RtpSourceFrame, i);

        g_assert_cmpuint(got->hash, ==, g_array_index(source->frames, RtpSourceFrame, from).hash);
        g_assert_cmpint(ABS(got->time_us - g_array_index(source->times_us, int64_t, from)), <=,
                        501);
    }
}

static const SoundCase opus_talk = {
    SAMPLE_OPUS_FORMAT, "audiotestsrc num-buffers=500 samplesperbuffer=960 ! " SAMPLE_OPUS, NULL};

/* The header says as many channels as the track was told to have, in the export too. */
static void
test_says_channels_of_opus(const void *data)
{
    const MediaFormat *format = data;
    g_autoptr(GError) error = NULL;
    g_autofree char *description = g_strdup_printf(
        "audiotestsrc num-buffers=500 samplesperbuffer=960 ! audio/x-raw,rate=48000,channels=%u ! "
        "opusenc ! rtpopuspay",
        format->channels);
    const SoundCase given = {
        .format = *format,
        .probed = format->channels == 1 ? "opus,48000,1" : "opus,48000,2",
    };
    g_autoptr(RtpSource) source = rtp_source_new(description);
    g_autoptr(TrackOutcome) outcome = track_outcome_record(format, source, 0);
    g_autoptr(GByteArray) part = track_outcome_part_bytes(outcome, 0);

    check_probed(part, &given, source);
    for (int container = EXPORTER_MATROSKA; container <= EXPORTER_MP4; container++) {
        g_autoptr(GByteArray) file = export_one(outcome, (ExporterContainer) container, &error);

        g_assert_no_error(error);
        check_probed(file, &given, source);
    }
}

typedef struct {
    const char *name;
    MediaFormat format;
    const char *small;
    const char *large;
    bool has_no_markers;
    bool has_new_source; /* SSRC: the receiver tells the track to restart */
} SizeCase;

#define PICTURES "videotestsrc num-buffers=45 ! "
#define H264_OTHER_SETS                                                                            \
    SAMPLE_SIZE(640, 480)                                                                          \
    "x264enc tune=zerolatency speed-preset=ultrafast key-int-max=30 bitrate=300 "                  \
    "byte-stream=false option-string=sps-id=3 ! video/x-h264,profile=constrained-baseline ! "      \
    "rtph264pay mtu=600 config-interval=-1"

static const SizeCase sizes[] = {
    {"vp8",               SAMPLE_VP8_FORMAT,    PICTURES SAMPLE_VP8,  PICTURES SAMPLE_VP8_SIZED(640,  480),  false,
     false                                                                                                          },
    {"vp9",               SAMPLE_VP9_FORMAT,    PICTURES SAMPLE_VP9,  PICTURES SAMPLE_VP9_SIZED(640,  480),  false,
     false                                                                                                          },
    {"h264",              SAMPLE_H264_FORMAT,   PICTURES SAMPLE_H264, PICTURES SAMPLE_H264_SIZED(640, 480),  false,
     false                                                                                                          },
    {"h264-other-sets",   SAMPLE_H264_FORMAT,   PICTURES SAMPLE_H264, PICTURES H264_OTHER_SETS,       false,
     false                                                                                                        },
    {"h264-no-markers", SAMPLE_H264_FORMAT, PICTURES SAMPLE_H264,
     PICTURES SAMPLE_H264_SIZED(640,                                                            480),  true, false},
    {"vp8-other-source",  SAMPLE_VP8_FORMAT,  PICTURES SAMPLE_VP8,
     PICTURES SAMPLE_VP8_SIZED(640,                                                             480), false,  true},
    {"vp9-other-source",  SAMPLE_VP9_FORMAT,  PICTURES SAMPLE_VP9,
     PICTURES SAMPLE_VP9_SIZED(640,                                                             480), false,  true},
    {"h264-other-source", SAMPLE_H264_FORMAT, PICTURES SAMPLE_H264,
     PICTURES SAMPLE_H264_SIZED(640,                                                            480), false,  true},
};

static bool
next_segment(void *user_data, PlainBuffer *segment, GError **error)
{
    const GByteArray **bytes = user_data;

    if (*bytes == NULL)
        return false;
    plain_buffer_resize(segment, (*bytes)->len);
    memcpy(segment->bytes, (*bytes)->data, (*bytes)->len);
    *bytes = NULL;
    return true;
}

/* Every frame of `part` has the size its header says, which is `width`. */
static void
check_size(const TrackOutcome *outcome, uint32_t part, unsigned width)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GByteArray) bytes = track_outcome_part_bytes(outcome, part);
    g_autofree char *decoded = rtp_source_probe(bytes->data, bytes->len, "0", "frame=width");
    const GByteArray *once = bytes;
    unsigned n_frames = 0;
    g_autoptr(MatroskaReader) reader = matroska_reader_new(next_segment, &once, &error);

    g_assert_no_error(error);
    g_assert_cmpuint(matroska_reader_track(reader)->width, ==, width);
    if (decoded == NULL)
        return;
    g_auto(GStrv) lines = g_strsplit(decoded, "\n", -1);
    for (size_t i = 0; lines[i] != NULL; i++) {
        if (!g_ascii_isdigit(lines[i][0])) /* a message beside a frame */
            continue;
        g_assert_cmpuint((unsigned) g_ascii_strtoull(lines[i], NULL, 10), ==, width);
        n_frames++;
    }
    g_assert_cmpuint(n_frames, ==, 45);
}

static void
push_sizes(MediaTrack *track, const SizeCase *given, const RtpSource *all)
{
    for (guint i = 0; given->has_no_markers && i < all->packets->len; i++)
        ((uint8_t *) rtp_source_packet(all, i, &(size_t){0}))[1] &= 0x7f;
    for (guint from = 0; from < all->packets->len;) {
        const int64_t turn = g_array_index(all->times_us, int64_t, from) / (SECOND_US * 3 / 2);
        guint until = from;

        while (until < all->packets->len &&
               g_array_index(all->times_us, int64_t, until) / (SECOND_US * 3 / 2) == turn)
            until++;
        if (given->has_new_source && from > 0)
            media_track_restart(track);
        track_outcome_push(track, all, from, until, 0);
        from = until;
    }
    media_track_finish(track);
}

/* Small, large, small, each for 1.5 s, as a layer of simulcast is switched or a phone is turned. */
static void
test_new_size_starts_new_part(const void *data)
{
    const SizeCase *given = data;
    g_autoptr(RtpSource) all = rtp_source_new(given->small);
    g_autoptr(RtpSource) small = rtp_source_new(given->small);
    g_autoptr(RtpSource) large = rtp_source_new(given->large);
    g_autoptr(TrackOutcome) outcome = track_outcome_new();
    g_autoptr(MediaTrack) track = track_outcome_start_track(outcome, &given->format);

    rtp_packets_append(all, large, SECOND_US * 3 / 2);
    rtp_packets_append(all, small, SECOND_US * 3);
    push_sizes(track, given, all);

    track_outcome_check_sequence(outcome);
    g_assert_cmpstr(outcome->parts->str, ==, "0@0;1@1500000;2@3000000;");
    g_assert_cmpstr(outcome->gaps->str, ==, "");
    for (uint32_t part = 0; part < 3; part++) {
        g_autoptr(GByteArray) bytes = track_outcome_part_bytes(outcome, part);
        g_autoptr(GPtrArray) tracks = rtp_source_demux(bytes->data, bytes->len);

        rtp_source_check_frames(all, tracks->pdata[0], 45 * part, 45, 0);
        check_size(outcome, part, part == 1 ? 640 : 320);
    }
}

static void
push_parameter_set(MediaTrack *track, const RtpSource *source, guint before, size_t n_bytes)
{
    g_autofree uint8_t *packet = g_malloc(12 + n_bytes);
    const MediaPacket beside = track_outcome_packet(source, before, 0);

    memset(packet + 12, 0xa5, n_bytes);
    memcpy(packet, beside.bytes, 12);
    packet[1] &= 0x7f;
    packet[12] = 0x67;
    memcpy(packet + 13, "\x64\x00\x1f\xac", 4);
    const MediaPacket set = {packet, 12 + n_bytes, beside.time_us, false};
    media_track_push(track, &set, 1);
}

/* It replaces the good one of its id: pictures have no known size until the next good one comes. */
static void
test_tells_of_a_parameter_set_that_says_nothing(const void *data)
{
    const size_t n_bytes = GPOINTER_TO_SIZE(data);
    const MediaFormat h264 = SAMPLE_H264_FORMAT;
    g_autoptr(RtpSource) source = rtp_source_new("videotestsrc num-buffers=90 ! " SAMPLE_H264);
    g_autoptr(TrackOutcome) outcome = track_outcome_new();
    g_autoptr(MediaTrack) track = track_outcome_start_track(outcome, &h264);
    guint at = 0;

    while (g_array_index(source->times_us, int64_t, at) < SECOND_US / 2)
        at++;
    track_outcome_push(track, source, 0, at, 0);
    push_parameter_set(track, source, at, n_bytes);
    track_outcome_push(track, source, at, source->packets->len, 0);
    media_track_finish(track);

    track_outcome_check_sequence(outcome);
    g_assert_cmpstr(outcome->parts->str, ==, "0@0;1@1000000;");
    g_assert_cmpstr(outcome->gaps->str, ==, "500000+500000 no-keyframe;");
    g_assert_cmpuint(outcome->n_keyframe_requests, >=, 1);
}

/* VP9 needs no keyframe for it: one is asked for, as only a part that begins there says the size.
 */
static void
test_asks_for_keyframe_at_new_size(void)
{
    static const uint8_t resized[16] = {0x86, 0x00, 0x40, 0x00, 0x01, 0x3f, 0x80, 0xef, 0x80};
    const MediaFormat vp9 = SAMPLE_VP9_FORMAT;
    g_autoptr(RtpSource) source = rtp_source_new(PICTURES SAMPLE_VP9);
    g_autoptr(TrackOutcome) outcome = track_outcome_new();
    g_autoptr(MediaTrack) track = track_outcome_start_track(outcome, &vp9);
    const MediaPacket last = track_outcome_packet(source, source->packets->len - 1, 0);
    uint8_t bytes[13 + sizeof(resized)];
    const MediaPacket packet = {bytes, sizeof(bytes), last.time_us + 300000, false};

    track_outcome_push(track, source, 0, source->packets->len, 0);
    g_assert_cmpuint(outcome->n_keyframe_requests, ==, 1); /* at the start */
    memcpy(bytes, last.bytes, 12);
    bytes[3]++;
    bytes[12] = 0x4c; /* all of a frame that refers to others */
    memcpy(bytes + 13, resized, sizeof(resized));
    media_track_push(track, &packet, 1);
    media_track_push(track, &(MediaPacket){bytes, sizeof(bytes), last.time_us + 600000, false}, 1);

    g_assert_cmpuint(outcome->n_keyframe_requests, ==, 2);
    g_assert_cmpstr(outcome->parts->str, ==, "0@0;");
}

static void
add_rows(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(sounds); i++) {
        g_autofree char *keeps =
            g_strdup_printf("/media-changes/keeps-plain-sound/%s", sounds[i].probed);
        g_autofree char *mute =
            g_strdup_printf("/media-changes/keeps-time-over-a-mute/%s", sounds[i].probed);

        g_test_add_data_func(keeps, &sounds[i], test_keeps_plain_sound);
        g_test_add_data_func(mute, &sounds[i], test_keeps_time_over_a_mute);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
        g_autofree char *path =
            g_strdup_printf("/media-changes/new-size-starts-new-part/%s", sizes[i].name);

        g_test_add_data_func(path, &sizes[i], test_new_size_starts_new_part);
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
    add_rows();
    g_test_add_data_func("/media-changes/keeps-time-over-a-mute/opus", &opus_talk,
                         test_keeps_time_over_a_mute);
    g_test_add_func("/media-changes/asks-for-keyframe-at-new-size",
                    test_asks_for_keyframe_at_new_size);
    g_test_add_func("/media-changes/drops-half-a-sample", test_drops_half_a_sample);
    g_test_add_data_func("/media-changes/says-channels-of-opus/1", &opus_mono,
                         test_says_channels_of_opus);
    g_test_add_data_func("/media-changes/says-channels-of-opus/2", &opus_stereo,
                         test_says_channels_of_opus);
    g_test_add_data_func("/media-changes/tells-of-a-parameter-set-that-says-nothing/short",
                         GSIZE_TO_POINTER(5), test_tells_of_a_parameter_set_that_says_nothing);
    g_test_add_data_func("/media-changes/tells-of-a-parameter-set-that-says-nothing/giant",
                         GSIZE_TO_POINTER(1400), test_tells_of_a_parameter_set_that_says_nothing);
    return g_test_run();
}
