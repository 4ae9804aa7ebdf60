#pragma once

#include "crypto/digest.h"

#include <glib.h>
#include <stdint.h>

/* What a segment is marked with in the manifest, one letter each, `-` for none. */
typedef enum {
    SEGMENT_FLAG_HEADER = 1 << 0,      /* h: starts with the part's Matroska header (index 0) */
    SEGMENT_FLAG_KEYFRAME = 1 << 1,    /* k: starts at a keyframe, or is audio */
    SEGMENT_FLAG_NO_KEYFRAME = 1 << 2, /* n: had to be cut without one */
    SEGMENT_FLAG_LAST = 1 << 3,        /* e: the part ends with it */
    SEGMENT_FLAG_DAMAGED = 1 << 4,     /* d: packets were lost inside it */
} SegmentFlags;

/* A few seconds of one track, sealed: one age file and its place. Immutable once made; handed
 * over whole from thread to thread. */
typedef struct {
    char *session;
    char *track;
    uint32_t part;         /* from 0 */
    uint32_t index;        /* from 0 in each part */
    uint32_t object_first; /* index of the segment that its object starts with */
    int64_t start_us;      /* on the session's timeline */
    int64_t duration_us;
    SegmentFlags flags;
    GBytes *sealed;
    Digest digest; /* of `sealed` */
} SealedSegment;

void sealed_segment_free(SealedSegment *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SealedSegment, sealed_segment_free)
