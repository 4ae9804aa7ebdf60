#include "storage/track_counts.h"

bool
track_counts_may_be(size_t n_counts)
{
    return n_counts == TRACK_COUNTS_BASIC || n_counts == TRACK_COUNTS_SECOND ||
           n_counts == N_TRACK_COUNTS;
}

const char *
track_counts_name(TrackCount count)
{
    static const char *const names[N_TRACK_COUNTS] = {
        [TRACK_COUNT_RECEIVED] = "received",
        [TRACK_COUNT_LOST] = "lost",
        [TRACK_COUNT_REORDERED] = "reordered",
        [TRACK_COUNT_DUPLICATE] = "duplicate",
        [TRACK_COUNT_LATE] = "late",
        [TRACK_COUNT_PAUSED] = "paused",
        [TRACK_COUNT_FOREIGN] = "foreign",
        [TRACK_COUNT_KERNEL_DROPPED] = "kernel_dropped",
        [TRACK_COUNT_RECOVERED] = "recovered",
        [TRACK_COUNT_LIMITED] = "limited",
        [TRACK_COUNT_BESIDE] = "beside",
        [TRACK_COUNT_LATE_KEYFRAMES] = "late_keyframes",
        [TRACK_COUNT_UNREADABLE] = "unreadable",
    };

    return names[count];
}

uint64_t
track_counts_expected(const TrackCounts *self)
{
    return self->of[TRACK_COUNT_RECEIVED] + self->of[TRACK_COUNT_LOST];
}
