#include "agent/media/segment_cut.h"

#include <glib.h>

/* A stored object is at most 8 MiB, sealed and with its neighbours; one segment must fit with room
 * to spare. */
#define MAX_SEGMENT_BYTES ((size_t) 6 * 1024 * 1024)
/* Keyframes every 4 s in a 90 kHz clock do not fall on whole microseconds. */
#define SLACK_US 1000
/* One that was asked for when the cut was due is here by then. */
#define PATIENCE_US 500000

SegmentCut
segment_cut_decide(const SegmentCutCase *given)
{
    const bool is_due = given->age_us >= given->segment_us - SLACK_US;

    if (given->n_bytes + given->n_frame_bytes > MAX_SEGMENT_BYTES)
        return SEGMENT_CUT_BEFORE_FRAME;
    if (!is_due)
        return SEGMENT_CUT_NO;
    if (!given->is_video)
        return SEGMENT_CUT_BEFORE_FRAME;
    if (given->is_keyframe) {
        /* Nobody could send one while nothing was sent. */
        return given->age_us - MAX(given->silence_us, 0) > given->segment_us + PATIENCE_US
                   ? SEGMENT_CUT_BEFORE_LATE_KEYFRAME
                   : SEGMENT_CUT_BEFORE_FRAME;
    }
    if (given->silence_us > given->segment_us || given->age_us >= 2 * given->segment_us)
        return SEGMENT_CUT_BEFORE_FRAME;
    return SEGMENT_CUT_NO_WANT_KEYFRAME;
}
