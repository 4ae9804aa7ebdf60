#pragma once

#include "storage/object_store.h"
#include "storage/recording.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* The end of what a sealing anew replaced. Only `keys reencrypt` calls this
 * (tests/check_mistakes.sh): no daemon deletes. Blocks. */

typedef struct {
    unsigned n_removed; /* versions, markers and unfinished uploads, by this run */
    unsigned n_locked;  /* versions that a lock still keeps; their keys are gone */
    uint64_t n_bytes;   /* removed */
    char *until;        /* YYYY-MM-DD: when the last lock ends; NULL: nothing is left */
} ResealRemoval;

/* Whether anything of before lies there, in any version. `is_left`: out. Errors: the store's. */
bool reseal_removal_is_due(const Recording *recording, ObjectStore *store, bool *is_left,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Removes, of what `recording` (just read, without a fault of its notes) says was replaced: every
 * version of every envelope and statement, and older versions of the metadata; then objects, by
 * version. It is listed again: what is still there is a failure, or media under a lock. `result`:
 * to be cleared. Errors: DENIED - its old keys can not be destroyed; CORRUPT - the store said that
 * something was removed, and has it; any of the store's: run it again. */
bool reseal_removal_run(const Recording *recording, ObjectStore *store, ResealRemoval *result,
                        GError **error) G_GNUC_WARN_UNUSED_RESULT;

void reseal_removal_clear(ResealRemoval *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(ResealRemoval, reseal_removal_clear)
