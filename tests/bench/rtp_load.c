/* Many publishers at once: replays two recordings of RTP packets (RFC 4571 framing, as
 * tests/peers/media.py writes them) to as many pairs of ports as standard input lists, each with a
 * source, sequence numbers and timestamps of its own, over and over, in real time.
 *
 *     rtp_load AUDIO.rtp VIDEO.rtp SECONDS [pieces] < "AUDIO_PORT VIDEO_PORT" lines
 *
 * `pieces`: packets that one stream sends at once and that are of one length (all of a picture, but
 * the last may be shorter) are given to the kernel in one piece (UDP_SEGMENT), which also takes the
 * way through loopback in one. It is what a receiver sees of another host when its network card
 * gathers them, and what makes this program cheap enough to share a machine with who is measured.
 *
 * SIGTERM ends it before its time. Prints what was sent, how late it was at worst and what it cost,
 * as one line of JSON. */

#include <arpa/inet.h>
#include <errno.h>
#include <glib.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define HEADER_BYTES 12
#define BATCH        128
#define TICK_US      2000
/* What one piece may hold: below the limits of IPv4 and of the kernel (64 datagrams). */
#define MAX_PIECE   40
#define PIECE_BYTES 60000

static volatile sig_atomic_t is_told_to_end;

typedef struct {
    const uint8_t *bytes;
    size_t n_bytes;
    int64_t at_us;
} Packet;

/* A recording, and how to begin it again behind its end. */
typedef struct {
    char *content;
    GArray *packets; /* Packet */
    uint32_t span;   /* of the RTP clock, one frame after the last packet */
    int64_t span_us;
} Recording;

/* One stream of one publisher. */
typedef struct {
    const Recording *recording;
    struct sockaddr_in address;
    int64_t phase_us; /* begins so much later than the first publisher */
    uint32_t ssrc;
    guint next;
    uint32_t n_rounds;
} Stream;

/* A datagram, or some of one stream in one piece. */
typedef struct {
    const void *stream;
    unsigned n_packets;
    size_t n_each, n_bytes; /* n_each: of all but the last */
    struct iovec parts[MAX_PIECE][2];
    uint8_t headers[MAX_PIECE][HEADER_BYTES];
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(uint16_t))];
} Piece;

typedef struct {
    int fd;
    unsigned max_in_piece; /* 1: each packet by itself */
    struct mmsghdr messages[BATCH];
    Piece pieces[BATCH];
    unsigned n_waiting; /* pieces */
    uint64_t n_packets, n_bytes, n_refused;
    int64_t latest_us; /* worst delay behind schedule */
} Sender;

static int64_t
now_us(void)
{
    struct timespec now = {0};

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * G_USEC_PER_SEC + now.tv_nsec / 1000;
}

static uint32_t
read_u32(const uint8_t *bytes)
{
    uint32_t value = 0;

    memcpy(&value, bytes, sizeof value);
    return ntohl(value);
}

static void
recording_load(Recording *self, const char *path, uint32_t clock_rate)
{
    g_autoptr(GError) error = NULL;
    size_t n_content = 0;
    uint32_t frame = 0;

    if (!g_file_get_contents(path, &self->content, &n_content, &error))
        g_error("%s", error->message);
    self->packets = g_array_new(FALSE, FALSE, sizeof(Packet));
    for (size_t at = 0; at + 2 + HEADER_BYTES <= n_content;) {
        const uint8_t *start = (const uint8_t *) self->content + at;
        Packet packet = {start + 2, (size_t) start[0] << 8 | start[1], 0};
        const Packet *first =
            self->packets->len > 0 ? &g_array_index(self->packets, Packet, 0) : &packet;
        const uint32_t offset = read_u32(packet.bytes + 4) - read_u32(first->bytes + 4);

        packet.at_us = (int64_t) offset * G_USEC_PER_SEC / clock_rate;
        frame = offset > self->span ? offset - self->span : frame;
        self->span = offset;
        g_array_append_val(self->packets, packet);
        at += 2 + packet.n_bytes;
    }
    if (self->packets->len < 2)
        g_error("%s holds no RTP packets", path);
    self->span += frame;
    self->span_us = (int64_t) self->span * G_USEC_PER_SEC / clock_rate;
}

static void
tell_segments(struct msghdr *message, Piece *piece)
{
    const uint16_t n_each = (uint16_t) piece->n_each;

    message->msg_iov = piece->parts[0];
    message->msg_iovlen = 2 * (size_t) piece->n_packets;
    if (piece->n_packets < 2)
        return;
    message->msg_control = piece->control;
    message->msg_controllen = sizeof piece->control;
    struct cmsghdr *header = CMSG_FIRSTHDR(message);
    header->cmsg_level = SOL_UDP;
    header->cmsg_type = UDP_SEGMENT;
    header->cmsg_len = CMSG_LEN(sizeof n_each);
    memcpy(CMSG_DATA(header), &n_each, sizeof n_each);
}

static void
sender_flush(Sender *self)
{
    unsigned n_done = 0;

    for (unsigned i = 0; i < self->n_waiting; i++)
        tell_segments(&self->messages[i].msg_hdr, &self->pieces[i]);
    while (n_done < self->n_waiting) {
        const int n = sendmmsg(self->fd, self->messages + n_done, self->n_waiting - n_done, 0);

        if (n > 0) {
            n_done += (unsigned) n;
        } else if (errno == ECONNREFUSED) {
            self->n_refused++;
        } else if (errno != EINTR) {
            g_error("sendmmsg: %s", g_strerror(errno));
        }
    }
    self->n_waiting = 0;
}

/* Returns: the piece that the stream's next packet goes into. */
static Piece *
sender_piece(Sender *self, Stream *stream, size_t n_packet)
{
    Piece *last = self->n_waiting > 0 ? &self->pieces[self->n_waiting - 1] : NULL;

    if (last != NULL && last->stream == stream && last->n_packets < self->max_in_piece &&
        n_packet <= last->n_each && last->n_bytes == last->n_packets * last->n_each &&
        last->n_bytes + n_packet <= PIECE_BYTES)
        return last;
    if (self->n_waiting == BATCH)
        sender_flush(self);
    last = &self->pieces[self->n_waiting];
    last->stream = stream;
    last->n_packets = 0;
    last->n_bytes = 0;
    last->n_each = n_packet;
    self->messages[self->n_waiting++].msg_hdr =
        (struct msghdr){.msg_name = &stream->address, .msg_namelen = sizeof stream->address};
    return last;
}

/* The recording's packet with the stream's own source, place and time. */
static void
sender_add(Sender *self, Stream *stream, const Packet *packet)
{
    const guint n_packets = stream->recording->packets->len;
    const uint16_t sequence = htons((uint16_t) (stream->n_rounds * n_packets + stream->next));
    const uint32_t timestamp =
        htonl(read_u32(packet->bytes + 4) + stream->n_rounds * stream->recording->span);
    const uint32_t ssrc = htonl(stream->ssrc);
    Piece *piece = sender_piece(self, stream, packet->n_bytes);
    uint8_t *header = piece->headers[piece->n_packets];
    struct iovec *parts = piece->parts[piece->n_packets];

    memcpy(header, packet->bytes, 2);
    memcpy(header + 2, &sequence, 2);
    memcpy(header + 4, &timestamp, 4);
    memcpy(header + 8, &ssrc, 4);
    parts[0] = (struct iovec){header, HEADER_BYTES};
    parts[1] =
        (struct iovec){(void *) (packet->bytes + HEADER_BYTES), packet->n_bytes - HEADER_BYTES};
    piece->n_packets++;
    piece->n_bytes += packet->n_bytes;
    self->n_packets++;
    self->n_bytes += packet->n_bytes;
}

/* Sends what is due at `time_us` after the beginning. */
static void
stream_advance(Stream *self, Sender *sender, int64_t time_us)
{
    for (;;) {
        const Packet *packet = &g_array_index(self->recording->packets, Packet, self->next);
        const int64_t due_us =
            self->phase_us + self->n_rounds * self->recording->span_us + packet->at_us;

        if (due_us > time_us)
            return;
        sender->latest_us = MAX(sender->latest_us, time_us - due_us);
        sender_add(sender, self, packet);
        if (++self->next == self->recording->packets->len) {
            self->next = 0;
            self->n_rounds++;
        }
    }
}

static Stream
stream_make(const Recording *recording, unsigned port, uint32_t ssrc, int64_t phase_us)
{
    Stream self = {.recording = recording, .ssrc = ssrc, .phase_us = phase_us};

    self.address.sin_family = AF_INET;
    self.address.sin_port = htons((uint16_t) port);
    self.address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return self;
}

static GArray *
read_streams(const Recording *audio, const Recording *video)
{
    GArray *streams = g_array_new(FALSE, FALSE, sizeof(Stream));
    unsigned ports[2] = {0};
    uint32_t n_publishers = 0;

    while (scanf("%u %u", &ports[0], &ports[1]) == 2) {
        /* Spread over one second, so that keyframes and cuts do not fall together. */
        const int64_t phase_us = (int64_t) (n_publishers * 7919 % 1000) * 1000;
        const Stream pair[2] = {stream_make(audio, ports[0], 2 * n_publishers + 1, phase_us),
                                stream_make(video, ports[1], 2 * n_publishers + 2, phase_us)};

        g_array_append_vals(streams, pair, 2);
        n_publishers++;
    }
    if (n_publishers == 0)
        g_error("no ports on standard input");
    return streams;
}

static void
on_signal(int number)
{
    (void) number;
    is_told_to_end = 1;
}

static void
send_all(GArray *streams, Sender *sender, int64_t duration_us)
{
    const int64_t start_us = now_us();
    int64_t tick_us = start_us;

    for (int64_t now = start_us; now - start_us < duration_us && !is_told_to_end; now = now_us()) {
        for (guint i = 0; i < streams->len; i++)
            stream_advance(&g_array_index(streams, Stream, i), sender, now - start_us);
        sender_flush(sender);
        /* Ticks that were missed are not made up for; what they should have sent is. */
        tick_us = MAX(tick_us + TICK_US, now);
        now = now_us();
        if (tick_us > now)
            g_usleep((gulong) (tick_us - now));
    }
}

int
main(int argc, char **argv)
{
    Recording audio = {0}, video = {0};
    g_autofree Sender *sender = g_new0(Sender, 1);
    struct rusage usage = {0};
    const int n_buffer = 8 << 20;
    GArray *streams = NULL;

    if (argc < 4 || argc > 5 || (argc == 5 && strcmp(argv[4], "pieces") != 0))
        g_error("usage: rtp_load AUDIO.rtp VIDEO.rtp SECONDS [pieces]");
    sender->max_in_piece = argc == 5 ? MAX_PIECE : 1;
    recording_load(&audio, argv[1], 48000);
    recording_load(&video, argv[2], 90000);
    streams = read_streams(&audio, &video);
    (void) signal(SIGTERM, on_signal);
    sender->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (sender->fd < 0)
        g_error("socket: %s", g_strerror(errno));
    if (setsockopt(sender->fd, SOL_SOCKET, SO_SNDBUF, &n_buffer, sizeof n_buffer) < 0)
        g_error("SO_SNDBUF: %s", g_strerror(errno));
    send_all(streams, sender, g_ascii_strtoll(argv[3], NULL, 10) * G_USEC_PER_SEC);
    getrusage(RUSAGE_SELF, &usage);
    printf("{\"publishers\": %u, \"packets\": %" G_GUINT64_FORMAT ", \"bytes\": %" G_GUINT64_FORMAT
           ", \"refused\": %" G_GUINT64_FORMAT ", \"latest_us\": %" G_GINT64_FORMAT
           ", \"cpu_s\": %.2f}\n",
           streams->len / 2, sender->n_packets, sender->n_bytes, sender->n_refused,
           sender->latest_us,
           (double) usage.ru_utime.tv_sec + (double) usage.ru_stime.tv_sec +
               (double) (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6);
    g_array_unref(streams);
    return close(sender->fd) == 0 ? 0 : 1;
}
