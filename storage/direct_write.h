#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

/* What begins at a multiple of DIRECT_WRITE_BLOCK in memory, and is at least DIRECT_WRITE_LARGE,
 * can go to the disk without a copy in the page cache. */
enum { DIRECT_WRITE_BLOCK = 4096, DIRECT_WRITE_LARGE = 256 * 1024 };

/* Writes all of `n_bytes` to `fd`, a file that is still empty: past the page cache where the bytes
 * and the file system allow it, all but the part of a block at the end; else as
 * durable_file_write_all() does. Flush it as any other: neither the file's metadata nor the disk's
 * own cache are down yet.
 * Returns: false sets errno; nothing more is to be written to `fd` then. */
bool direct_write_all(int fd, const void *bytes, size_t n_bytes) G_GNUC_WARN_UNUSED_RESULT;
