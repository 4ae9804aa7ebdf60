#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The descriptor that an exported file goes to, which is not ours. */

/* Whether one may go back in it: a regular file, not opened for appending. */
bool export_fd_is_seekable(int fd);

/* Writes all of it, and waits where the other end is slow.
 * Errors: G_IO_ERROR_NO_SPACE, BROKEN_PIPE and what else writing gives. */
bool export_fd_write(int fd, const uint8_t *bytes, size_t n_bytes,
                     GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Sets `error` by `errno`. Returns: false. */
bool export_fd_fail_errno(GError **error);
