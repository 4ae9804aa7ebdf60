#include "agent/recorder/session_audit.h"
#include "agent/recorder/session_internal.h"
#include "agent/recorder/session_tracks.h"

/* Who is told of changes. */

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
    const SessionState before = self->state;

    self->state = session_state_next(before, event);
    session_audit_state(self, before);
    session_tell(self);
}
