#pragma once

#include <glib.h>
#include <stdint.h>

/* Sees to it that a track's segments and gaps tile its whole stretch of the timeline: every hole
 * between two segments, before the first and after the last is covered exactly by gaps, with the
 * reason that was reported for it where there is one. Gaps inside a segment pass through as they
 * are. Pure; one thread. */
typedef struct GapTiler GapTiler;

typedef void (*GapTilerFunc)(int64_t start_us, int64_t duration_us, const char *reason,
                             void *user_data);

/* The track begins at `from_us`. */
GapTiler *gap_tiler_new(int64_t from_us, GapTilerFunc on_gap, void *user_data);

/* A reported gap, in order of time; kept until it is known where segments lie. `reason` is copied.
 */
void gap_tiler_add_gap(GapTiler *self, int64_t start_us, int64_t duration_us, const char *reason);

/* The next segment covers `start_us` to `end_us`; gives out what is known up to there. */
void gap_tiler_add_segment(GapTiler *self, int64_t start_us, int64_t end_us);

/* Nothing more comes; the track ends at `until_us`, or where its last segment or gap does if
 * that is later. Returns: that end. */
int64_t gap_tiler_finish(GapTiler *self, int64_t until_us);

void gap_tiler_free(GapTiler *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(GapTiler, gap_tiler_free)
