#include "agent/media/codec_caps.h"

#include "agent/media/h264_sets.h"
#include "agent/media/picture_size.h"

static const struct {
    const char *rtp_name;
    const char *media_type;
    int rate; /* 0: not fixed by the codec, or not sound */
} codecs[] = {
    [MEDIA_CODEC_OPUS] = {"OPUS", "audio/x-opus",  0    },
    [MEDIA_CODEC_VP8] = {"VP8",  "video/x-vp8",   0    },
    [MEDIA_CODEC_VP9] = {"VP9",  "video/x-vp9",   0    },
    [MEDIA_CODEC_H264] = {"H264", "video/x-h264",  0    },
    [MEDIA_CODEC_PCMU] = {"PCMU", "audio/x-mulaw", 8000 },
    [MEDIA_CODEC_PCMA] = {"PCMA", "audio/x-alaw",  8000 },
    [MEDIA_CODEC_G722] = {"G722", "audio/G722",    16000},
};

GstCaps *
codec_caps_for_depayloader(const MediaFormat *format)
{
    const bool is_video = media_codec_is_video(format->codec);
    GstCaps *caps = gst_caps_new_simple(
        "application/x-rtp", "media", G_TYPE_STRING, is_video ? "video" : "audio", "encoding-name",
        G_TYPE_STRING, codecs[format->codec].rtp_name, "payload", G_TYPE_INT,
        (int) format->payload_type, "clock-rate", G_TYPE_INT, (int) format->clock_rate, NULL);

    if (!is_video) {
        gst_caps_set_simple(caps, "sprop-stereo", G_TYPE_STRING, format->channels == 2 ? "1" : "0",
                            NULL);
    }
    /* RFC 7587: whatever the sender takes in. Without it the part's header would say 0 Hz. */
    if (format->codec == MEDIA_CODEC_OPUS)
        gst_caps_set_simple(caps, "sprop-maxcapturerate", G_TYPE_STRING, "48000", NULL);
    return caps;
}

/* (Those of GStreamer 1.22's depayloaders know of no stereo.) */
GstCaps *
codec_caps_of_format(const MediaFormat *format)
{
    if (codecs[format->codec].rate == 0)
        return NULL;
    return gst_caps_new_simple(codecs[format->codec].media_type, "rate", G_TYPE_INT,
                               codecs[format->codec].rate, "channels", G_TYPE_INT,
                               (int) format->channels, NULL);
}

static GBytes *
codec_data_of(const GstCaps *caps)
{
    GstBuffer *buffer = NULL;
    GBytes *bytes = NULL;
    GstMapInfo map;

    if (!gst_structure_get(gst_caps_get_structure(caps, 0), "codec_data", GST_TYPE_BUFFER, &buffer,
                           NULL))
        return NULL;
    if (gst_buffer_map(buffer, &map, GST_MAP_READ)) {
        bytes = g_bytes_new(map.data, map.size);
        gst_buffer_unmap(buffer, &map);
    }
    gst_buffer_unref(buffer);
    return bytes;
}

static void
set_size(GstCaps *caps, const PictureSize *size)
{
    gst_caps_set_simple(caps, "width", G_TYPE_INT, (int) size->width, "height", G_TYPE_INT,
                        (int) size->height, NULL);
}

/* Until a keyframe says which parameter set holds, the first one stands for all: it is enough to
 * tell that they changed. */
static GstCaps *
h264_caps(const GstCaps *told)
{
    g_autoptr(GBytes) record = codec_data_of(told);
    size_t n_bytes = 0;
    const uint8_t *bytes = record != NULL ? g_bytes_get_data(record, &n_bytes) : NULL;
    GstCaps *caps = NULL;
    PictureSize size;

    if (n_bytes <= 8)
        return NULL;

    const size_t n_sps = (size_t) bytes[6] << 8 | bytes[7];

    if (!picture_size_read_h264(&size, bytes + 8, MIN(n_sps, n_bytes - 8)))
        return NULL;
    caps = gst_caps_copy(told);
    set_size(caps, &size);
    return caps;
}

GstCaps *
codec_caps_of_depayloader(MediaCodec codec, const GstCaps *told)
{
    return codec == MEDIA_CODEC_H264 ? h264_caps(told) : gst_caps_copy(told);
}

static bool
read_size(PictureSize *size, MediaCodec codec, const uint8_t *frame, size_t n_bytes)
{
    return codec == MEDIA_CODEC_VP8 ? picture_size_read_vp8(size, frame, n_bytes)
                                    : picture_size_read_vp9(size, frame, n_bytes);
}

GstCaps *
codec_caps_of_keyframe(MediaCodec codec, const GstCaps *present, const uint8_t *frame,
                       size_t n_bytes)
{
    GstCaps *caps = NULL;
    PictureSize size;

    if (codec == MEDIA_CODEC_H264) {
        g_autoptr(GBytes) record = present != NULL ? codec_data_of(present) : NULL;

        if (record == NULL || !h264_sets_picture_size(&size, record, frame, n_bytes))
            return NULL;
        caps = gst_caps_copy(present);
    } else if (read_size(&size, codec, frame, n_bytes)) {
        caps = gst_caps_new_empty_simple(codecs[codec].media_type);
    }
    if (caps != NULL)
        set_size(caps, &size);
    return caps;
}

bool
codec_caps_are_left(MediaCodec codec, const GstCaps *present, const uint8_t *frame, size_t n_bytes)
{
    const GstStructure *structure = NULL;
    PictureSize size;
    int width = 0;
    int height = 0;

    if (codec != MEDIA_CODEC_VP9 || present == NULL ||
        !picture_size_read_vp9_change(&size, frame, n_bytes))
        return false;
    structure = gst_caps_get_structure(present, 0);
    gst_structure_get_int(structure, "width", &width);
    gst_structure_get_int(structure, "height", &height);
    return (int) size.width != width || (int) size.height != height;
}
