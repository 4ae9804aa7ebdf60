#pragma once

#include <glib.h>
#include <stdbool.h>

/* Ends the file of a key, as far as a program can: overwritten in place, flushed, cut to nothing
 * and removed. What it can not reach are copies, backups, snapshots, and old blocks of solid-state
 * disks and copy-on-write file systems; who calls it says so. */

/* Whether `path` could be shredded: a file of its own with one name.
 * Errors: G_FILE_ERROR, STORAGE_ERROR - one sentence. */
bool shred_check(const char *path, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Errors: STORAGE_ERROR - the file may be overwritten already. */
bool shred_file(const char *path, GError **error) G_GNUC_WARN_UNUSED_RESULT;
