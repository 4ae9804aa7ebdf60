#include "agent/recorder/session_internal.h"
#include "agent/recorder/session_tracks.h"

/* Who is told of changes, and what keeps a session from being an orphan. */

typedef struct {
    unsigned id;
    SessionWatchFunc on_change;
    void *user_data;
} Watcher;

GArray *
session_watchers_new(void)
{
    return g_array_new(FALSE, FALSE, sizeof(Watcher));
}

unsigned
session_watch(Session *self, SessionWatchFunc on_change, void *user_data)
{
    const Watcher watcher = {++self->last_watcher, on_change, user_data};

    g_array_append_val(self->watchers, watcher);
    return watcher.id;
}

void
session_unwatch(Session *self, unsigned watch)
{
    for (guint i = 0; i < self->watchers->len; i++) {
        if (g_array_index(self->watchers, Watcher, i).id == watch) {
            g_array_remove_index(self->watchers, i);
            return;
        }
    }
}

void
session_tell(Session *self)
{
    /* Whoever is told may stop watching. */
    g_autoptr(GArray) told = g_array_copy(self->watchers);

    for (guint i = 0; i < told->len; i++) {
        const Watcher *watcher = &g_array_index(told, Watcher, i);

        watcher->on_change(self, watcher->user_data);
    }
}

void
session_move(Session *self, SessionEvent event)
{
    self->state = session_state_next(self->state, event);
    session_tell(self);
}

void
session_note_request(Session *self)
{
    self->last_sign_us = g_get_monotonic_time();
}

bool
session_end_if_orphan(Session *self, int64_t limit_us)
{
    SessionCounts counts = {0};
    const int64_t now_us = g_get_monotonic_time();

    if (!session_is_open(self))
        return false;
    session_add_counts(self, &counts);
    if (counts.n_arrived != self->n_packets_then) {
        self->n_packets_then = counts.n_arrived;
        self->last_sign_us = now_us;
    }
    if (now_us - self->last_sign_us < limit_us)
        return false;
    self->end_reason = "orphan";
    return session_stop(self);
}
