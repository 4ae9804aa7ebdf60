#pragma once

#include "agent/admin/command_context.h"
#include "storage/object_store.h"

#include <glib.h>

/* The stores that must each have everything: the one of the settings, and its replicas. */
typedef struct {
    char *name; /* `store`, `replica NAME` */
    ObjectStore *store;
} StorePlace;

/* Returns: GPtrArray of StorePlace (owned), the store first. Errors: as configured_store_open(). */
GPtrArray *store_places_open(CommandContext *context, GError **error) G_GNUC_WARN_UNUSED_RESULT;
StorePlace *store_place_new(const char *name, ObjectStore *store_taken);
void store_place_free(StorePlace *self);
