#include "agent/media/export_track.h"

#include "agent/media/audio_packet.h"
#include "agent/media/export_codec.h"
#include "agent/media/media_pad.h"

#include <gio/gio.h>
#include <string.h>

/* A picture group held while looking for the start. Past this, the file starts a little early
 * instead. */
#define MAX_HELD_BYTES ((size_t) 64 * 1024 * 1024)
/* A longer step between two frames is a gap, and not how long a frame lasts. */
#define MAX_FRAME_US     200000
#define TICK_US          1000
#define AT_ONCE_US       5000
#define DEFAULT_FRAME_US 33333

struct ExportTrack {
    char *title;
    const ExportCodec *codec;
    ExporterContainer container;
    GstCaps *caps;
    MatroskaTrack format; /* codec_private is the first part's */
    GPtrArray *parts;     /* of MatroskaReader */
    guint part;           /* being read */
    GQueue held;          /* of GstBuffer: read while seeking */
    size_t n_held_bytes;
    int64_t origin_us;
    int64_t until_us;
    int64_t last_us;  /* in the file */
    int64_t frame_us; /* the last frame's duration, as the pace lets guess */
};

static bool
can_hold(ExporterContainer container, const ExportCodec *codec)
{
    switch (container) {
    case EXPORTER_MP4:
        return codec->mp4_caps != NULL;
    case EXPORTER_WEBM:
        return codec->codec == MEDIA_CODEC_OPUS || codec->codec == MEDIA_CODEC_VP8 ||
               codec->codec == MEDIA_CODEC_VP9;
    case EXPORTER_MATROSKA:
    default:
        return true;
    }
}

ExportTrack *
export_track_new(const char *title, MatroskaReader *reader, ExporterContainer container,
                 GError **error)
{
    g_autoptr(MatroskaReader) part = reader;
    const MatroskaTrack *track = matroska_reader_track(part);
    const ExportCodec *codec = export_codec_find(track);
    ExportTrack *self = NULL;

    if (codec == NULL) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "track %s has the unknown codec %s",
                    title, track->codec_id);
        return NULL;
    }
    if (!can_hold(container, codec)) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
                    "%s can not hold %s, which track %s is in: export to Matroska (.mkv) instead",
                    container == EXPORTER_MP4 ? "MP4" : "WebM", codec->name, title);
        return NULL;
    }
    self = g_new0(ExportTrack, 1);
    self->title = g_strdup(title);
    self->codec = codec;
    self->container = container;
    self->format = *track;
    self->format.rate = codec->rate;
    self->caps = export_codec_caps(self->codec, track, self->container == EXPORTER_MP4);
    self->parts = g_ptr_array_new_with_free_func((GDestroyNotify) matroska_reader_free);
    g_ptr_array_add(self->parts, g_steal_pointer(&part));
    g_queue_init(&self->held);
    self->until_us = INT64_MAX;
    self->last_us = -1;
    self->frame_us = DEFAULT_FRAME_US;
    return self;
}

/* The header says the largest size, as players make their window from it. */
static void
widen_caps(ExportTrack *self, const MatroskaTrack *track)
{
    const GstStructure *present = gst_caps_get_structure(self->caps, 0);
    int width = 0;
    int height = 0;

    gst_structure_get_int(present, "width", &width);
    gst_structure_get_int(present, "height", &height);
    if ((uint64_t) track->width * track->height > (uint64_t) width * (uint64_t) height) {
        gst_caps_set_simple(self->caps, "width", G_TYPE_INT, (int) track->width, "height",
                            G_TYPE_INT, (int) track->height, NULL);
        self->format.width = track->width;
        self->format.height = track->height;
    }
}

bool
export_track_join(ExportTrack *self, const char *title, MatroskaReader *reader)
{
    const MatroskaTrack *track = matroska_reader_track(reader);

    if (strcmp(self->title, title) != 0 || export_codec_find(track) != self->codec)
        return false;
    if (self->codec->says_size_in_band) {
        widen_caps(self, track);
    } else {
        g_autoptr(GstCaps) caps =
            export_codec_caps(self->codec, track, self->container == EXPORTER_MP4);

        if (!gst_caps_is_equal(caps, self->caps))
            return false;
    }
    g_ptr_array_add(self->parts, reader);
    return true;
}

static GstBuffer *
new_buffer(const MatroskaFrame *frame, bool is_lent)
{
    if (!is_lent)
        return media_pad_new_buffer(frame->bytes, frame->n_bytes);
    return gst_buffer_new_wrapped_full(GST_MEMORY_FLAG_READONLY,
                                       (gpointer) (uintptr_t) frame->bytes, frame->n_bytes, 0,
                                       frame->n_bytes, NULL, NULL);
}

/* Returns: the next frame with the session's time, from whichever part has one. `is_lent`: only
 * until the next is read. */
static GstBuffer *
read_frame(ExportTrack *self, bool is_lent, GError **error)
{
    MatroskaFrame frame = {0};
    GError *cause = NULL;
    GstBuffer *buffer = NULL;

    for (; self->part < self->parts->len; self->part++) {
        MatroskaReader **reader = (MatroskaReader **) &self->parts->pdata[self->part];

        if (matroska_reader_next(*reader, &frame, &cause)) {
            buffer = new_buffer(&frame, is_lent);
            GST_BUFFER_PTS(buffer) = (GstClockTime) MAX(frame.time_us, 0) * 1000;
            if (!export_track_is_video(self)) {
                GST_BUFFER_DURATION(buffer) =
                    (GstClockTime) audio_packet_duration_us(
                        self->codec->codec, self->format.channels, frame.bytes, frame.n_bytes) *
                    1000;
            }
            if (!frame.is_keyframe)
                GST_BUFFER_FLAG_SET(buffer, GST_BUFFER_FLAG_DELTA_UNIT);
            return buffer;
        }
        if (cause != NULL) {
            g_propagate_prefixed_error(error, cause, "track %s: ", self->title);
            return NULL;
        }
    }
    return NULL;
}

static int64_t
time_of(GstBuffer *buffer)
{
    return (int64_t) (GST_BUFFER_PTS(buffer) / 1000);
}

static void
drop_held(ExportTrack *self)
{
    GstBuffer *buffer = NULL;

    while ((buffer = g_queue_pop_head(&self->held)) != NULL)
        gst_buffer_unref(buffer);
    self->n_held_bytes = 0;
}

bool
export_track_seek(ExportTrack *self, int64_t from_us, int64_t *first_us, GError **error)
{
    bool is_past = false;

    *first_us = INT64_MAX;
    if (!export_track_is_video(self))
        return true;
    while (!is_past && self->n_held_bytes < MAX_HELD_BYTES) {
        GError *cause = NULL;
        GstBuffer *buffer = read_frame(self, false, &cause);

        if (cause != NULL) {
            g_propagate_error(error, cause);
            return false;
        }
        if (buffer == NULL)
            break;
        is_past = time_of(buffer) > from_us;
        if (!is_past && !GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_DELTA_UNIT))
            drop_held(self);
        g_queue_push_tail(&self->held, buffer);
        self->n_held_bytes += gst_buffer_get_size(buffer);
    }
    if (!g_queue_is_empty(&self->held))
        *first_us = time_of(g_queue_peek_head(&self->held));
    return true;
}

void
export_track_set_range(ExportTrack *self, int64_t origin_us, int64_t until_us)
{
    self->origin_us = origin_us;
    self->until_us = until_us;
}

/* From the session's time to the file's. MP4 wants times of decoding that never go back, and a
 * duration at least for the last frame. Matroska counts in milliseconds, and no two pictures may be
 * of the same: where layers of simulcast are switched, some come at once. */
static void
shift_time(ExportTrack *self, GstBuffer *buffer)
{
    const int64_t wanted_us = MAX(time_of(buffer) - self->origin_us, 0);
    const bool is_at_once = self->last_us >= 0 && export_track_is_video(self) &&
                            wanted_us < self->last_us + TICK_US &&
                            wanted_us > self->last_us - AT_ONCE_US;
    const int64_t time_us = is_at_once ? self->last_us + TICK_US : wanted_us;
    const int64_t step_us = self->last_us >= 0 ? time_us - self->last_us : 0;

    if (step_us > 0 && step_us <= MAX_FRAME_US)
        self->frame_us = step_us;
    if (export_track_is_video(self))
        GST_BUFFER_DURATION(buffer) = (GstClockTime) self->frame_us * 1000;

    GST_BUFFER_PTS(buffer) = (GstClockTime) time_us * 1000;
    self->last_us = MAX(self->last_us, time_us);
    GST_BUFFER_DTS(buffer) = (GstClockTime) self->last_us * 1000;
}

GstBuffer *
export_track_next(ExportTrack *self, GError **error)
{
    for (;;) {
        GstBuffer *buffer = g_queue_pop_head(&self->held);

        if (buffer == NULL)
            buffer = read_frame(self, self->container != EXPORTER_MP4, error);
        if (buffer == NULL)
            return NULL;
        if (time_of(buffer) >= self->until_us) {
            gst_buffer_unref(buffer);
            return NULL;
        }
        if (time_of(buffer) >= self->origin_us) {
            shift_time(self, buffer);
            return buffer;
        }
        gst_buffer_unref(buffer);
    }
}

const char *
export_track_title(const ExportTrack *self)
{
    return self->title;
}

const MatroskaTrack *
export_track_format(const ExportTrack *self)
{
    return &self->format;
}

const GstCaps *
export_track_caps(const ExportTrack *self)
{
    return self->caps;
}

bool
export_track_is_video(const ExportTrack *self)
{
    return media_codec_is_video(self->codec->codec);
}

void
export_track_free(ExportTrack *self)
{
    if (self == NULL)
        return;
    drop_held(self);
    g_ptr_array_unref(self->parts);
    gst_clear_caps(&self->caps);
    g_free(self->title);
    g_free(self);
}
