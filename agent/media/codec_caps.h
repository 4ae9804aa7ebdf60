#pragma once

#include "agent/media/media_format.h"

#include <gst/gst.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What elements are told about a stream: the depayloader about its packets, the muxer about its
 * frames, from which it writes a part's header. All caps are owned by the caller. */

GstCaps *codec_caps_for_depayloader(const MediaFormat *format);

/* Returns: for the muxer, as far as `format` says it; NULL where only the stream does. */
GstCaps *codec_caps_of_format(const MediaFormat *format);

/* Returns: for the muxer, from `told` by the depayloader; NULL if that is not enough. */
GstCaps *codec_caps_of_depayloader(MediaCodec codec, const GstCaps *told);

/* Returns: whether `frame`, which is no keyframe, has another size than `present` says. Only VP9
 * can. */
bool codec_caps_are_left(MediaCodec codec, const GstCaps *present, const uint8_t *frame,
                         size_t n_bytes);

/* Returns: for the muxer, from a keyframe, which alone says what follows; NULL if `frame` is none.
 * `present`: the caps so far, may be NULL. */
GstCaps *codec_caps_of_keyframe(MediaCodec codec, const GstCaps *present, const uint8_t *frame,
                                size_t n_bytes);
