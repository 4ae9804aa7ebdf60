#pragma once

#include <stdbool.h>
#include <stdint.h>

/* What became of a track's packets, as its end says it: the numbers of the manifest's `count` line,
 * in that order, behind the sum that track_counts_expected() gives. */

typedef enum {
    TRACK_COUNT_RECEIVED,       /* recorded */
    TRACK_COUNT_LOST,           /* sequence numbers that were not there in time */
    TRACK_COUNT_REORDERED,      /* recorded, and came behind a later one */
    TRACK_COUNT_DUPLICATE,      /* came again */
    TRACK_COUNT_LATE,           /* came after their place was given up: lost as well */
    TRACK_COUNT_PAUSED,         /* dropped because the track was paused */
    TRACK_COUNT_FOREIGN,        /* not this track's, or not authentic */
    TRACK_COUNT_KERNEL_DROPPED, /* arrived at the machine, but never at the recorder */
    N_TRACK_COUNTS,
} TrackCount;

/* Keeps sums far from overflow. */
#define TRACK_COUNT_MAX (UINT64_MAX / 8)

typedef struct {
    bool is_known; /* not of a track that an interruption ended */
    uint64_t of[N_TRACK_COUNTS];
} TrackCounts;

/* Returns: the name in JSON. */
const char *track_counts_name(TrackCount count);

/* Returns: how many packets should have come to be recorded. */
uint64_t track_counts_expected(const TrackCounts *self);
