#pragma once

#include "crypto/age_context.h"
#include "storage/object_store.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* Visits everything that is sealed to an organisation, several sessions at once: what changes,
 * counts or checks keys asks it for the objects. */

typedef struct {
    const char *session;
    const char *name;          /* of the object */
    const AgeContext *context; /* its place; NULL: nothing sealed is called so */
} SealedObject;

typedef struct {
    ObjectStore *store;
    const char *org;
    const char *session; /* only this one; NULL: all */
    unsigned n_threads;  /* from 1 */
    /* Thread: any of the walk's, several at once. Returns: false with `error` ends the walk. */
    bool (*visit)(void *user_data, const SealedObject *object, GError **error);
    /* Thread: the caller's. May be NULL. */
    void (*on_progress)(void *user_data, uint64_t n_done, uint64_t n_sessions);
    void *user_data;
} SealedWalk;

/* Returns: true once every object was visited. Errors: the store's, or of a visit; those that had
 * begun have ended. Blocks. */
bool sealed_walk(const SealedWalk *walk, GError **error) G_GNUC_WARN_UNUSED_RESULT;
