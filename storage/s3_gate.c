#include "storage/s3_gate.h"

/* So many in a row earn one place more. */
enum { GOOD_PER_PLACE = 16 };

struct S3Gate {
    unsigned most;
    GMutex lock;
    GCond changed;
    struct {
        unsigned limit;
        unsigned n_inside;
        unsigned n_good;
    } locked;
};

S3Gate *
s3_gate_new(unsigned most)
{
    S3Gate *self = g_new0(S3Gate, 1);

    g_assert(most > 0);
    self->most = most;
    self->locked.limit = most;
    g_mutex_init(&self->lock);
    g_cond_init(&self->changed);
    return self;
}

void
s3_gate_enter(S3Gate *self)
{
    g_mutex_lock(&self->lock);
    while (self->locked.n_inside >= self->locked.limit)
        g_cond_wait(&self->changed, &self->lock);
    self->locked.n_inside++;
    g_mutex_unlock(&self->lock);
}

void
s3_gate_leave(S3Gate *self, bool was_throttled)
{
    g_mutex_lock(&self->lock);
    self->locked.n_inside--;
    if (was_throttled) {
        self->locked.limit = MAX(1, self->locked.limit / 2);
        self->locked.n_good = 0;
    } else if (++self->locked.n_good >= GOOD_PER_PLACE) {
        self->locked.limit = MIN(self->most, self->locked.limit + 1);
        self->locked.n_good = 0;
    }
    g_cond_broadcast(&self->changed);
    g_mutex_unlock(&self->lock);
}

unsigned
s3_gate_limit(S3Gate *self)
{
    unsigned limit = 0;

    g_mutex_lock(&self->lock);
    limit = self->locked.limit;
    g_mutex_unlock(&self->lock);
    return limit;
}

void
s3_gate_free(S3Gate *self)
{
    if (self == NULL)
        return;
    g_assert(self->locked.n_inside == 0);
    g_mutex_clear(&self->lock);
    g_cond_clear(&self->changed);
    g_free(self);
}
