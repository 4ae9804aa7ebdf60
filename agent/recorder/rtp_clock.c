#include "agent/recorder/rtp_clock.h"

#include <glib.h>

enum {
    /* A goal stays while it is so near: smaller is the weather of a network. */
    NEAR_US = 4000,
    /* The share of the media that passes by which a shift moves: quick where the quickest packets
     * or reports prove it, slow where a queue may only look like drift. */
    PROVEN_SHARE = 100,
    SUPPOSED_SHARE = 500,
};

void
rtp_clock_init(RtpClock *self, uint32_t rate)
{
    g_assert(rate > 0);
    *self = (RtpClock){.rate = rate};
}

void
rtp_clock_anchor(RtpClock *self, uint32_t timestamp, int64_t arrival_us)
{
    self->first_timestamp = timestamp;
    self->anchor_us = arrival_us;
    self->newest_us = arrival_us;
    self->pace = self->shift = (RtpClockShift){0};
    delay_floor_init(&self->floor, arrival_us, 0);
}

void
rtp_clock_improve(RtpClock *self, uint32_t timestamp, int64_t arrival_us)
{
    const int64_t lag_us = rtp_clock_lag_us(self, timestamp, arrival_us);

    if (lag_us >= 0)
        return;
    self->pace.now_us += lag_us;
    self->pace.goal_us = self->pace.now_us;
    self->shift = self->pace;
    delay_floor_init(&self->floor, arrival_us, self->pace.now_us);
}

void
rtp_clock_not_before(RtpClock *self, uint32_t timestamp, int64_t earliest_us)
{
    const int64_t time_us = rtp_clock_time_us(self, timestamp, earliest_us);

    self->shift.now_us += MAX(earliest_us - time_us, 0);
}

int64_t
rtp_clock_media_us(const RtpClock *self, uint32_t timestamp, int64_t arrival_us)
{
    const int64_t rate = self->rate;
    const int64_t elapsed_us = arrival_us - self->anchor_us;
    /* Whole seconds apart, so that no product overflows in any session's life. */
    const int64_t expected =
        elapsed_us / G_USEC_PER_SEC * rate + elapsed_us % G_USEC_PER_SEC * rate / G_USEC_PER_SEC;
    const uint32_t expected_timestamp = self->first_timestamp + (uint32_t) (uint64_t) expected;
    const int64_t ticks = expected + (int32_t) (timestamp - expected_timestamp);

    return self->anchor_us + ticks / rate * G_USEC_PER_SEC + ticks % rate * G_USEC_PER_SEC / rate;
}

int64_t
rtp_clock_time_us(const RtpClock *self, uint32_t timestamp, int64_t arrival_us)
{
    return rtp_clock_media_us(self, timestamp, arrival_us) + self->shift.now_us;
}

int64_t
rtp_clock_lag_us(const RtpClock *self, uint32_t timestamp, int64_t arrival_us)
{
    return arrival_us - rtp_clock_media_us(self, timestamp, arrival_us) - self->pace.now_us;
}

/* Moves towards `goal_us` by at most `earlier_us` or `later_us`. */
static void
move(RtpClockShift *shift, int64_t goal_us, int64_t earlier_us, int64_t later_us)
{
    if (ABS(goal_us - shift->goal_us) > NEAR_US)
        shift->goal_us = goal_us;
    shift->now_us += CLAMP(shift->goal_us - shift->now_us, -earlier_us, later_us);
}

void
rtp_clock_observe(RtpClock *self, uint32_t timestamp, int64_t arrival_us,
                  const int64_t *reported_us)
{
    const int64_t media_us = rtp_clock_media_us(self, timestamp, arrival_us);
    const int64_t passed_us = media_us - self->newest_us;

    /* Nothing but a newer timestamp tells anything, and only between two of them is room. */
    if (passed_us <= 0)
        return;
    self->newest_us = media_us;
    delay_floor_add(&self->floor, arrival_us, arrival_us - media_us);
    const int64_t floor_us = delay_floor_at(&self->floor, arrival_us);
    const int64_t proven_us = passed_us / PROVEN_SHARE;
    const int64_t supposed_us = passed_us / SUPPOSED_SHARE;

    move(&self->pace, floor_us, proven_us, supposed_us);
    if (reported_us != NULL) {
        move(&self->shift, *reported_us, proven_us, proven_us);
    } else {
        move(&self->shift, floor_us, proven_us, supposed_us);
    }
}
