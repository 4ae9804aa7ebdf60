#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Where a segment ends: decided for each frame before it is written, from the media's own times. A
 * pause of the source therefore ends nothing by itself; the first frame after it does. Pure. */
typedef struct {
    int64_t segment_us;   /* the aim */
    int64_t age_us;       /* from the segment's start to this frame */
    int64_t silence_us;   /* from the end of the last frame to this one */
    size_t n_bytes;       /* in the segment already */
    size_t n_frame_bytes; /* of this frame */
    bool is_video;
    bool is_keyframe;
} SegmentCutCase;

typedef enum {
    SEGMENT_CUT_NO,
    SEGMENT_CUT_NO_WANT_KEYFRAME, /* overdue: a cut at a keyframe would be due */
    SEGMENT_CUT_BEFORE_FRAME,
    SEGMENT_CUT_BEFORE_LATE_KEYFRAME, /* it was due for longer than a request for one takes */
} SegmentCut;

SegmentCut segment_cut_decide(const SegmentCutCase *given);
