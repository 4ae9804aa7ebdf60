#include "agent/admin/stream_fd.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#define PIPE_BYTES (1024 * 1024)

bool
stream_fd_fail_errno(GError **error, const char *action, const char *name)
{
    const int number = errno;

    g_set_error(error, G_FILE_ERROR, (int) g_file_error_from_errno(number), "cannot %s %s: %s",
                action, name, g_strerror(number));
    return false;
}

void
stream_fd_widen_pipe(int fd)
{
    (void) fcntl(fd, F_SETPIPE_SZ, PIPE_BYTES); /* not a pipe, or not allowed: only slower */
}

bool
stream_fd_is_same_file(int fd, const char *path)
{
    struct stat a;
    struct stat b;

    return fstat(fd, &a) == 0 && stat(path, &b) == 0 && S_ISREG(a.st_mode) &&
           a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}
