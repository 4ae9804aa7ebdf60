#pragma once

#include "agent/media/picture_size.h"

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How large the picture of an IDR frame is, by the parameter sets that its first slice names: a
 * sender may have several at once and change between them without sending one anew.
 * `record`: AVCDecoderConfigurationRecord (ISO/IEC 14496-15 section 5.3.3); `frame`: NAL units with
 * four bytes of length. Returns: false if it is no IDR frame or its sets are missing or malformed.
 */
bool h264_sets_picture_size(PictureSize *size, GBytes *record, const uint8_t *frame,
                            size_t n_bytes);
