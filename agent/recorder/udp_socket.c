#include "agent/recorder/udp_socket.h"

#include "agent/recorder/rtp_packet.h"
#include "config/host_needs.h"

#include <errno.h>
#include <gio/gio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    /* One more than a packet may have, so that a longer one shows. */
    DATAGRAM_BYTES = RTP_PACKET_MAX_BYTES + 1,
    /* And so that each begins where words do, as libsrtp2 wants it. */
    STRIDE_BYTES = (DATAGRAM_BYTES + 7) / 8 * 8,
    /* What a datagram may have waited in its socket; more is a step of the system's clock. */
    MAX_AGE_US = 10 * G_USEC_PER_SEC,
};

typedef struct {
    _Alignas(struct cmsghdr) char bytes[CMSG_SPACE(sizeof(uint32_t)) +
                                        CMSG_SPACE(sizeof(struct timespec))];
} Control;

struct UdpBatch {
    unsigned n_received;
    uint32_t n_dropped;
    int64_t arrivals_us[UDP_SOCKET_BATCH];
    struct sockaddr_storage source;
    struct mmsghdr messages[UDP_SOCKET_BATCH];
    struct iovec vectors[UDP_SOCKET_BATCH];
    Control controls[UDP_SOCKET_BATCH];
    _Alignas(8) uint8_t datagrams[UDP_SOCKET_BATCH][STRIDE_BYTES];
};

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

unsigned
udp_socket_room(int fd)
{
    int n_bytes = 0;
    socklen_t n_option = sizeof(n_bytes);

    if (getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &n_bytes, &n_option) != 0 || n_bytes < 0)
        return 0;
    return (unsigned) n_bytes / HOST_COUNTED_PACKET_BYTES;
}

UdpBatch *
udp_batch_new(void)
{
    UdpBatch *self = g_new0(UdpBatch, 1);

    for (unsigned i = 0; i < UDP_SOCKET_BATCH; i++) {
        self->vectors[i] = (struct iovec){self->datagrams[i], DATAGRAM_BYTES};
        self->messages[i].msg_hdr.msg_iov = &self->vectors[i];
        self->messages[i].msg_hdr.msg_iovlen = 1;
        self->messages[i].msg_hdr.msg_control = &self->controls[i];
    }
    return self;
}

/* Reads what the kernel says beside datagram `i`: when it came, in the system's time, and drops. */
static int64_t
read_controls(UdpBatch *self, unsigned i)
{
    struct msghdr *message = &self->messages[i].msg_hdr;
    struct timespec came = {0};

    for (struct cmsghdr *header = CMSG_FIRSTHDR(message); header != NULL;
         header = CMSG_NXTHDR(message, header)) {
        if (header->cmsg_level != SOL_SOCKET)
            continue;
        if (header->cmsg_type == SO_RXQ_OVFL) {
            memcpy(&self->n_dropped, CMSG_DATA(header), sizeof(self->n_dropped));
        } else if (header->cmsg_type == SCM_TIMESTAMPNS) {
            memcpy(&came, CMSG_DATA(header), sizeof(came));
        }
    }
    return (int64_t) came.tv_sec * G_USEC_PER_SEC + came.tv_nsec / 1000;
}

static void
note_arrivals(UdpBatch *self)
{
    const int64_t monotonic_us = g_get_monotonic_time();
    const int64_t real_us = g_get_real_time();
    int64_t earliest_us = 0;

    self->n_dropped = 0;
    for (unsigned i = 0; i < self->n_received; i++) {
        const int64_t age_us = real_us - read_controls(self, i);
        const bool is_known = age_us >= 0 && age_us <= MAX_AGE_US;

        earliest_us = MAX(earliest_us, monotonic_us - (is_known ? age_us : 0));
        self->arrivals_us[i] = earliest_us;
    }
}

unsigned
udp_batch_receive(UdpBatch *self, int fd)
{
    self->messages[0].msg_hdr.msg_name = &self->source;
    self->messages[0].msg_hdr.msg_namelen = sizeof(self->source);
    for (unsigned i = 0; i < UDP_SOCKET_BATCH; i++)
        self->messages[i].msg_hdr.msg_controllen = sizeof(Control);

    int n_received = 0;
    do {
        n_received = recvmmsg(fd, self->messages, UDP_SOCKET_BATCH, MSG_DONTWAIT, NULL);
    } while (n_received < 0 && errno == EINTR);
    /* What else can fail here (an ICMP answer to a request of ours) says nothing about the
     * datagrams to come. */
    self->n_received = n_received > 0 ? (unsigned) n_received : 0;
    note_arrivals(self);
    return self->n_received;
}

uint8_t *
udp_batch_bytes(UdpBatch *self, unsigned i, size_t *n_bytes)
{
    g_assert(i < self->n_received);
    const bool is_cut = (self->messages[i].msg_hdr.msg_flags & MSG_TRUNC) != 0;

    *n_bytes = is_cut ? 0 : self->messages[i].msg_len;
    return self->datagrams[i];
}

const struct sockaddr_storage *
udp_batch_source(const UdpBatch *self, socklen_t *n_bytes)
{
    *n_bytes = self->messages[0].msg_hdr.msg_namelen;
    return &self->source;
}

int64_t
udp_batch_arrival_us(const UdpBatch *self, unsigned i)
{
    g_assert(i < self->n_received);
    return self->arrivals_us[i];
}

uint32_t
udp_batch_dropped(const UdpBatch *self)
{
    return self->n_dropped;
}

void
udp_batch_free(UdpBatch *self)
{
    if (self == NULL)
        return;
    explicit_bzero(self->datagrams, sizeof(self->datagrams));
    g_free(self);
}
