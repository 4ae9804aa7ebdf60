#pragma once

#include "agent/media/media_format.h"

#include <stddef.h>
#include <stdint.h>

/* How long a packet of sound plays, from what it carries: Opus says it (RFC 6716), the codecs of
 * RFC 3551 section 4.5 have so many bytes a second. Returns: 0 if it does not say, and for video.
 */
int64_t audio_packet_duration_us(MediaCodec codec, unsigned channels, const uint8_t *bytes,
                                 size_t n_bytes);
