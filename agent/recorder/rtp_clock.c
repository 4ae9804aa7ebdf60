#include "agent/recorder/rtp_clock.h"

#include <glib.h>

enum {
    OBSERVE_US = 10 * G_USEC_PER_SEC,
    /* Smaller is not drift but the weather of a network. */
    TOLERATED_US = 30000,
    MAX_STEP_US = OBSERVE_US / 1000,
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
    self->offset_us = 0;
    self->window_start_us = arrival_us;
    self->quickest_us = INT64_MAX;
}

void
rtp_clock_improve(RtpClock *self, uint32_t timestamp, int64_t arrival_us)
{
    const int64_t lag_us = rtp_clock_lag_us(self, timestamp, arrival_us);

    if (lag_us < 0)
        self->anchor_us += lag_us;
}

void
rtp_clock_not_before(RtpClock *self, uint32_t timestamp, int64_t earliest_us)
{
    const int64_t time_us = rtp_clock_time_us(self, timestamp, earliest_us);

    if (time_us < earliest_us) {
        self->anchor_us += earliest_us - time_us;
        self->offset_us += earliest_us - time_us;
    }
}

int64_t
rtp_clock_time_us(const RtpClock *self, uint32_t timestamp, int64_t arrival_us)
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
rtp_clock_lag_us(const RtpClock *self, uint32_t timestamp, int64_t arrival_us)
{
    return arrival_us - rtp_clock_time_us(self, timestamp, arrival_us) + self->offset_us;
}

void
rtp_clock_observe(RtpClock *self, uint32_t timestamp, int64_t arrival_us)
{
    /* Without the offset: what the anchor had to be late by is made up for as drift is. */
    const int64_t lag_us = rtp_clock_lag_us(self, timestamp, arrival_us) - self->offset_us;

    self->quickest_us = MIN(self->quickest_us, lag_us);
    if (arrival_us - self->window_start_us < OBSERVE_US)
        return;
    if (ABS(self->quickest_us) > TOLERATED_US) {
        const int64_t step_us = CLAMP(self->quickest_us, -MAX_STEP_US, MAX_STEP_US);
        self->anchor_us += step_us;
        self->offset_us = MAX(0, self->offset_us + MIN(step_us, 0));
    }
    self->window_start_us = arrival_us;
    self->quickest_us = INT64_MAX;
}
