#include "agent/media/media_format.h"

/* What each codec's payload format allows: RFC 7587 (Opus), 7741 (VP8), 9628 (VP9), 6184 (H.264),
 * 3551 (PCMU, PCMA, G.722). The clock of G.722 is 8000 by an old mistake that RFC 3551 keeps,
 * though it has 16000 samples a second. */
static const struct {
    const char *name;
    bool is_video;
    uint32_t clock_rate;
    const char *clock_fault;
    int static_type;  /* -1: dynamic only */
    uint8_t channels; /* audio: where nobody says; at most 2, G.722 1 */
} codecs[] = {
    [MEDIA_CODEC_OPUS] = {"opus", false, 48000, "the clock rate of opus is 48000",                           -1, 2},
    [MEDIA_CODEC_VP8] = {"vp8",  true,  90000, "the clock rate of vp8 is 90000",                            -1, 1},
    [MEDIA_CODEC_VP9] = {"vp9",  true,  90000, "the clock rate of vp9 is 90000",                            -1, 1},
    [MEDIA_CODEC_H264] = {"h264", true,  90000, "the clock rate of h264 is 90000",                           -1, 1},
    [MEDIA_CODEC_PCMU] = {"pcmu", false, 8000,  "the clock rate of pcmu is 8000",                            0,  1},
    [MEDIA_CODEC_PCMA] = {"pcma", false, 8000,  "the clock rate of pcma is 8000",                            8,  1},
    [MEDIA_CODEC_G722] =
        {"g722", false, 8000,
                          "the clock rate of g722 is 8000, though it has 16000 samples a second (RFC 3551)", 9,  1},
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
               : "the codec must be one of opus, pcmu, pcma, g722, vp8, vp9, h264";
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

int
media_codec_static_payload_type(MediaCodec codec)
{
    return codecs[codec].static_type;
}

uint8_t
media_codec_default_channels(MediaCodec codec)
{
    return codecs[codec].channels;
}

/* Returns: whether RFC 3551 gives the payload type to another codec of ours. */
static bool
is_of_another(MediaCodec codec, uint8_t payload_type)
{
    for (size_t i = 0; i < G_N_ELEMENTS(codecs); i++) {
        if (i != codec && codecs[i].static_type == payload_type)
            return true;
    }
    return false;
}

const char *
media_format_fault(const MediaFormat *self)
{
    if (self->payload_type > 127)
        return "the payload type must be 0 to 127";
    if (is_of_another(self->codec, self->payload_type))
        return "payload type 0 is that of pcmu, 8 of pcma, 9 of g722 (RFC 3551)";
    if (self->clock_rate != codecs[self->codec].clock_rate)
        return codecs[self->codec].clock_fault;
    if (self->codec == MEDIA_CODEC_G722 && self->channels != 1)
        return "the number of channels of g722 must be 1";
    if (!codecs[self->codec].is_video && (self->channels < 1 || self->channels > 2))
        return "the number of channels must be 1 or 2";
    return NULL;
}
