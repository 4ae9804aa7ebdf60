#include "storage/send_rate.h"

enum {
    SMALLEST_BYTES = 4096,
    /* What was not used is kept for so long, so that a timer that comes late costs nothing. */
    LONGEST_US = 100000,
};

/* Returns: the most that may go at once. */
static uint64_t
most_bytes(const SendRate *self)
{
    return MAX(SMALLEST_BYTES, self->bytes_per_s * LONGEST_US / G_USEC_PER_SEC);
}

void
send_rate_init(SendRate *self, uint64_t bytes_per_s)
{
    *self = (SendRate){.bytes_per_s = bytes_per_s};
}

static void
earn(SendRate *self, int64_t now_us)
{
    const uint64_t most = most_bytes(self);
    const int64_t most_us = (int64_t) (most * G_USEC_PER_SEC / self->bytes_per_s) + 1;
    const int64_t passed_us = now_us - self->last_us;
    uint64_t n_earned = 0;

    if (passed_us >= most_us) {
        self->n_allowed = most;
        self->last_us = now_us;
        return;
    }
    n_earned = (uint64_t) passed_us * self->bytes_per_s / G_USEC_PER_SEC;
    if (n_earned == 0)
        return; /* not yet a byte: the time is not lost */
    self->n_allowed = MIN(most, self->n_allowed + n_earned);
    self->last_us = now_us;
}

size_t
send_rate_take(SendRate *self, size_t n_wanted, int64_t now_us)
{
    size_t n_taken = 0;

    if (self->bytes_per_s == 0)
        return n_wanted;
    earn(self, now_us);
    if (self->n_allowed < MIN(n_wanted, SMALLEST_BYTES))
        return 0;
    n_taken = MIN(n_wanted, self->n_allowed);
    self->n_allowed -= n_taken;
    return n_taken;
}

int64_t
send_rate_delay_ms(const SendRate *self, uint64_t n_bytes, unsigned n_others)
{
    if (self->bytes_per_s == 0)
        return 0;
    return (int64_t) (n_bytes * (n_others + 1) * 1000 / self->bytes_per_s);
}
