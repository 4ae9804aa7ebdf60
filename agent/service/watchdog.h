#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* Evidence that a daemon works: each part of it counts its turns, is asked for one every few
 * seconds, and is stalled when none comes in its time. The service manager's watchdog is fed only
 * while no part is stalled, so that a thread that hangs ends in a restart and not in a recording
 * that silently stands still. Main thread. */
typedef struct Watchdog Watchdog;

typedef struct {
    const char *name;  /* static: of logs and metrics */
    unsigned limit_ms; /* how long a turn may take at most, whatever disk or store do */
    /* Wakes the part, so that even one with nothing to do turns, and returns how often it has
     * turned. Never blocks. */
    uint64_t (*ask)(void *part);
    void *part;
} WatchdogPart;

/* Starts to look, every few seconds, and more often where the service manager wants to be told so.
 * `parts`: copied; what they name is borrowed until watchdog_free(). */
Watchdog *watchdog_new(const WatchdogPart *parts, unsigned n_parts);

/* One look, as the timer takes it. `now_us`: monotonic. Returns: true if no part is stalled, and
 * the service manager was told so. */
bool watchdog_look(Watchdog *self, int64_t now_us);

unsigned watchdog_count(const Watchdog *self);

/* Of the last look. `name`: borrowed. Returns: whether part `i` is stalled. */
bool watchdog_is_stalled(const Watchdog *self, unsigned i, const char **name);

/* NULL is allowed. */
void watchdog_free(Watchdog *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Watchdog, watchdog_free)
