#include "agent/service/watchdog.h"

#include <string.h>
#include <systemd/sd-daemon.h>

enum { LOOK_MS = 5000 };

typedef struct {
    WatchdogPart part;
    uint64_t n_turns;
    int64_t turned_us; /* when the count was last seen to have grown */
    bool is_stalled;
} Watched;

struct Watchdog {
    Watched *parts;
    unsigned n_parts;
    guint timer;
};

/* Told when it changes, not with every look. */
static void
tell(const Watched *watched, int64_t idle_us)
{
    const int64_t idle_s = idle_us / G_USEC_PER_SEC;

    if (watched->is_stalled) {
        g_critical("%s has not turned for %" G_GINT64_FORMAT " s: the watchdog is told nothing",
                   watched->part.name, idle_s);
    } else {
        g_message("%s turns again, after %" G_GINT64_FORMAT " s", watched->part.name, idle_s);
    }
}

static void
look_at(Watched *watched, int64_t now_us)
{
    const uint64_t n_turns = watched->part.ask(watched->part.part);
    const int64_t idle_us = now_us - watched->turned_us;
    const bool has_turned = watched->turned_us == 0 || n_turns != watched->n_turns;
    const bool was_stalled = watched->is_stalled;

    watched->is_stalled = !has_turned && idle_us > watched->part.limit_ms * INT64_C(1000);
    if (watched->is_stalled != was_stalled)
        tell(watched, idle_us);
    if (has_turned) {
        watched->n_turns = n_turns;
        watched->turned_us = now_us;
    }
}

bool
watchdog_look(Watchdog *self, int64_t now_us)
{
    bool is_well = true;

    for (unsigned i = 0; i < self->n_parts; i++) {
        look_at(&self->parts[i], now_us);
        is_well = is_well && !self->parts[i].is_stalled;
    }
    if (is_well)
        (void) sd_notify(0, "WATCHDOG=1"); /* nobody listening is normal */
    return is_well;
}

static gboolean
on_timer(gpointer data)
{
    (void) watchdog_look(data, g_get_monotonic_time()); /* what follows is the service manager's */
    return G_SOURCE_CONTINUE;
}

Watchdog *
watchdog_new(const WatchdogPart *parts, unsigned n_parts)
{
    Watchdog *self = g_new0(Watchdog, 1);
    uint64_t fed_us = 0;
    unsigned look_ms = LOOK_MS;

    self->parts = g_new0(Watched, n_parts);
    self->n_parts = n_parts;
    for (unsigned i = 0; i < n_parts; i++)
        self->parts[i].part = parts[i];
    /* A third of its patience, as a look may come late. */
    if (sd_watchdog_enabled(0, &fed_us) > 0)
        look_ms = (unsigned) CLAMP(fed_us / 3000, 1, LOOK_MS);
    self->timer = g_timeout_add(look_ms, on_timer, self);
    return self;
}

unsigned
watchdog_count(const Watchdog *self)
{
    return self->n_parts;
}

bool
watchdog_is_stalled(const Watchdog *self, unsigned i, const char **name)
{
    g_assert(i < self->n_parts);
    *name = self->parts[i].part.name;
    return self->parts[i].is_stalled;
}

void
watchdog_free(Watchdog *self)
{
    if (self == NULL)
        return;
    g_source_remove(self->timer);
    g_free(self->parts);
    g_free(self);
}
