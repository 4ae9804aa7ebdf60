#include "agent/media/picture_decoder.h"

#include "agent/media/h264_sets.h"
#include "agent/media/media_pad.h"
#include "agent/media/media_stage.h"

/* Some decoders give a picture only once they have seen the next ones. */
#define AHEAD_US INT64_C(100000)
/* Past this, the oldest goes unseen: a track with more pictures than that in AHEAD_US is hostile.
 */
#define MAX_DECODED 12
#define BLIND_US    INT64_C(2000000)
/* A keyframe may claim any size, and decoders get the memory for it before they look further. */
#define MAX_PIXELS (UINT64_C(4096) * 2304)

struct PictureDecoder {
    EncodedTrack *track;
    StallGuard *guard;
    char *what;
    MediaStage *stage; /* NULL: waits for a keyframe to begin with */
    unsigned part;
    int64_t fed_us; /* the last frame that went in */
    GQueue decoded; /* of Picture, not yet due */
    Picture *present;
    int64_t blind_since_us; /* -1: what went in came out */
};

/* Which element opens which codec; one thread each, so that the same comes out each time. */
static const struct {
    const char *factory;
    const char *settings[7];
} decoders[] = {
    [MEDIA_CODEC_VP8] = {"vp8dec",     {"threads", "1", NULL}                                },
    [MEDIA_CODEC_VP9] = {"vp9dec",     {"threads", "1", NULL}                                },
    [MEDIA_CODEC_H264] = {"avdec_h264", {"max-threads", "1", "std-compliance", "normal", NULL}},
};

static void
picture_free(Picture *picture)
{
    if (picture == NULL)
        return;
    gst_buffer_unref(picture->buffer);
    g_free(picture);
}

PictureDecoder *
picture_decoder_new(EncodedTrack *track, StallGuard *guard)
{
    PictureDecoder *self = g_new0(PictureDecoder, 1);

    self->track = track;
    self->guard = guard;
    self->what = g_strdup_printf("the decoder of track %s", encoded_track_title(track));
    self->blind_since_us = -1;
    g_queue_init(&self->decoded);
    return self;
}

static void
show_next(PictureDecoder *self)
{
    picture_free(self->present);
    self->present = g_queue_pop_head(&self->decoded);
}

static void
on_picture(GstBuffer *buffer, const GstCaps *caps, void *user_data)
{
    PictureDecoder *self = user_data;
    Picture *picture = g_new0(Picture, 1);

    picture->buffer = buffer;
    picture->time_us =
        GST_BUFFER_PTS_IS_VALID(buffer) ? (int64_t) (GST_BUFFER_PTS(buffer) / 1000) : self->fed_us;
    if (caps == NULL || !gst_video_info_from_caps(&picture->info, caps)) {
        picture_free(picture);
        return;
    }
    self->blind_since_us = -1;
    g_queue_push_tail(&self->decoded, picture);
    if (g_queue_get_length(&self->decoded) > MAX_DECODED)
        show_next(self);
}

static bool
read_size(PictureSize *size, const EncodedFrame *next)
{
    const uint8_t *bytes = next->frame.bytes;
    const size_t n_bytes = next->frame.n_bytes;

    switch ((int) next->codec->codec) {
    case MEDIA_CODEC_VP8:
        return picture_size_read_vp8(size, bytes, n_bytes);
    case MEDIA_CODEC_VP9:
        return picture_size_read_vp9(size, bytes, n_bytes) ||
               picture_size_read_vp9_change(size, bytes, n_bytes);
    default:
        return next->track->codec_private != NULL &&
               h264_sets_picture_size(size, next->track->codec_private, bytes, n_bytes);
    }
}

static bool
is_too_large(const EncodedFrame *next)
{
    PictureSize size = {0, 0};

    return read_size(&size, next) && (uint64_t) size.width * size.height > MAX_PIXELS;
}

static bool
begin(PictureDecoder *self, const EncodedFrame *next, GError **error)
{
    g_autoptr(GstCaps) caps = export_codec_caps(next->codec, next->track, false);
    const MediaStageOptions options = {
        .factory = decoders[next->codec->codec].factory,
        .settings = decoders[next->codec->codec].settings,
        .caps = caps,
        .wanted = "video/x-raw",
        .guard = self->guard,
        .what = self->what,
        .on_buffer = on_picture,
        .user_data = self,
    };

    self->stage = media_stage_new(&options, error);
    return self->stage != NULL;
}

static void
end(PictureDecoder *self)
{
    if (self->stage != NULL)
        media_stage_finish(self->stage);
    g_clear_pointer(&self->stage, media_stage_free);
}

static void
feed(PictureDecoder *self, const EncodedFrame *next)
{
    GstBuffer *buffer = media_pad_new_buffer(next->frame.bytes, next->frame.n_bytes);

    GST_BUFFER_PTS(buffer) = (GstClockTime) self->fed_us * 1000;
    if (!next->frame.is_keyframe)
        GST_BUFFER_FLAG_SET(buffer, GST_BUFFER_FLAG_DELTA_UNIT);
    /* A decoder that gave up is replaced at the next keyframe. */
    if (!media_stage_push(self->stage, buffer)) {
        g_clear_pointer(&self->stage, media_stage_free);
    }
}

static bool
take(PictureDecoder *self, const EncodedFrame *next, GError **error)
{
    self->fed_us = MAX(next->frame.time_us, 0);
    if (self->blind_since_us < 0)
        self->blind_since_us = self->fed_us;
    if (next->part != self->part)
        end(self);
    self->part = next->part;
    if (is_too_large(next)) {
        end(self);
        return true;
    }
    if (self->stage == NULL && !next->frame.is_keyframe)
        return true;
    if (self->stage == NULL && !begin(self, next, error))
        return false;
    feed(self, next);
    return true;
}

bool
picture_decoder_go_to(PictureDecoder *self, int64_t time_us, GError **error)
{
    GError *cause = NULL;
    EncodedFrame next;
    Picture *decoded = NULL;
    bool is_there = false;

    while ((is_there = encoded_track_peek(self->track, &next, &cause)) &&
           next.frame.time_us <= time_us + AHEAD_US) {
        if (!take(self, &next, error))
            return false;
        encoded_track_pop(self->track);
    }
    if (cause != NULL) {
        g_propagate_error(error, cause);
        return false;
    }
    if (!is_there)
        end(self);
    while ((decoded = g_queue_peek_head(&self->decoded)) != NULL && decoded->time_us <= time_us)
        show_next(self);
    return true;
}

const Picture *
picture_decoder_picture(const PictureDecoder *self)
{
    return self->present;
}

bool
picture_decoder_is_blind(const PictureDecoder *self, int64_t time_us)
{
    return self->blind_since_us >= 0 && time_us - self->blind_since_us >= BLIND_US;
}

bool
picture_decoder_first_size(PictureDecoder *self, PictureSize *size, GError **error)
{
    EncodedFrame next;

    if (!encoded_track_peek(self->track, &next, error))
        return false;
    if (!read_size(size, &next) || size->width == 0 || size->height == 0)
        *size = (PictureSize){next.track->width, next.track->height};
    return size->width > 0 && size->height > 0;
}

void
picture_decoder_free(PictureDecoder *self)
{
    if (self == NULL)
        return;
    media_stage_free(self->stage);
    while (!g_queue_is_empty(&self->decoded))
        show_next(self);
    picture_free(self->present);
    encoded_track_free(self->track);
    g_free(self->what);
    g_free(self);
}
