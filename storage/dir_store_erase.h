#pragma once

#include "storage/object_store.h"

#include <glib.h>

/* All that a folder keeps under a prefix, and its end: what object_store_list_versions() and
 * object_store_remove_versions() are for a directory. A folder has one version of each object, and
 * beside it perhaps a file that a crash left half written. Snapshots and backups of the file system
 * are not seen from here. For dir_store.c alone. */

/* `prefix`: ends in `/`. Returns: GPtrArray of ObjectVersion, owned. */
GPtrArray *dir_store_erase_list(int root, const char *prefix,
                                GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Each is gone, its folder with it where nothing else is in there, once this returns, and would be
 * after a power cut. */
void dir_store_erase_remove(int root, ObjectRemoval *removals, size_t n_removals);
