#include "agent/recorder/udp_batch.h"

#include "agent/recorder/rtp_packet.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <string.h>
#include <time.h>

enum {
    /* The longest there can be, so that one longer than a packet shows, and pieces fit. */
    PIECE_BYTES = 65536,
    /* Buffers that lie a power of two apart would fight for the same lines of the cache. */
    STRIDE_BYTES = PIECE_BYTES + 1472,
    /* As many as the kernel ever puts into one piece (UDP_MAX_SEGMENTS). */
    MAX_IN_PIECE = 128,
    MAX_DATAGRAMS = UDP_BATCH_PIECES * MAX_IN_PIECE,
    /* What a datagram may have waited in its socket; more is a step of the system's clock. */
    MAX_AGE_US = 10 * G_USEC_PER_SEC,
    CLOCK_SLACK_US = 50,
    CLOCK_TRIES = 5,
};

typedef struct {
    _Alignas(
        struct cmsghdr) char bytes[CMSG_SPACE(sizeof(uint32_t)) +
                                   CMSG_SPACE(sizeof(struct timespec)) + CMSG_SPACE(sizeof(int))];
} Control;

/* What the kernel says beside a piece. */
typedef struct {
    int64_t came_us;   /* in the system's time; 0: not told */
    size_t n_datagram; /* bytes of each datagram in it but the last; 0: it is one */
} PieceFacts;

typedef struct {
    uint8_t *bytes;
    size_t n_bytes;
    int64_t arrival_us;
} Datagram;

struct UdpBatch {
    unsigned n_pieces, n_datagrams;
    uint32_t n_dropped;
    struct sockaddr_storage source;
    struct mmsghdr messages[UDP_BATCH_PIECES];
    struct iovec vectors[UDP_BATCH_PIECES];
    Control controls[UDP_BATCH_PIECES];
    size_t n_touched[UDP_BATCH_PIECES]; /* the most that was ever in each buffer */
    Datagram datagrams[MAX_DATAGRAMS];
    _Alignas(8) uint8_t buffers[UDP_BATCH_PIECES][STRIDE_BYTES];
};

UdpBatch *
udp_batch_new(void)
{
    UdpBatch *self = g_new0(UdpBatch, 1);

    for (unsigned i = 0; i < UDP_BATCH_PIECES; i++) {
        self->vectors[i] = (struct iovec){self->buffers[i], PIECE_BYTES};
        self->messages[i].msg_hdr.msg_iov = &self->vectors[i];
        self->messages[i].msg_hdr.msg_iovlen = 1;
        self->messages[i].msg_hdr.msg_control = &self->controls[i];
    }
    return self;
}

/* Reads what the kernel says beside piece `i`, and of drops. */
static PieceFacts
read_controls(UdpBatch *self, unsigned i)
{
    struct msghdr *message = &self->messages[i].msg_hdr;
    struct timespec came = {0};
    int n_datagram = 0;

    for (struct cmsghdr *header = CMSG_FIRSTHDR(message); header != NULL;
         header = CMSG_NXTHDR(message, header)) {
        if (header->cmsg_level == SOL_SOCKET && header->cmsg_type == SO_RXQ_OVFL) {
            memcpy(&self->n_dropped, CMSG_DATA(header), sizeof(self->n_dropped));
        } else if (header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_TIMESTAMPNS) {
            memcpy(&came, CMSG_DATA(header), sizeof(came));
        } else if (header->cmsg_level == SOL_UDP && header->cmsg_type == UDP_GRO) {
            memcpy(&n_datagram, CMSG_DATA(header), sizeof(n_datagram));
        }
    }
    return (PieceFacts){(int64_t) came.tv_sec * G_USEC_PER_SEC + came.tv_nsec / 1000,
                        (size_t) MAX(n_datagram, 0)};
}

/* The datagrams of piece `i`, all of one length but the last, which may be shorter. */
static void
take_apart(UdpBatch *self, unsigned i, size_t n_datagram, int64_t arrival_us)
{
    const size_t n_bytes = self->messages[i].msg_len;
    const size_t n_each = n_datagram > 0 ? n_datagram : MAX(n_bytes, 1);
    size_t at = 0;

    self->n_touched[i] = MAX(self->n_touched[i], n_bytes);
    do {
        const size_t n_here = MIN(n_each, n_bytes - at);

        self->datagrams[self->n_datagrams++] = (Datagram){
            .bytes = self->buffers[i] + at,
            .n_bytes = n_here <= RTP_PACKET_MAX_BYTES ? n_here : 0,
            .arrival_us = arrival_us,
        };
        at += n_here;
    } while (at < n_bytes && self->n_datagrams < (i + 1) * MAX_IN_PIECE);
}

/* One moment by two clocks. Where another process ran in between they are read again: what lies
 * between them would pass for a delay of the network. */
static void
read_clocks(int64_t *monotonic_us, int64_t *real_us)
{
    int64_t took_us = INT64_MAX;

    for (unsigned i = 0; i < CLOCK_TRIES && took_us > CLOCK_SLACK_US; i++) {
        const int64_t before_us = g_get_monotonic_time();
        const int64_t between_us = g_get_real_time();
        const int64_t after_us = g_get_monotonic_time();

        if (after_us - before_us < took_us) {
            took_us = after_us - before_us;
            *monotonic_us = before_us + took_us / 2;
            *real_us = between_us;
        }
    }
}

static void
take_pieces(UdpBatch *self)
{
    int64_t monotonic_us = 0;
    int64_t real_us = 0;
    int64_t earliest_us = 0;

    read_clocks(&monotonic_us, &real_us);

    self->n_dropped = 0;
    self->n_datagrams = 0;
    for (unsigned i = 0; i < self->n_pieces; i++) {
        const PieceFacts facts = read_controls(self, i);
        const int64_t age_us = real_us - facts.came_us;
        const bool is_known = age_us >= 0 && age_us <= MAX_AGE_US;

        earliest_us = MAX(earliest_us, monotonic_us - (is_known ? age_us : 0));
        take_apart(self, i, facts.n_datagram, earliest_us);
    }
}

unsigned
udp_batch_receive(UdpBatch *self, int fd)
{
    self->messages[0].msg_hdr.msg_name = &self->source;
    self->messages[0].msg_hdr.msg_namelen = sizeof(self->source);
    for (unsigned i = 0; i < UDP_BATCH_PIECES; i++)
        self->messages[i].msg_hdr.msg_controllen = sizeof(Control);

    int n_received = 0;
    do {
        n_received = recvmmsg(fd, self->messages, UDP_BATCH_PIECES, MSG_DONTWAIT, NULL);
    } while (n_received < 0 && errno == EINTR);
    /* What else can fail here (an ICMP answer to a request of ours) says nothing about the
     * datagrams to come. */
    self->n_pieces = n_received > 0 ? (unsigned) n_received : 0;
    take_pieces(self);
    return self->n_datagrams;
}

bool
udp_batch_is_full(const UdpBatch *self)
{
    return self->n_pieces == UDP_BATCH_PIECES;
}

uint8_t *
udp_batch_bytes(UdpBatch *self, unsigned i, size_t *n_bytes)
{
    g_assert(i < self->n_datagrams);
    *n_bytes = self->datagrams[i].n_bytes;
    return self->datagrams[i].bytes;
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
    g_assert(i < self->n_datagrams);
    return self->datagrams[i].arrival_us;
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
    for (unsigned i = 0; i < UDP_BATCH_PIECES; i++)
        explicit_bzero(self->buffers[i], self->n_touched[i]);
    g_free(self);
}
