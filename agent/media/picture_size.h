#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Width and height as the codecs themselves write them. Containers have to know them; the parsers
 * of GStreamer would say them too, but h264parse 1.22 crashes on hostile parameter sets, and this
 * is all we need of it. */
typedef struct {
    unsigned width;
    unsigned height;
} PictureSize;

/* From a sequence parameter set, with its NAL header (H.264 section 7.3.2.1.1). Returns: false if
 * malformed. */
bool picture_size_read_h264(PictureSize *self, const uint8_t *sps, size_t n_bytes);

/* From the start of a VP9 frame (VP9 bitstream specification, section 6.2). Returns: false if it is
 * no keyframe. */
bool picture_size_read_vp9(PictureSize *self, const uint8_t *frame, size_t n_bytes);

/* From the start of a VP9 frame that is no keyframe: a sender may change the size at any frame.
 * Returns: false if it is as large as one that it refers to. */
bool picture_size_read_vp9_change(PictureSize *self, const uint8_t *frame, size_t n_bytes);

/* From the start of a VP8 frame (RFC 6386 section 9.1). Returns: false if it is no keyframe. */
bool picture_size_read_vp8(PictureSize *self, const uint8_t *frame, size_t n_bytes);
