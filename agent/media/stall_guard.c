#include "agent/media/stall_guard.h"

struct StallGuard {
    int64_t limit_us;
    struct {
        GMutex mutex;
        const char *inside; /* NULL: nothing is */
        int64_t since_us;
        bool is_given_up;
    } locked;
};

StallGuard *
stall_guard_new(int64_t limit_us)
{
    StallGuard *self = g_new0(StallGuard, 1);

    self->limit_us = limit_us;
    g_mutex_init(&self->locked.mutex);
    return self;
}

void
stall_guard_enter(StallGuard *self, const char *what)
{
    g_mutex_lock(&self->locked.mutex);
    g_assert(self->locked.inside == NULL);
    self->locked.inside = what;
    self->locked.since_us = g_get_monotonic_time();
    g_mutex_unlock(&self->locked.mutex);
}

void
stall_guard_leave(StallGuard *self)
{
    g_mutex_lock(&self->locked.mutex);
    self->locked.inside = NULL;
    g_mutex_unlock(&self->locked.mutex);
}

char *
stall_guard_stuck(StallGuard *self)
{
    char *stuck = NULL;

    g_mutex_lock(&self->locked.mutex);
    if (self->locked.inside != NULL &&
        g_get_monotonic_time() - self->locked.since_us > self->limit_us)
        stuck = g_strdup(self->locked.inside);
    self->locked.is_given_up |= stuck != NULL;
    g_mutex_unlock(&self->locked.mutex);
    return stuck;
}

bool
stall_guard_is_given_up(StallGuard *self)
{
    bool result = false;

    g_mutex_lock(&self->locked.mutex);
    result = self->locked.is_given_up;
    g_mutex_unlock(&self->locked.mutex);
    return result;
}

void
stall_guard_free(StallGuard *self)
{
    if (self == NULL)
        return;
    g_mutex_clear(&self->locked.mutex);
    g_free(self);
}
