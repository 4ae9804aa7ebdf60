#include "storage/uploader.h"

#include "storage/upload_cycle.h"

#include <string.h>
#include <sys/resource.h>

/* The thread and its clock; what it does each time is upload_cycle.c. */

enum {
    DEFAULT_INTERVAL_MS = 1000,
    MIN_SPACING_MS = 200,
    NICENESS = 5, /* sealing comes first: what waits here is on a disk already */
};

struct Uploader {
    UploaderOptions options;
    GThread *thread;
    unsigned n_turns; /* atomic */
    GMutex mutex;
    GCond woken, settled;
    struct {
        bool is_stopping;
        bool is_wanted;        /* somebody has woken us since the last cycle began */
        uint64_t n_begun;      /* cycles */
        uint64_t settled_upto; /* number of the last cycle that settled everything */
        UploaderStatus status;
    } locked;
};

static void
take_status_locked(Uploader *self, const UploadCycle *cycle)
{
    self->locked.status = (UploaderStatus){
        .n_objects = cycle->n_objects,
        .n_parts = cycle->n_parts,
        .n_failures = cycle->n_failures,
        .oldest_unix_us = cycle->oldest_unix_us,
        .is_parked = upload_retry_has_parked(cycle->retry),
    };
    memcpy(self->locked.status.n_failures_by, cycle->n_failures_by, sizeof cycle->n_failures_by);
    if (cycle->is_settled)
        self->locked.settled_upto = self->locked.n_begun;
    g_cond_broadcast(&self->settled);
}

/* Sleeps until the next look is due: at once when woken, but cycles keep a distance, so that their
 * flushes do not grow with the number of those who wake. */
static void
wait_locked(Uploader *self, int64_t begun_us, bool has_more)
{
    const int64_t interval_us = self->options.interval_ms * INT64_C(1000);
    const int64_t spacing_us = MIN(interval_us / 4, MIN_SPACING_MS * INT64_C(1000));

    while (!self->locked.is_stopping) {
        const bool is_wanted = self->locked.is_wanted || has_more;
        const int64_t until_us =
            has_more ? begun_us : begun_us + (is_wanted ? spacing_us : interval_us);

        if (g_get_monotonic_time() >= until_us)
            return;
        (void) g_cond_wait_until(&self->woken, &self->mutex, until_us);
    }
}

static void *
run(void *data)
{
    Uploader *self = data;
    g_autoptr(UploadRetry) retry = upload_retry_new();
    g_autoptr(UploadBodies) bodies = upload_bodies_new();
    UploadCycle cycle = {
        .options = &self->options,
        .retry = retry,
        .bodies = bodies,
        .n_steps = &self->n_turns,
    };

    (void) setpriority(PRIO_PROCESS, 0, NICENESS); /* of this thread; not vital */
    g_mutex_lock(&self->mutex);
    while (!self->locked.is_stopping) {
        const int64_t begun_us = g_get_monotonic_time();

        self->locked.is_wanted = false;
        self->locked.n_begun++;
        g_mutex_unlock(&self->mutex);
        g_atomic_int_inc(&self->n_turns);
        upload_cycle_run(&cycle);
        g_mutex_lock(&self->mutex);
        take_status_locked(self, &cycle);
        wait_locked(self, begun_us, cycle.has_more);
    }
    g_mutex_unlock(&self->mutex);
    return NULL;
}

Uploader *
uploader_new(const UploaderOptions *options)
{
    Uploader *self = g_new0(Uploader, 1);

    self->options = *options;
    if (self->options.interval_ms == 0)
        self->options.interval_ms = DEFAULT_INTERVAL_MS;
    g_mutex_init(&self->mutex);
    g_cond_init(&self->woken);
    g_cond_init(&self->settled);
    self->thread = g_thread_new("uploader", run, self);
    return self;
}

void
uploader_wake(Uploader *self)
{
    g_mutex_lock(&self->mutex);
    self->locked.is_wanted = true;
    g_cond_signal(&self->woken);
    g_mutex_unlock(&self->mutex);
}

bool
uploader_drain(Uploader *self, unsigned timeout_ms)
{
    const int64_t until_us = g_get_monotonic_time() + timeout_ms * INT64_C(1000);
    uint64_t begun_before = 0;
    bool is_settled = true;

    uploader_wake(self);
    g_mutex_lock(&self->mutex);
    /* A cycle that has begun already may have missed what was committed since. */
    begun_before = self->locked.n_begun;
    while (is_settled && self->locked.settled_upto <= begun_before) {
        is_settled = g_cond_wait_until(&self->settled, &self->mutex, until_us);
        self->locked.is_wanted = true;
        g_cond_signal(&self->woken);
    }
    is_settled = self->locked.settled_upto > begun_before && !self->locked.status.is_parked;
    g_mutex_unlock(&self->mutex);
    return is_settled;
}

void
uploader_status(Uploader *self, UploaderStatus *status)
{
    g_mutex_lock(&self->mutex);
    *status = self->locked.status;
    g_mutex_unlock(&self->mutex);
}

uint64_t
uploader_turns(void *self)
{
    return (uint64_t) (unsigned) g_atomic_int_get(&((Uploader *) self)->n_turns);
}

void
uploader_free(Uploader *self)
{
    if (self == NULL)
        return;
    g_mutex_lock(&self->mutex);
    self->locked.is_stopping = true;
    g_cond_signal(&self->woken);
    g_mutex_unlock(&self->mutex);
    (void) g_thread_join(self->thread); /* it returns nothing */
    g_cond_clear(&self->woken);
    g_cond_clear(&self->settled);
    g_mutex_clear(&self->mutex);
    g_free(self);
}
