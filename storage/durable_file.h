#pragma once

#include <glib.h>
#include <stdbool.h>
#include <sys/types.h>

/* A file descriptor that closes itself; the close preserves errno. -1 is none. */
typedef int Fd;
void fd_close(Fd *fd);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Fd, fd_close)

/* Replaces `name` inside `dir_fd` with `content`.
 * Returns: true once the file would survive a power cut.
 * Errors: any STORAGE_ERROR; `name` then holds the old content or the new, never a mix. */
bool durable_file_replace(int dir_fd, const char *name, GBytes *content,
                          GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Creates `name` with `mode` (0600 for a key) if the name is free. Errors: CONFLICT - it exists;
 * others as above. */
bool durable_file_create(int dir_fd, const char *name, mode_t mode, GBytes *content,
                         GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Writes all of `n_bytes`, whatever short writes and interruptions occur. Returns: false sets
 * errno. */
bool durable_file_write_all(int fd, const void *bytes, size_t n_bytes) G_GNUC_WARN_UNUSED_RESULT;
