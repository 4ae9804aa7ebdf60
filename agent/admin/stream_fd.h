#pragma once

#include <glib.h>
#include <stdbool.h>

/* What the two ends of a command, input_file.h and output_file.h, have in common. */

/* Sets `error` (G_FILE_ERROR) from errno: `cannot <action> <name>: <reason>`. Returns: false. */
bool stream_fd_fail_errno(GError **error, const char *action, const char *name);

/* Lets a pipe hold a megabyte, so that two programs need not take turns every 64 KiB. Anything else
 * stays as it is. */
void stream_fd_widen_pipe(int fd);

/* Returns: whether both are the same regular file. */
bool stream_fd_is_same_file(int fd, const char *path);
