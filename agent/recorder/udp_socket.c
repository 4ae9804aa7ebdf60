#include "agent/recorder/udp_socket.h"

#include "config/host_needs.h"

#include <errno.h>
#include <gio/gio.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <unistd.h>

static int
fail(GError **error, const char *action, const char *address, uint16_t port)
{
    const int code = errno;

    g_set_error(error, G_IO_ERROR, (int) g_io_error_from_errno(code), "cannot %s %s port %u: %s",
                action, address, port, g_strerror(code));
    return -1;
}

static void
set_options(int fd)
{
    const int size = HOST_RECEIVE_BUFFER_BYTES;
    const int on = 1;

    /* Past the system's limit only with CAP_NET_ADMIN; up to it is better than nothing. */
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) != 0)
        (void) setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
    /* Without them drops are only not counted, and arrivals as late as we see them. */
    (void) setsockopt(fd, SOL_SOCKET, SO_RXQ_OVFL, &on, sizeof(on));
    (void) setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on));
}

int
udp_socket_open(const char *address, uint16_t port, GError **error)
{
    g_autoptr(GSocketAddress) name = g_inet_socket_address_new_from_string(address, port);
    struct sockaddr_storage native = {0};

    if (name == NULL) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                    "'%s' is no numeric IPv4 or IPv6 address", address);
        return -1;
    }
    if (!g_socket_address_to_native(name, &native, sizeof(native), error))
        return -1;
    const int fd = socket(native.ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return fail(error, "open a socket for", address, port);
    set_options(fd);
    const socklen_t n_bytes = (socklen_t) g_socket_address_get_native_size(name);
    if (bind(fd, (struct sockaddr *) &native, n_bytes) != 0) {
        (void) fail(error, "bind", address, port);
        (void) close(fd); /* nothing was received or sent yet */
        return -1;
    }
    return fd;
}

void
udp_socket_allow_pieces(int fd)
{
    const int on = 1;

    /* Without it they come one by one. */
    (void) setsockopt(fd, SOL_UDP, UDP_GRO, &on, sizeof(on));
}

unsigned
udp_socket_room(int fd)
{
    int n_bytes = 0;
    socklen_t n_option = sizeof(n_bytes);

    if (getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &n_bytes, &n_option) != 0 || n_bytes < 0)
        return 0;
    return (unsigned) n_bytes / HOST_COUNTED_PACKET_BYTES;
}

uint32_t
udp_socket_dropped(int fd)
{
    uint32_t counts[SK_MEMINFO_VARS] = {0};
    socklen_t n_option = sizeof(counts);

    if (getsockopt(fd, SOL_SOCKET, SO_MEMINFO, counts, &n_option) != 0)
        return 0;
    return counts[SK_MEMINFO_DROPS];
}
