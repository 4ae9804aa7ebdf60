#include "agent/media/stream_encoder.h"

#include "agent/media/media_pad.h"
#include "agent/media/media_stage.h"
#include "agent/media/sound_decoder.h"

#include <gst/audio/audio.h>

#define AAC_FRAME 1024

struct StreamEncoder {
    MovieWriter *writer;
    MediaStage *stage;
    unsigned stream;
    bool is_video;
    GstCaps *caps;  /* of what comes out */
    GQueue encoded; /* of GstBuffer: came out, and goes to the writer once the encoder returned */
    uint64_t n_in;  /* pictures; samples of one channel */
    uint64_t n_out; /* encoded frames */
};

/* One thread and no look at the clock: the same recording gives the same file. A keyframe every two
 * seconds makes a player's slider quick. */
static const char *const picture_settings[] = {
    "speed-preset", "superfast", "threads",     "1",     "bframes",     "0",
    "pass",         "qual",      "quantizer",   "22",    "key-int-max", "60",
    "rc-lookahead", "10",        "byte-stream", "false", NULL,
};
static const char *const sound_settings[] = {"bitrate", "128000", NULL};

/* The encoder of libavcodec puts one frame of its own before the first sample. That one is left
 * out, so that sound stays in step in players that do not know of such a thing. */
static bool
place(StreamEncoder *self, GstBuffer *encoded)
{
    const uint64_t number = self->n_out++;

    if (self->is_video) {
        GST_BUFFER_PTS(encoded) =
            gst_util_uint64_scale(number, GST_SECOND, STREAM_ENCODER_FRAME_RATE);
        GST_BUFFER_DURATION(encoded) =
            gst_util_uint64_scale(number + 1, GST_SECOND, STREAM_ENCODER_FRAME_RATE) -
            GST_BUFFER_PTS(encoded);
    } else if (number > 0) {
        GST_BUFFER_PTS(encoded) =
            gst_util_uint64_scale((number - 1) * AAC_FRAME, GST_SECOND, SOUND_DECODER_RATE);
        GST_BUFFER_DURATION(encoded) =
            gst_util_uint64_scale(number * AAC_FRAME, GST_SECOND, SOUND_DECODER_RATE) -
            GST_BUFFER_PTS(encoded);
    }
    GST_BUFFER_DTS(encoded) = GST_BUFFER_PTS(encoded);
    return self->is_video || number > 0;
}

static void
on_encoded(GstBuffer *buffer, const GstCaps *caps, void *user_data)
{
    StreamEncoder *self = user_data;
    GstBuffer *encoded = gst_buffer_make_writable(buffer);

    gst_caps_replace(&self->caps, (GstCaps *) caps);
    if (place(self, encoded)) {
        g_queue_push_tail(&self->encoded, encoded);
    } else {
        gst_buffer_unref(encoded);
    }
}

/* A writer that waits for a slow disk is not an encoder that hangs. */
static bool
deliver(StreamEncoder *self)
{
    GstBuffer *encoded = NULL;
    bool is_good = true;

    while (is_good && (encoded = g_queue_pop_head(&self->encoded)) != NULL)
        is_good = movie_writer_push(self->writer, self->stream, encoded, self->caps);
    return is_good;
}

static StreamEncoder *
encoder_new(MovieWriter *writer, const char *title, MediaStageOptions *options, GError **error)
{
    g_autoptr(StreamEncoder) self = g_new0(StreamEncoder, 1);

    self->writer = writer;
    g_queue_init(&self->encoded);
    self->is_video = g_str_has_prefix(options->wanted, "video");
    self->stream = movie_writer_declare(writer, title, self->is_video);
    options->on_buffer = on_encoded;
    options->user_data = self;
    self->stage = media_stage_new(options, error);
    return self->stage != NULL ? g_steal_pointer(&self) : NULL;
}

StreamEncoder *
stream_encoder_new_video(MovieWriter *writer, const char *title, const PictureCanvas *canvas,
                         StallGuard *guard, GError **error)
{
    g_autoptr(GstCaps) caps = picture_canvas_caps(canvas, STREAM_ENCODER_FRAME_RATE);
    MediaStageOptions options = {
        .factory = "x264enc",
        .settings = picture_settings,
        .caps = caps,
        .wanted = "video/x-h264,stream-format=avc,alignment=au,profile=high",
        .guard = guard,
        .what = "the H.264 encoder",
    };

    return encoder_new(writer, title, &options, error);
}

StreamEncoder *
stream_encoder_new_audio(MovieWriter *writer, const char *title, StallGuard *guard, GError **error)
{
    g_autoptr(GstCaps) caps = gst_caps_new_simple(
        "audio/x-raw", "format", G_TYPE_STRING, GST_AUDIO_NE(F32), "rate", G_TYPE_INT,
        SOUND_DECODER_RATE, "channels", G_TYPE_INT, SOUND_DECODER_CHANNELS, "channel-mask",
        GST_TYPE_BITMASK, UINT64_C(3), "layout", G_TYPE_STRING, "interleaved", NULL);
    MediaStageOptions options = {
        .factory = "avenc_aac",
        .settings = sound_settings,
        .caps = caps,
        .wanted = "audio/mpeg,mpegversion=4,base-profile=lc",
        .guard = guard,
        .what = "the AAC encoder",
    };

    return encoder_new(writer, title, &options, error);
}

bool
stream_encoder_add_picture(StreamEncoder *self, const PictureCanvas *canvas)
{
    GstBuffer *picture = picture_canvas_snapshot(canvas);

    GST_BUFFER_PTS(picture) =
        gst_util_uint64_scale(self->n_in++, GST_SECOND, STREAM_ENCODER_FRAME_RATE);
    return media_stage_push(self->stage, picture) && deliver(self);
}

bool
stream_encoder_add_sound(StreamEncoder *self, const float *samples, unsigned n_frames)
{
    GstBuffer *sound = NULL;

    if (n_frames == 0)
        return true;
    sound = media_pad_new_buffer((const uint8_t *) samples,
                                 (size_t) n_frames * SOUND_DECODER_CHANNELS * sizeof(float));
    GST_BUFFER_PTS(sound) = gst_util_uint64_scale(self->n_in, GST_SECOND, SOUND_DECODER_RATE);
    self->n_in += n_frames;
    return media_stage_push(self->stage, sound) && deliver(self);
}

bool
stream_encoder_finish(StreamEncoder *self)
{
    media_stage_finish(self->stage);
    return deliver(self);
}

void
stream_encoder_free(StreamEncoder *self)
{
    GstBuffer *encoded = NULL;

    if (self == NULL)
        return;
    media_stage_free(self->stage);
    while ((encoded = g_queue_pop_head(&self->encoded)) != NULL)
        gst_buffer_unref(encoded);
    gst_clear_caps(&self->caps);
    g_free(self);
}
