#include "agent/media/media_format.h"

/* What each codec's payload format allows: RFC 7587 (Opus), 7741 (VP8), 9628 (VP9), 6184 (H.264).
 */
static const struct {
    const char *name;
    bool is_video;
    uint32_t clock_rate;
    const char *clock_fault;
} codecs[] = {
    [MEDIA_CODEC_OPUS] = {"opus", false, 48000, "the clock rate of opus is 48000"},
    [MEDIA_CODEC_VP8] = {"vp8",  true,  90000, "the clock rate of vp8 is 90000" },
    [MEDIA_CODEC_VP9] = {"vp9",  true,  90000, "the clock rate of vp9 is 90000" },
    [MEDIA_CODEC_H264] = {"h264", true,  90000, "the clock rate of h264 is 90000"},
};

bool
media_codec_parse(const char *name, MediaCodec *codec, const char **why)
{
    for (size_t i = 0; i < G_N_ELEMENTS(codecs); i++) {
        if (g_ascii_strcasecmp(name, codecs[i].name) == 0) {
            *codec = (MediaCodec) i;
            return true;
        }
    }
    *why = g_ascii_strcasecmp(name, "av1") == 0
               ? "av1 can not be recorded: Debian 12 has no RTP depayloader for it"
               : "the codec must be one of opus, vp8, vp9, h264";
    return false;
}

const char *
media_codec_name(MediaCodec codec)
{
    return codecs[codec].name;
}

bool
media_codec_is_video(MediaCodec codec)
{
    return codecs[codec].is_video;
}

const char *
media_format_fault(const MediaFormat *self)
{
    if (self->payload_type > 127)
        return "the payload type must be 0 to 127";
    if (self->clock_rate != codecs[self->codec].clock_rate)
        return codecs[self->codec].clock_fault;
    if (!codecs[self->codec].is_video && (self->channels < 1 || self->channels > 2))
        return "the number of channels must be 1 or 2";
    return NULL;
}
