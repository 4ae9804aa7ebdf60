#include "agent/keys/rewrap_run.h"

#include "agent/keys/first_sentences.h"
#include "agent/keys/sealed_walk.h"

enum { MOST_REASONS = 20 };

typedef struct {
    const RewrapRun *run;
    GMutex lock;
    struct {
        RewrapCounts *counts;
    } locked;
} Rewrapping;

static void
add_reason_locked(Rewrapping *self, const char *reason)
{
    RewrapCounts *counts = self->locked.counts;

    counts->n_stale++;
    first_sentences_add(counts->reasons, g_strdup(reason), MOST_REASONS);
}

static bool
count_locked(Rewrapping *self, const SealedObject *object, RewrapResult result,
             const GError *reason, GError **error)
{
    RewrapCounts *counts = self->locked.counts;

    switch (result) {
    case REWRAP_DONE:
        counts->n_done++;
        return self->run->on_done(self->run->user_data, object->session, object->name, error);
    case REWRAP_CURRENT:
        counts->n_current++;
        return true;
    case REWRAP_REFUSED:
        add_reason_locked(self, reason->message);
        return true;
    case REWRAP_STOPPED:
        g_propagate_error(error, g_error_copy(reason));
        return false;
    case REWRAP_GONE:
    default:
        return true;
    }
}

static bool
on_visit(void *user_data, const SealedObject *object, GError **error)
{
    Rewrapping *self = user_data;
    g_autoptr(GError) reason = NULL;
    RewrapResult result = REWRAP_REFUSED;
    bool may_go_on = false;

    if (object->context == NULL) {
        reason = g_error_new(G_FILE_ERROR, G_FILE_ERROR_INVAL,
                             "%s: nothing that this version knows is called so", object->name);
    } else {
        result = rewrap_object(&self->run->keys, object->name, object->context, &reason);
    }
    g_mutex_lock(&self->lock);
    may_go_on = count_locked(self, object, result, reason, error);
    g_mutex_unlock(&self->lock);
    return may_go_on;
}

static void
on_walk_progress(void *user_data, uint64_t n_done, uint64_t n_sessions)
{
    const Rewrapping *self = user_data;

    if (self->run->on_progress != NULL)
        self->run->on_progress(self->run->user_data, n_done, n_sessions);
}

bool
rewrap_run(const RewrapRun *run, RewrapCounts *counts, GError **error)
{
    Rewrapping self = {.run = run, .locked = {counts}};
    const SealedWalk walk = {
        .store = run->keys.store,
        .org = run->org,
        .n_threads = run->n_threads,
        .visit = on_visit,
        .on_progress = on_walk_progress,
        .user_data = &self,
    };
    bool is_whole = false;

    *counts = (RewrapCounts){.reasons = g_ptr_array_new_with_free_func(g_free)};
    g_mutex_init(&self.lock);
    is_whole = sealed_walk(&walk, error);
    g_mutex_clear(&self.lock);
    return is_whole;
}

void
rewrap_counts_clear(RewrapCounts *self)
{
    g_clear_pointer(&self->reasons, g_ptr_array_unref);
}
