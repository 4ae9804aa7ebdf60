#pragma once

#include "storage/object_store.h"

#include <glib.h>
#include <stdbool.h>

/* The sessions of a store, by their names alone. */

typedef struct {
    char *org;
    char *session;
    bool has_erasure; /* its erasure was ordered: storage/erasure_trace.h */
} SessionName;

SessionName *session_name_new(const char *org, const char *session);
void session_name_free(SessionName *self);

/* `org`: only its sessions; NULL for all.
 * Returns: GPtrArray of SessionName (owned), in order of organisation and session. Errors: the
 * store's. */
GPtrArray *session_list_names(ObjectStore *store, const char *org,
                              GError **error) G_GNUC_WARN_UNUSED_RESULT;
