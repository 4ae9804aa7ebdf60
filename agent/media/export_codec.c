#include "agent/media/export_codec.h"

#include <string.h>

#define OPUS_CAPS "audio/x-opus,rate=48000,channel-mapping-family=0"
#define H264_CAPS "video/x-h264,stream-format=avc,alignment=au"
/* mp4mux 1.22 reads these without looking whether they are there. 8 bits, as WebRTC sends. */
#define VP9_MP4_CAPS                                                                               \
    "video/x-vp9,profile=(string)0,chroma-format=(string)4:2:0,bit-depth-luma=(uint)8,"            \
    "bit-depth-chroma=(uint)8,chroma-site=(string)mpeg2,colorimetry=(string)2:0:0:0"

static const ExportCodec export_codecs[] = {
    {"A_OPUS",          "Opus",  OPUS_CAPS,                 OPUS_CAPS,    MEDIA_CODEC_OPUS, 48000, 0,      false},
    {"A_MS/ACM",        "PCMU",  "audio/x-mulaw,rate=8000", NULL,         MEDIA_CODEC_PCMU, 8000,  0x0007, false},
    {"A_MS/ACM",        "PCMA",  "audio/x-alaw,rate=8000",  NULL,         MEDIA_CODEC_PCMA, 8000,  0x0006, false},
    {"A_MS/ACM",        "G.722", "audio/G722,rate=16000",   NULL,         MEDIA_CODEC_G722, 16000, 0x028f, false},
    {"V_VP8",           "VP8",   "video/x-vp8",             NULL,         MEDIA_CODEC_VP8,  0,     0,      true },
    {"V_VP9",           "VP9",   "video/x-vp9",             VP9_MP4_CAPS, MEDIA_CODEC_VP9,  0,     0,      true },
    {"V_MPEG4/ISO/AVC", "H.264", H264_CAPS,                 H264_CAPS,    MEDIA_CODEC_H264, 0,     0,      false},
};

/* The first field of a WAVEFORMATEX. Returns: 0 if there is none. */
static unsigned
wave_format(const MatroskaTrack *track)
{
    size_t n_bytes = 0;
    const uint8_t *bytes = NULL;

    if (strcmp(track->codec_id, "A_MS/ACM") != 0 || track->codec_private == NULL)
        return 0;
    bytes = g_bytes_get_data(track->codec_private, &n_bytes);
    return n_bytes >= 2 ? bytes[0] | (unsigned) bytes[1] << 8 : 0;
}

const ExportCodec *
export_codec_find(const MatroskaTrack *track)
{
    for (size_t i = 0; i < G_N_ELEMENTS(export_codecs); i++) {
        if (strcmp(export_codecs[i].codec_id, track->codec_id) == 0 &&
            export_codecs[i].wave_format == wave_format(track))
            return &export_codecs[i];
    }
    return NULL;
}

GstCaps *
export_codec_caps(const ExportCodec *self, const MatroskaTrack *track, bool is_for_mp4)
{
    GstCaps *caps = gst_caps_from_string(is_for_mp4 ? self->mp4_caps : self->caps);

    if (!media_codec_is_video(self->codec)) {
        gst_caps_set_simple(caps, "channels", G_TYPE_INT, (int) track->channels, NULL);
        return caps;
    }
    gst_caps_set_simple(caps, "width", G_TYPE_INT, (int) track->width, "height", G_TYPE_INT,
                        (int) track->height, "framerate", GST_TYPE_FRACTION, 0, 1, NULL);
    if (track->codec_private != NULL && !self->says_size_in_band) {
        GstBuffer *private = gst_buffer_new_wrapped_bytes(track->codec_private);

        gst_caps_set_simple(caps, "codec_data", GST_TYPE_BUFFER, private, NULL);
        gst_buffer_unref(private);
    }
    return caps;
}
