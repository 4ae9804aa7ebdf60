#include "agent/recorder/rate_limit.h"

/* A bucket that fills with time: what is in it may pass. */
enum { BUCKET_US = 2 * G_USEC_PER_SEC };

struct RateLimit {
    int64_t bytes_per_second;
    bool has_time;
    int64_t time_us;  /* the latest told */
    int64_t level_us; /* of the bucket: how long the rate would take to fill it so far */
};

RateLimit *
rate_limit_new(uint32_t kbps)
{
    RateLimit *self = g_atomic_rc_box_new0(RateLimit);

    g_assert(kbps > 0);
    self->bytes_per_second = (int64_t) kbps * 125;
    self->level_us = BUCKET_US;
    return self;
}

RateLimit *
rate_limit_ref(RateLimit *self)
{
    return g_atomic_rc_box_acquire(self);
}

bool
rate_limit_allow(RateLimit *self, size_t n_bytes, int64_t time_us)
{
    const int64_t cost_us = (int64_t) n_bytes * G_USEC_PER_SEC / self->bytes_per_second;

    if (!self->has_time || time_us > self->time_us) {
        const int64_t elapsed_us = self->has_time ? time_us - self->time_us : 0;

        self->level_us = MIN(BUCKET_US, self->level_us + MIN(elapsed_us, BUCKET_US));
        self->time_us = time_us;
        self->has_time = true;
    }
    if (cost_us > self->level_us)
        return false;
    self->level_us -= cost_us;
    return true;
}

void
rate_limit_unref(RateLimit *self)
{
    if (self != NULL)
        g_atomic_rc_box_release(self);
}
