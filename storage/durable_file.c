#include "storage/durable_file.h"

#include "storage/storage_error.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

/* The order, and why:
 * 1. write everything under a temporary name, so that the real name never shows half a file;
 * 2. fsync the file, or the name could survive a power cut and the bytes not;
 * 3. rename (replace) or link (create: fails if the name is taken);
 * 4. fsync the folder, where the name itself lives. */

void
fd_close(Fd *fd)
{
    const int saved = errno;

    if (*fd >= 0)
        (void) close(*fd); /* whoever cares has flushed before */
    *fd = -1;
    errno = saved;
}

bool
durable_file_write_all(int fd, const void *bytes, size_t n_bytes)
{
    const uint8_t *next = bytes;

    while (n_bytes > 0) {
        const ssize_t n = write(fd, next, n_bytes);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return false;
        next += n;
        n_bytes -= (size_t) n;
    }
    return true;
}

/* Writes and flushes `content` under a temporary name beside `name`.
 * Returns: that name, owned, to be renamed or removed. */
static char *
write_partial(int dir_fd, const char *name, mode_t mode, GBytes *content, GError **error)
{
    g_autofree char *partial = g_strdup_printf("%s.%08x.partial", name, g_random_int());
    const int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
    g_auto(Fd) file = openat(dir_fd, partial, flags, mode);
    gsize n_bytes = 0;
    const void *bytes = g_bytes_get_data(content, &n_bytes);

    if (file < 0) {
        (void) storage_fail_errno(error, "create", partial);
        return NULL;
    }
    if (durable_file_write_all(file, bytes, n_bytes) && fsync(file) == 0)
        return g_steal_pointer(&partial);
    (void) storage_fail_errno(error, "write", partial);
    (void) unlinkat(dir_fd, partial, 0); /* a leftover name is untidy, not unsafe */
    return NULL;
}

static bool
flush_folder(int dir_fd, const char *name, GError **error)
{
    if (fsync(dir_fd) < 0)
        return storage_fail_errno(error, "flush directory of", name);
    return true;
}

bool
durable_file_replace(int dir_fd, const char *name, GBytes *content, GError **error)
{
    g_autofree char *partial = write_partial(dir_fd, name, 0600, content, error);

    if (partial == NULL)
        return false;
    if (renameat(dir_fd, partial, dir_fd, name) < 0) {
        (void) storage_fail_errno(error, "rename", partial);
        (void) unlinkat(dir_fd, partial, 0); /* as above */
        return false;
    }
    return flush_folder(dir_fd, name, error);
}

bool
durable_file_create(int dir_fd, const char *name, mode_t mode, GBytes *content, GError **error)
{
    g_autofree char *partial = write_partial(dir_fd, name, mode, content, error);
    bool is_linked = false;

    if (partial == NULL)
        return false;
    is_linked = linkat(dir_fd, partial, dir_fd, name, 0) == 0;
    if (!is_linked)
        (void) storage_fail_errno(error, "create", name);
    (void) unlinkat(dir_fd, partial, 0); /* as above */
    return is_linked && flush_folder(dir_fd, name, error);
}
