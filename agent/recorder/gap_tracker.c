#include "agent/recorder/gap_tracker.h"

#include <glib.h>

enum {
    USUAL_DISTANCE_US = 20000,
    /* A source that is silent for long is told of while it is, not only when it speaks again. */
    MAX_SILENCE_US = 10 * G_USEC_PER_SEC,
};

void
gap_tracker_init(GapTracker *self, int64_t from_us, int64_t min_us)
{
    *self =
        (GapTracker){.min_us = MAX(min_us, 1), .end_us = from_us, .distance_us = USUAL_DISTANCE_US};
}

static void
tell(GapTracker *self, int64_t start_us, int64_t end_us, const char *reason)
{
    if (end_us > start_us)
        self->on_gap(start_us, end_us - start_us, reason, self->user_data);
}

static void
tell_silence(GapTracker *self)
{
    tell(self, self->silence_start_us, self->silence_end_us, "silence");
    self->silence_start_us = self->silence_end_us = 0;
}

/* Muted speakers send a packet of comfort noise each 400 ms or so: that is one silence, not many.
 */
static void
add_silence(GapTracker *self, int64_t start_us, int64_t end_us)
{
    const bool goes_on = self->silence_end_us > self->silence_start_us &&
                         self->silence_end_us == self->last_us &&
                         end_us - self->silence_start_us <= MAX_SILENCE_US;

    if (!goes_on) {
        tell_silence(self);
        self->silence_start_us = start_us;
    }
    self->silence_end_us = end_us;
}

void
gap_tracker_lost(GapTracker *self)
{
    self->has_lost = true;
}

void
gap_tracker_limited(GapTracker *self)
{
    self->has_limited = true;
}

/* What a hole is, where nothing but its beginning is known of it. */
static const char *
reason_of(const GapTracker *self, const char *otherwise)
{
    return self->has_limited ? "limit-bitrate" : otherwise;
}

void
gap_tracker_restart(GapTracker *self)
{
    self->has_lost = false;
    self->has_restarted = true;
    self->distance_us = USUAL_DISTANCE_US;
}

/* Learns how long a packet lasts from two that followed each other. */
static void
learn_distance(GapTracker *self, int64_t time_us)
{
    const int64_t distance_us = time_us - self->last_us;

    if (self->has_media && !self->has_lost && !self->has_limited && !self->has_resumed &&
        !self->has_restarted && distance_us > 0 && distance_us < self->min_us)
        self->distance_us = distance_us;
}

void
gap_tracker_media(GapTracker *self, int64_t time_us)
{
    const int64_t hole_us = time_us - self->end_us;

    g_assert(self->pause_reason == NULL);
    learn_distance(self, time_us);
    if (!self->has_media) {
        tell(self, self->end_us, time_us, "no-media");
    } else if (hole_us < self->min_us) {
        if (time_us > self->last_us)
            tell_silence(self);
    } else if (self->has_lost || self->has_limited) {
        tell_silence(self);
        tell(self, self->end_us, time_us, reason_of(self, "loss"));
    } else {
        add_silence(self, self->end_us, time_us);
        /* Another part follows, and a gap between two parts is told between them. */
        if (self->has_restarted)
            tell_silence(self);
    }
    self->has_media = true;
    self->has_lost = false;
    self->has_limited = false;
    self->has_resumed = false;
    self->has_restarted = false;
    self->last_us = time_us;
    self->end_us = MAX(self->end_us, time_us + self->distance_us);
}

/* Tells the hole before `now_us`, if it counts; a short one goes to what follows. */
static void
close_hole(GapTracker *self, int64_t now_us)
{
    const int64_t hole_us = now_us - self->end_us;

    tell_silence(self);
    if (self->has_media && hole_us < self->min_us)
        return;
    tell(self, self->end_us, now_us, reason_of(self, self->has_media ? "silence" : "no-media"));
    self->end_us = MAX(self->end_us, now_us);
}

void
gap_tracker_pause(GapTracker *self, const char *reason, int64_t now_us)
{
    if (self->pause_reason != NULL)
        gap_tracker_resume(self, now_us);
    close_hole(self, now_us);
    self->pause_reason = reason;
}

void
gap_tracker_resume(GapTracker *self, int64_t now_us)
{
    tell(self, self->end_us, now_us, self->pause_reason);
    self->end_us = MAX(self->end_us, now_us);
    self->pause_reason = NULL;
    self->has_lost = false;
    self->has_limited = false;
    self->has_resumed = true;
}

void
gap_tracker_finish(GapTracker *self, int64_t until_us)
{
    tell_silence(self);
    tell(self, self->end_us, until_us,
         self->pause_reason != NULL ? self->pause_reason : reason_of(self, "no-media"));
    self->end_us = MAX(self->end_us, until_us);
}
