#pragma once

#include "config/settings.h"
#include "storage/object_store.h"

#include <glib.h>

/* From what the administrator wrote to a store, the same for every program: neither do the settings
 * know the kinds of stores, nor those the settings. */

/* Opens the store that `settings` describe, its replicas with it: a put counts when all have it,
 * and what one can not give is read from the next. Asks the network nothing. Returns: a new store,
 * owned. Errors: NOT_FOUND, DENIED, IO - one sentence that begins with the setting. */
ObjectStore *configured_store_open(const StoreSettings *settings,
                                   GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The same without its replicas; of a replica, that one alone. */
ObjectStore *configured_store_open_one(const StoreSettings *settings,
                                       GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Returns: `store`, or `replica <name>`, as people read it; owned. */
char *configured_store_place(const StoreSettings *settings);

/* Finds out what the store really does, as s3_probe(), but with short deadlines, since somebody
 * waits; replicas are probed by calls of their own. Returns: GPtrArray of S3ProbeRow (owned); an
 * empty one for a directory. Blocks for a minute at worst. Errors: as configured_store_open(). */
GPtrArray *configured_store_probe(const StoreSettings *settings,
                                  GError **error) G_GNUC_WARN_UNUSED_RESULT;
