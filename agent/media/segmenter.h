#pragma once

#include "agent/media/segment.h"

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Collects a part's bytes into segments. Told in this order: begin_part, then for each frame
 * note_frame (which says whether the frame starts a segment) and append (the bytes it became), then
 * end_part. */
typedef struct Segmenter Segmenter;

typedef void (*SegmenterOnSegment)(Segment *segment, void *user_data);

typedef struct {
    int64_t start_us;
    int64_t duration_us; /* 0: not known */
    size_t n_bytes;
    bool is_keyframe;
} SegmenterFrame;

typedef enum {
    SEGMENTER_SAME_SEGMENT,
    SEGMENTER_SAME_SEGMENT_WANT_KEYFRAME,
    SEGMENTER_NEW_SEGMENT, /* the muxer must start a cluster */
} SegmenterAdvice;

Segmenter *segmenter_new(uint64_t segment_ms, bool is_video, SegmenterOnSegment on_segment,
                         void *user_data);

void segmenter_begin_part(Segmenter *self, uint32_t part);
SegmenterAdvice segmenter_note_frame(Segmenter *self, const SegmenterFrame *frame);
void segmenter_append(Segmenter *self, const uint8_t *bytes, size_t n_bytes);

/* Packets were lost after the last frame. */
void segmenter_note_loss(Segmenter *self);

/* Gives out the last segment. `next_us`: where the next part starts; -1: not known. */
void segmenter_end_part(Segmenter *self, int64_t next_us);

/* Returns: where the last frame ends; -1 before any. */
int64_t segmenter_end_us(const Segmenter *self);

/* How many cuts waited longer for a keyframe than a request for one takes. */
uint64_t segmenter_count_late_keyframes(const Segmenter *self);

/* Drops what was not given out, wiped. NULL is allowed. */
void segmenter_free(Segmenter *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Segmenter, segmenter_free)
