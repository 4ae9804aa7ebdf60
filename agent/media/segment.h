#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

/* A few seconds of one track as Matroska clusters, in memory only and not yet sealed. Handed over
 * whole from the ingress thread to the sealer, which wipes it by freeing it. All segments of a
 * part, in order, concatenate to one streamable Matroska file; index 0 starts with the part's
 * header. */
typedef struct {
    uint32_t part;       /* from 0; a change of codec settings or of the source starts the next */
    uint32_t index;      /* from 0 in each part */
    int64_t start_us;    /* first frame's time on the session's timeline */
    int64_t duration_us; /* to where the next segment starts or the last frame ends */
    bool has_header;
    bool starts_at_keyframe; /* always true for audio */
    bool is_last_of_part;
    bool is_damaged; /* packets were lost inside it */
    size_t n_bytes;
    struct iovec *pieces; /* plaintext */
    size_t n_pieces;
} Segment;

/* Wipes and frees; NULL is allowed. */
void segment_free(Segment *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Segment, segment_free)
