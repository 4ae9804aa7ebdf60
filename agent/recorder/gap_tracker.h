#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Finds the stretches of one track's timeline that hold no media. Media is told of in order; a
 * packet lasts as long as the distance its stream last kept, until something else is known. A plain
 * value, embedded in its receiver. */
typedef struct {
    int64_t min_us; /* shorter holes between packets are not told */
    void (*on_gap)(int64_t start_us, int64_t duration_us, const char *reason, void *user_data);
    void *user_data;

    int64_t end_us;  /* all before is media or was told */
    int64_t last_us; /* of the last packet */
    int64_t distance_us;
    bool has_media;
    bool has_lost;    /* packets since the last one */
    bool has_limited; /* packets since the last one were too many */
    bool has_resumed;
    bool has_restarted;
    const char *pause_reason; /* static; NULL: not paused */
    int64_t silence_start_us; /* not told yet, it may go on after one packet of comfort noise */
    int64_t silence_end_us;
} GapTracker;

void gap_tracker_init(GapTracker *self, int64_t from_us, int64_t min_us);

/* Packets are missing before the next one. */
void gap_tracker_lost(GapTracker *self);

/* Packets before the next one came and were dropped, because they were too many. */
void gap_tracker_limited(GapTracker *self);

/* A packet of media, not before the last one. */
void gap_tracker_media(GapTracker *self, int64_t time_us);

/* The stream began anew: the distance of its packets is not known. */
void gap_tracker_restart(GapTracker *self);

/* A stretch begins that is not captured. `reason`: static or interned. Another reason ends the one
 * before. */
void gap_tracker_pause(GapTracker *self, const char *reason, int64_t now_us);
void gap_tracker_resume(GapTracker *self, int64_t now_us);

/* Nothing comes any more: tells the hole up to `until_us`. */
void gap_tracker_finish(GapTracker *self, int64_t until_us);
