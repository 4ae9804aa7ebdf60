#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* What a track carries, as its RTP payload says (RFC 7587, 7741, 9628, 6184, 3551). A plain value.
 */
typedef enum {
    MEDIA_CODEC_OPUS,
    MEDIA_CODEC_VP8,
    MEDIA_CODEC_VP9,
    MEDIA_CODEC_H264,
    MEDIA_CODEC_PCMU,
    MEDIA_CODEC_PCMA,
    MEDIA_CODEC_G722,
} MediaCodec;

typedef struct {
    MediaCodec codec;
    uint8_t payload_type;
    uint32_t clock_rate; /* Hz */
    uint8_t channels;    /* audio: 1 or 2 */
} MediaFormat;

/* Reads a codec's name as the control API spells it (opus, pcmu, pcma, g722, vp8, vp9,
 * h264; any case).
 * Returns: true; false sets `why`, one sentence for the user (static), which for AV1 says that
 * Debian 12 has no depayloader. */
bool media_codec_parse(const char *name, MediaCodec *codec, const char **why);
const char *media_codec_name(MediaCodec codec);
bool media_codec_is_video(MediaCodec codec);

/* Returns: the payload type that RFC 3551 gives the codec; -1 if it gives none. */
int media_codec_static_payload_type(MediaCodec codec);

/* Returns: how many channels the codec's payload format takes for granted. */
uint8_t media_codec_default_channels(MediaCodec codec);

/* Checks payload type, clock rate and channels against the codec's own RFC. Returns: NULL if right,
 * else one sentence (static). */
const char *media_format_fault(const MediaFormat *self);

/* Must be called once at the start of each program that records or exports, before there are
 * threads: starts GStreamer with the few plugins needed and no registry, and refuses debug settings
 * that print payloads (GST_DEBUG over 6, GST_DEBUG_FILE). Errors: G_IO_ERROR_FAILED - names the
 * missing element and its Debian package. */
bool media_start(GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* As media_start(), after it: what layout_exporter.h needs besides. */
bool media_start_layouts(GError **error) G_GNUC_WARN_UNUSED_RESULT;
