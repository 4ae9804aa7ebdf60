#pragma once

#include "storage/object_store.h"

/* An object store in a folder: one file for each object, written whole without a name, flushed,
 * linked into place if the name is free, and its folder flushed. A killed process leaves nothing
 * behind (on a file system without O_TMPFILE: a `.*.partial` file, which is never listed). `path`:
 * must exist and be writable. Returns: a new store, owned. Errors: NOT_FOUND, DENIED, IO. */
ObjectStore *dir_store_open(const char *path, GError **error) G_GNUC_WARN_UNUSED_RESULT;
