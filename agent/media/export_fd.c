#include "agent/media/export_fd.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

bool
export_fd_is_seekable(int fd)
{
    struct stat status;

    return lseek(fd, 0, SEEK_CUR) >= 0 && fstat(fd, &status) == 0 && S_ISREG(status.st_mode) &&
           (fcntl(fd, F_GETFL) & O_APPEND) == 0;
}

bool
export_fd_fail_errno(GError **error)
{
    const int code = errno;

    g_set_error(error, G_IO_ERROR, (gint) g_io_error_from_errno(code),
                "cannot write the exported file: %s", g_strerror(code));
    return false;
}

bool
export_fd_write(int fd, const uint8_t *bytes, size_t n_bytes, GError **error)
{
    while (n_bytes > 0) {
        const ssize_t n = write(fd, bytes, n_bytes);

        if (n >= 0) {
            bytes += n;
            n_bytes -= (size_t) n;
        } else if (errno == EAGAIN) {
            struct pollfd ready = {.fd = fd, .events = POLLOUT};

            (void) poll(&ready, 1, -1); /* whatever it says, the write says more */
        } else if (errno != EINTR) {
            return export_fd_fail_errno(error);
        }
    }
    return true;
}
