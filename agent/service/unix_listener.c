#include "agent/service/unix_listener.h"

#include <errno.h>
#include <gio/gunixsocketaddress.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <systemd/sd-daemon.h>

struct UnixListener {
    GSocket *socket;
    char *path;
    dev_t device; /* of the name, so that only our own is removed */
    ino_t inode;  /* 0: the name is the service manager's */
};

static bool
fail_errno(GError **error, const char *action, const char *path)
{
    int code = errno;

    g_set_error(error, G_IO_ERROR, g_io_error_from_errno(code), "cannot %s %s: %s", action, path,
                g_strerror(code));
    return false;
}

static bool
somebody_serves(GSocketAddress *address)
{
    g_autoptr(GSocket) probe =
        g_socket_new(G_SOCKET_FAMILY_UNIX, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_DEFAULT, NULL);
    g_autoptr(GError) refusal = NULL;

    if (probe == NULL)
        return true;
    /* A full backlog answers "would block", and that is a living process too. */
    g_socket_set_blocking(probe, FALSE);
    return g_socket_connect(probe, address, NULL, &refusal) ||
           !g_error_matches(refusal, G_IO_ERROR, G_IO_ERROR_CONNECTION_REFUSED);
}

static bool
make_way(GSocketAddress *address, const char *path, GError **error)
{
    struct stat found;

    if (lstat(path, &found) != 0)
        return errno == ENOENT || fail_errno(error, "look at", path);
    if (!S_ISSOCK(found.st_mode)) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_EXISTS,
                    "cannot listen on %s: something that is no socket has this name", path);
        return false;
    }
    if (somebody_serves(address)) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_ADDRESS_IN_USE,
                    "cannot listen on %s: another process serves there", path);
        return false;
    }
    return g_unlink(path) == 0 || errno == ENOENT ||
           fail_errno(error, "remove the dead socket", path);
}

static bool
bind_and_listen(UnixListener *self, GSocketAddress *address, GError **error)
{
    struct stat made;

    if (!g_socket_bind(self->socket, address, FALSE, error))
        return false;
    /* Nobody can connect before listen(), so nobody meets the socket with another mode. */
    if (chmod(self->path, 0660) != 0)
        return fail_errno(error, "set the mode of", self->path);
    if (lstat(self->path, &made) != 0)
        return fail_errno(error, "look at", self->path);
    self->device = made.st_dev;
    self->inode = made.st_ino;
    g_socket_set_listen_backlog(self->socket, 128);
    return g_socket_listen(self->socket, error);
}

/* The service manager's socket for `path` (a .socket unit), with the mode and owner that it gave
 * it. Returns: -1 if it passed none. */
static int
passed_socket(const char *path)
{
    const int n_passed = sd_listen_fds(0);

    for (int fd = SD_LISTEN_FDS_START; fd < SD_LISTEN_FDS_START + n_passed; fd++) {
        if (sd_is_socket_unix(fd, SOCK_STREAM, 1, path, 0) > 0)
            return fd;
    }
    return -1;
}

UnixListener *
unix_listener_open(const char *path, GError **error)
{
    g_autoptr(UnixListener) self = g_new0(UnixListener, 1);
    g_autoptr(GSocketAddress) address = NULL;
    const int passed = passed_socket(path);

    if (passed >= 0) {
        self->socket = g_socket_new_from_fd(passed, error);
        return self->socket != NULL ? g_steal_pointer(&self) : NULL;
    }
    if (strlen(path) >= sizeof(((struct sockaddr_un *) NULL)->sun_path)) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_FILENAME_TOO_LONG,
                    "cannot listen on %s: the path of a socket has at most %zu bytes", path,
                    sizeof(((struct sockaddr_un *) NULL)->sun_path) - 1);
        return NULL;
    }
    address = g_unix_socket_address_new(path);
    if (!make_way(address, path, error))
        return NULL;
    self->path = g_strdup(path);
    self->socket =
        g_socket_new(G_SOCKET_FAMILY_UNIX, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_DEFAULT, error);
    if (self->socket == NULL)
        return NULL;
    if (!bind_and_listen(self, address, error)) {
        g_prefix_error(error, "cannot listen on %s: ", path);
        return NULL;
    }
    return g_steal_pointer(&self);
}

GSocket *
unix_listener_socket(const UnixListener *self)
{
    return self->socket;
}

void
unix_listener_free(UnixListener *self)
{
    struct stat found;

    if (self == NULL)
        return;
    if (self->inode != 0 && lstat(self->path, &found) == 0 && found.st_dev == self->device &&
        found.st_ino == self->inode)
        (void) g_unlink(self->path); /* a name left behind is replaced at the next start */
    g_clear_object(&self->socket);
    g_free(self->path);
    g_free(self);
}
