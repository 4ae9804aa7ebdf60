#pragma once

#include "storage/manifest.h"
#include "storage/object_store.h"

#include <glib.h>
#include <stdbool.h>

/* Where something that a store lacks may still be: another store, or a recorder's spool. What it
 * gives is not believed: who asks compares it with the signed manifest. One thread. */
typedef struct RepairSource RepairSource;

/* What each kind supplies. All are required; each may answer NULL without an error: not there. */
typedef struct {
    GBytes *(*object)(RepairSource *self, const char *key, const GPtrArray *segments);
    void (*free)(RepairSource *self);
} RepairSourceOps;

struct RepairSource {
    const RepairSourceOps *ops;
    char *name;
};

/* `store`: borrowed. */
RepairSource *repair_source_new_store(const char *name, ObjectStore *store);

/* Reads the log files of the spool at `path`, beside the recorder that may be writing them. Errors:
 * NOT_FOUND, DENIED, IO. */
RepairSource *repair_source_open_spool(const char *path, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* `key`: of the object; `segments`: the ManifestSegment it consists of, in order; NULL for a part
 * of a manifest, an envelope or metadata. Returns: its bytes, owned; NULL if it has not got it. */
GBytes *repair_source_object(RepairSource *self, const char *key, const GPtrArray *segments);
void repair_source_free(RepairSource *self);
