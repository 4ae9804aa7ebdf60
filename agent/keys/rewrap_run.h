#pragma once

#include "agent/keys/rewrap.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* Seals everything of an organisation to its recipients of now. A run that is cut off leaves each
 * object as it was or done; the next one finds out which. */

typedef struct {
    RewrapKeys keys;
    const char *org;
    unsigned n_threads;
    /* After each object that was sealed anew. Thread: any, one at a time. Returns: false with
     * `error` ends the run. */
    bool (*on_done)(void *user_data, const char *session, const char *name, GError **error);
    void (*on_progress)(void *user_data, uint64_t n_done, uint64_t n_sessions);
    void *user_data;
} RewrapRun;

typedef struct {
    uint64_t n_done;
    uint64_t n_current;
    uint64_t n_stale;   /* still sealed to other keys */
    GPtrArray *reasons; /* char *: one sentence each of the first stale ones */
} RewrapCounts;

/* `counts`: out, right in any case; to be cleared. Returns: true if all sessions were gone through.
 * Errors: the store's - the run stopped there, and may be started again. */
bool rewrap_run(const RewrapRun *run, RewrapCounts *counts, GError **error);
void rewrap_counts_clear(RewrapCounts *self);
