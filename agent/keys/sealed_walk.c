#include "agent/keys/sealed_walk.h"

#include "agent/keys/sealed_objects.h"
#include "storage/session_list.h"

enum { PROGRESS_US = 100000 };

typedef struct {
    const SealedWalk *walk;
    GMutex lock;
    GCond changed;
    struct {
        uint64_t n_done;
        GError *error; /* the first: nothing more begins */
    } locked;
} Walking;

static bool
visit_session(Walking *self, const char *session, GError **error)
{
    const SealedWalk *walk = self->walk;
    g_autoptr(GPtrArray) names = sealed_objects_list(walk->store, walk->org, session, error);

    for (guint i = 0; names != NULL && i < names->len; i++) {
        g_autoptr(AgeContext) context = sealed_objects_context(walk->org, session, names->pdata[i]);
        const SealedObject object = {session, names->pdata[i], context};

        if (!walk->visit(walk->user_data, &object, error))
            return false;
    }
    return names != NULL;
}

static void
run_one(gpointer data, gpointer user_data)
{
    const SessionName *name = data;
    Walking *self = user_data;
    g_autoptr(GError) error = NULL;
    bool has_ended = false;

    g_mutex_lock(&self->lock);
    has_ended = self->locked.error != NULL;
    g_mutex_unlock(&self->lock);
    if (!has_ended)
        (void) visit_session(self, name->session, &error); /* `error` says it */
    g_mutex_lock(&self->lock);
    self->locked.n_done++;
    if (error != NULL && self->locked.error == NULL)
        self->locked.error = g_steal_pointer(&error);
    g_cond_signal(&self->changed);
    g_mutex_unlock(&self->lock);
}

/* Waits for all, and tells how far they are. */
static void
wait_for_all(Walking *self, uint64_t n_sessions)
{
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

static GPtrArray *
list_sessions(const SealedWalk *walk, GError **error)
{
    GPtrArray *names = NULL;

    if (walk->session == NULL)
        return session_list_names(walk->store, walk->org, error);
    names = g_ptr_array_new_with_free_func((GDestroyNotify) session_name_free);
    g_ptr_array_add(names, session_name_new(walk->org, walk->session));
    return names;
}

bool
sealed_walk(const SealedWalk *walk, GError **error)
{
    Walking self = {.walk = walk};
    g_autoptr(GPtrArray) names = list_sessions(walk, error);
    GThreadPool *pool = NULL;

    if (names == NULL)
        return false;
    g_mutex_init(&self.lock);
    g_cond_init(&self.changed);
    pool = g_thread_pool_new(run_one, &self, (gint) walk->n_threads, FALSE, NULL);
    for (guint i = 0; i < names->len; i++)
        (void) g_thread_pool_push(pool, names->pdata[i], NULL); /* queued, whatever fails */
    wait_for_all(&self, names->len);
    g_thread_pool_free(pool, FALSE, TRUE);
    g_mutex_clear(&self.lock);
    g_cond_clear(&self.changed);
    if (self.locked.error == NULL)
        return true;
    g_propagate_error(error, self.locked.error);
    return false;
}
