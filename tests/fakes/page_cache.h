#pragma once

#include <stdbool.h>
#include <stddef.h>

/* What the machine's memory holds of a file. */

/* Returns: how many pages of its first `n_bytes`, which are not none. `file`: open for reading. */
size_t page_cache_count(int file, size_t n_bytes);

/* Whether `path` lies on a file system that is memory, where all pages of a file are there. */
bool page_cache_is_all(const char *path);
