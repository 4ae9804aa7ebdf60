#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What became of a track's packets, as its end says it: the numbers of the manifest's `count` line,
 * in that order, behind the sum that track_counts_expected() gives. A recording from before there
 * were all of them has the first ones only. */

typedef enum {
    TRACK_COUNT_RECEIVED,       /* recorded */
    TRACK_COUNT_LOST,           /* sequence numbers that were not there in time */
    TRACK_COUNT_REORDERED,      /* recorded, and came behind a later one */
    TRACK_COUNT_DUPLICATE,      /* came again */
    TRACK_COUNT_LATE,           /* came after their place was given up: lost as well */
    TRACK_COUNT_PAUSED,         /* dropped because the track was paused */
    TRACK_COUNT_FOREIGN,        /* not this track's, or not authentic */
    TRACK_COUNT_KERNEL_DROPPED, /* arrived at the machine, but never at the recorder */
    TRACK_COUNT_RECOVERED,      /* recorded, from a retransmission or a redundant block */
    TRACK_COUNT_LIMITED,        /* dropped because they were too many */
    TRACK_COUNT_BESIDE,         /* declared, but not media: comfort noise, telephone events, FEC */
    TRACK_COUNT_LATE_KEYFRAMES, /* no packets, but cuts: the keyframe came late */
    TRACK_COUNT_UNREADABLE,     /* of those received: malformed, so their frames are missing */
    N_TRACK_COUNTS,
} TrackCount;

/* How many there were at first, and then. */
#define TRACK_COUNTS_BASIC  (TRACK_COUNT_KERNEL_DROPPED + 1)
#define TRACK_COUNTS_SECOND (TRACK_COUNT_LATE_KEYFRAMES + 1)

/* Keeps sums far from overflow. */
#define TRACK_COUNT_MAX (UINT64_MAX / 8)

typedef struct {
    uint8_t n_known; /* as track_counts_may_be() says; 0: of a track that an interruption ended */
    uint64_t of[N_TRACK_COUNTS];
} TrackCounts;

/* Returns: whether a recorder of this version or of an earlier one writes as many. */
bool track_counts_may_be(size_t n_counts);

/* Returns: the name in JSON. */
const char *track_counts_name(TrackCount count);

/* Returns: how many packets should have come to be recorded. */
uint64_t track_counts_expected(const TrackCounts *self);
