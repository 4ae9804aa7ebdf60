#pragma once

#include "agent/media/matroska_reader.h"
#include "agent/media/media_format.h"

#include <gst/gst.h>
#include <stdbool.h>
#include <stdint.h>

/* What each codec of ours is called in Matroska, to a decoder, and on the pads of mp4mux. */
typedef struct {
    const char *codec_id;
    const char *name;
    const char *caps;     /* of what is decoded, and by which parts are told apart */
    const char *mp4_caps; /* NULL: MP4 can not hold it */
    MediaCodec codec;
    unsigned rate; /* of samples, of sound: what parts say of it is not read, older ones say 0 */
    uint16_t wave_format; /* `A_MS/ACM` only: which codec of RFC 2361 */
    bool says_size_in_band;
} ExportCodec;

/* Returns: which codec a recorded part is in, static; NULL if it is none of ours. */
const ExportCodec *export_codec_find(const MatroskaTrack *track);

/* Returns: what a muxer or a decoder has to know of the part, owned by the caller. `is_for_mp4`: as
 * mp4mux wants it. */
GstCaps *export_codec_caps(const ExportCodec *self, const MatroskaTrack *track, bool is_for_mp4);
