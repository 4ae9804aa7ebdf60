#pragma once

#include "storage/object_store.h"

#include <glib.h>
#include <stdbool.h>

/* Finding one's way inside a directory store without ever following a symbolic link. */

/* Opens the folder that holds the object `key` (valid), making what is missing if `may_make`.
 * Returns: a descriptor, owned; -1 sets errno. */
int dir_store_walk_to_folder(int root, const char *key, bool may_make) G_GNUC_WARN_UNUSED_RESULT;

/* Returns: what the regular file `file` holds. Errors: NOT_FOUND - it is no regular file; IO. */
GBytes *dir_store_walk_read(int file, const char *key, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The same, of the object `key` in `folder` (borrowed; may be -1, with errno). */
GBytes *dir_store_walk_read_in(int folder, const char *key,
                               GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* As object_store_get_range(). */
bool dir_store_walk_read_range(int root, const char *key, ObjectRange *range,
                               GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* As object_store_list() and object_store_list_folders(). */
GPtrArray *dir_store_walk_list(int root, const char *prefix,
                               GError **error) G_GNUC_WARN_UNUSED_RESULT;
GPtrArray *dir_store_walk_list_folders(int root, const char *prefix,
                                       GError **error) G_GNUC_WARN_UNUSED_RESULT;
