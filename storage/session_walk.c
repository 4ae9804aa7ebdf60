#include "storage/session_walk.h"

#include "storage/session_list.h"

enum { PROGRESS_US = 100000 };

typedef struct {
    const SessionWalk *walk;
    const GPtrArray *names;
    GMutex lock;
    GCond changed;
    struct {
        uint64_t n_done;
        GError *error; /* the first: nothing more begins */
    } locked;
} Walking;

/* `data`: one more than the place, since a pool takes no NULL. */
static void
run_one(gpointer data, gpointer user_data)
{
    Walking *self = user_data;
    const guint place = GPOINTER_TO_UINT(data) - 1;
    const SessionName *name = self->names->pdata[place];
    g_autoptr(GError) error = NULL;
    bool has_ended = false;

    g_mutex_lock(&self->lock);
    has_ended = self->locked.error != NULL;
    g_mutex_unlock(&self->lock);
    if (!has_ended) /* `error` says how it went */
        (void) self->walk->visit(self->walk->user_data, place, name->session, &error);
    g_mutex_lock(&self->lock);
    self->locked.n_done++;
    if (error != NULL && self->locked.error == NULL)
        self->locked.error = g_steal_pointer(&error);
    g_cond_signal(&self->changed);
    g_mutex_unlock(&self->lock);
}

/* Waits for all, and tells how far they are. */
static void
wait_for_all(Walking *self)
{
    const uint64_t n_sessions = self->names->len;
    uint64_t n_done = 0;

    while (n_done < n_sessions) {
        const gint64 until_us = g_get_monotonic_time() + PROGRESS_US;

        g_mutex_lock(&self->lock);
        while (self->locked.n_done < n_sessions &&
               g_cond_wait_until(&self->changed, &self->lock, until_us))
            continue;
        n_done = self->locked.n_done;
        g_mutex_unlock(&self->lock);
        if (self->walk->on_progress != NULL)
            self->walk->on_progress(self->walk->user_data, n_done, n_sessions);
    }
}

bool
session_walk(const SessionWalk *walk, const GPtrArray *names, GError **error)
{
    Walking self = {.walk = walk, .names = names};
    GThreadPool *pool = NULL;

    g_mutex_init(&self.lock);
    g_cond_init(&self.changed);
    pool = g_thread_pool_new(run_one, &self, (gint) walk->n_threads, FALSE, NULL);
    for (guint i = 0; i < names->len; i++) /* queued, whatever fails */
        (void) g_thread_pool_push(pool, GUINT_TO_POINTER(i + 1), NULL);
    wait_for_all(&self);
    g_thread_pool_free(pool, FALSE, TRUE);
    g_mutex_clear(&self.lock);
    g_cond_clear(&self.changed);
    if (self.locked.error == NULL)
        return true;
    g_propagate_error(error, self.locked.error);
    return false;
}
