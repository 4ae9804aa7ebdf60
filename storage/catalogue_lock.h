#pragma once

#include "storage/durable_file.h"

#include <glib.h>
#include <stdbool.h>

/* Who may change a catalogue's file: many together (SQLite keeps them in order), or one alone who
 * puts another file in its place. Held on <path>.lock, which is never replaced.
 * Waits at most `wait_ms`. Returns: the lock, to be closed; -1 sets `error`. Errors: BUSY; DENIED,
 * NOT_FOUND - there is no such folder; IO, FULL. */
Fd catalogue_lock_take(const char *path, bool is_alone, unsigned wait_ms,
                       GError **error) G_GNUC_WARN_UNUSED_RESULT;
