#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How streams of bytes reach and leave crypto/ without being whole in memory. A failure sets
 * `error` (any domain) and is handed through as it is. */

/* Fills up to `n_bytes` (> 0) of `buffer`. `n_read`: how many; 0 only at the end. */
typedef bool (*ByteSource)(void *source_data, uint8_t *buffer, size_t n_bytes, size_t *n_read,
                           GError **error);

/* Takes all of `bytes`. */
typedef bool (*ByteSink)(void *sink_data, const uint8_t *bytes, size_t n_bytes, GError **error);

/* Fills `buffer` wholly with the `n_bytes` at `offset`, as pread does; fewer is a failure. */
typedef bool (*ByteReadAt)(void *file_data, uint64_t offset, uint8_t *buffer, size_t n_bytes,
                           GError **error);
