#pragma once

#include "agent/admin/command_context.h"

#include <glib.h>
#include <jansson.h>
#include <stdint.h>

/* The rows of `session list`: what the catalogue says, with what a running recorder knows of the
 * sessions that are still open. Where there is no catalogue, or it is damaged, the manifests in the
 * store are read instead, which takes longer, and that is said on standard error. */

/* What is NULL or 0 does not restrict. */
typedef struct {
    const char *org;
    const char *state; /* as published */
    int64_t since_us;  /* made then or later, unix time */
    int64_t until_us;  /* made before */
    const char *after; /* only those behind this session in the list */
    uint32_t limit;
} SessionListing;

/* `more`: the id to go on behind, owned; NULL when that is all.
 * Returns: the rows as JSON, newest first, owned; NULL sets `error`. */
json_t *session_listing_make(CommandContext *context, const SessionListing *wanted, char **more,
                             GError **error) G_GNUC_WARN_UNUSED_RESULT;
