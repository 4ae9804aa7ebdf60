#include "agent/recorder/udp_batch.h"
#include "agent/recorder/udp_socket.h"

#include <gio/gio.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <string.h>
#include <unistd.h>

typedef struct {
    int fd;
    int sender;
    UdpBatch *batch;
} Fixture;

static void
set_up(Fixture *self, gconstpointer data)
{
    g_autoptr(GError) error = NULL;
    struct sockaddr_in address = {0};
    socklen_t n_bytes = sizeof(address);

    self->batch = udp_batch_new();
    self->fd = udp_socket_open("127.0.0.1", 0, &error);
    g_assert_no_error(error);
    self->sender = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    g_assert_cmpint(getsockname(self->fd, (struct sockaddr *) &address, &n_bytes), ==, 0);
    g_assert_cmpint(connect(self->sender, (struct sockaddr *) &address, n_bytes), ==, 0);
}

static void
tear_down(Fixture *self, gconstpointer data)
{
    udp_batch_free(self->batch);
    (void) close(self->fd);
    (void) close(self->sender);
}

static void
test_receives_all_that_is_there(Fixture *self, gconstpointer data)
{
    unsigned n_received = 0;

    for (uint8_t i = 0; i < 100; i++)
        g_assert_cmpint(send(self->sender, &i, 1, 0), ==, 1);
    for (unsigned round = 0; round < 2; round++) {
        const unsigned n = udp_batch_receive(self->batch, self->fd);
        g_assert_cmpuint(n, ==, round == 0 ? UDP_BATCH_PIECES : 100 - UDP_BATCH_PIECES);
        for (unsigned i = 0; i < n; i++) {
            size_t n_bytes = 0;
            g_assert_cmpuint(udp_batch_bytes(self->batch, i, &n_bytes)[0], ==, n_received++);
            g_assert_cmpuint(n_bytes, ==, 1);
        }
    }
    g_assert_cmpuint(udp_batch_receive(self->batch, self->fd), ==, 0);
}

static void
test_longer_than_a_packet_is_empty(Fixture *self, gconstpointer data)
{
    static const uint8_t bytes[65507];
    const size_t sent[] = {0, 1, 2048, 2049, 2050, 65507, 3};
    const size_t received[] = {0, 1, 2048, 0, 0, 0, 3};

    for (unsigned i = 0; i < G_N_ELEMENTS(sent); i++)
        g_assert_cmpint(send(self->sender, bytes, sent[i], 0), ==, sent[i]);
    g_assert_cmpuint(udp_batch_receive(self->batch, self->fd), ==, G_N_ELEMENTS(sent));

    for (unsigned i = 0; i < G_N_ELEMENTS(sent); i++) {
        size_t n_bytes = 0;
        (void) udp_batch_bytes(self->batch, i, &n_bytes);
        g_assert_cmpuint(n_bytes, ==, received[i]);
    }
}

/* However late we come to read it. */
static void
test_knows_when_a_datagram_came(Fixture *self, gconstpointer data)
{
    const int64_t before_us = g_get_monotonic_time();
    g_assert_cmpint(send(self->sender, "a", 1, 0), ==, 1);
    const int64_t after_us = g_get_monotonic_time();
    g_usleep(200000);
    g_assert_cmpuint(udp_batch_receive(self->batch, self->fd), ==, 1);

    g_assert_cmpint(udp_batch_arrival_us(self->batch, 0), >=, before_us - 1000);
    g_assert_cmpint(udp_batch_arrival_us(self->batch, 0), <=, after_us + 1000);
}

static void
test_counts_what_the_kernel_drops(Fixture *self, gconstpointer data)
{
    static const uint8_t bytes[1000];
    unsigned n_received = 0, n = 0;

    for (unsigned i = 0; i < 20000; i++)
        g_assert_cmpint(send(self->sender, bytes, sizeof(bytes), 0), ==, sizeof(bytes));
    while ((n = udp_batch_receive(self->batch, self->fd)) > 0)
        n_received += n;
    g_assert_cmpuint(n_received, <, 20000);
    g_assert_cmpint(send(self->sender, "a", 1, 0), ==, 1);
    g_assert_cmpuint(udp_batch_receive(self->batch, self->fd), ==, 1);

    g_assert_cmpuint(udp_batch_dropped(self->batch), ==, 20000 - n_received);
}

/* As a sender on this host or a network card hands it over. Returns: false - not here. */
static bool
send_in_one_piece(const Fixture *self, const uint8_t *bytes, size_t n_bytes, int n_each)
{
    if (setsockopt(self->sender, SOL_UDP, UDP_SEGMENT, &n_each, sizeof(n_each)) != 0)
        return false;
    g_assert_cmpint(send(self->sender, bytes, n_bytes, 0), ==, n_bytes);
    n_each = 0;
    g_assert_cmpint(setsockopt(self->sender, SOL_UDP, UDP_SEGMENT, &n_each, sizeof(n_each)), ==, 0);
    return true;
}

static void
assert_datagram(Fixture *self, unsigned i, const uint8_t *bytes, size_t n_bytes)
{
    size_t n_received = 0;
    const uint8_t *received = udp_batch_bytes(self->batch, i, &n_received);

    g_assert_cmpmem(received, (int) n_received, bytes, (int) n_bytes);
}

static void
test_takes_pieces_apart(Fixture *self, gconstpointer data)
{
    enum { N_EACH = 1000, N_LAST = 40, N_PACKETS = 45 };
    uint8_t bytes[(N_PACKETS - 1) * N_EACH + N_LAST];

    for (unsigned i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t) (i / N_EACH + i);
    udp_socket_allow_pieces(self->fd);
    g_assert_cmpint(send(self->sender, bytes, 7, 0), ==, 7);
    if (!send_in_one_piece(self, bytes, sizeof(bytes), N_EACH)) {
        g_test_skip("no UDP_SEGMENT here");
        return;
    }
    g_assert_cmpint(send(self->sender, bytes, 0, 0), ==, 0);
    g_assert_true(send_in_one_piece(self, bytes, 2 * N_EACH, N_EACH));

    g_assert_cmpuint(udp_batch_receive(self->batch, self->fd), ==, 1 + N_PACKETS + 1 + 2);
    g_assert_false(udp_batch_is_full(self->batch));
    assert_datagram(self, 0, bytes, 7);
    for (unsigned i = 0; i < N_PACKETS; i++)
        assert_datagram(self, 1 + i, bytes + i * N_EACH, i + 1 < N_PACKETS ? N_EACH : N_LAST);
    assert_datagram(self, N_PACKETS + 1, bytes, 0);
    assert_datagram(self, N_PACKETS + 3, bytes + N_EACH, N_EACH);
    g_assert_cmpint(udp_batch_arrival_us(self->batch, 1), ==,
                    udp_batch_arrival_us(self->batch, N_PACKETS));
    g_assert_cmpuint(udp_batch_receive(self->batch, self->fd), ==, 0);
}

/* The kernel puts 64 into one at most; each is one byte of RTP's that is none. */
static void
test_takes_the_smallest_pieces_apart(Fixture *self, gconstpointer data)
{
    static const uint8_t bytes[64] = {1, 2, 3};

    udp_socket_allow_pieces(self->fd);
    if (!send_in_one_piece(self, bytes, sizeof(bytes), 1)) {
        g_test_skip("no UDP_SEGMENT here");
        return;
    }

    g_assert_cmpuint(udp_batch_receive(self->batch, self->fd), ==, sizeof(bytes));
    for (unsigned i = 0; i < sizeof(bytes); i++)
        assert_datagram(self, i, bytes + i, 1);
}

/* As many as one receive takes of the fullest: there is room for all of them. */
static void
test_takes_full_pieces_apart(Fixture *self, gconstpointer data)
{
    static const uint8_t bytes[64 * 20];
    unsigned n_sent = 0, n_received = 0, n = 0;

    udp_socket_allow_pieces(self->fd);
    for (unsigned i = 0; i < UDP_BATCH_PIECES + 1; i++, n_sent += 64) {
        if (!send_in_one_piece(self, bytes, sizeof(bytes), 20)) {
            g_test_skip("no UDP_SEGMENT here");
            return;
        }
    }

    n_received = udp_batch_receive(self->batch, self->fd);
    g_assert_cmpuint(n_received, ==, UDP_BATCH_PIECES * 64);
    g_assert_true(udp_batch_is_full(self->batch));
    while ((n = udp_batch_receive(self->batch, self->fd)) > 0)
        n_received += n;
    g_assert_cmpuint(n_received, ==, n_sent);
}

static void
test_knows_the_source(Fixture *self, gconstpointer data)
{
    struct sockaddr_in own = {0};
    socklen_t n_own = sizeof(own), n_bytes = 0;

    g_assert_cmpint(send(self->sender, "a", 1, 0), ==, 1);
    g_assert_cmpuint(udp_batch_receive(self->batch, self->fd), ==, 1);
    g_assert_cmpint(getsockname(self->sender, (struct sockaddr *) &own, &n_own), ==, 0);

    const struct sockaddr_storage *source = udp_batch_source(self->batch, &n_bytes);
    g_assert_cmpuint(n_bytes, ==, sizeof(own));
    g_assert_cmpuint(((const struct sockaddr_in *) source)->sin_port, ==, own.sin_port);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(path, test) g_test_add("/udp_batch/" path, Fixture, NULL, set_up, test, tear_down)
    ADD("receives-all-that-is-there", test_receives_all_that_is_there);
    ADD("longer-than-a-packet-is-empty", test_longer_than_a_packet_is_empty);
    ADD("knows-when-a-datagram-came", test_knows_when_a_datagram_came);
    ADD("counts-what-the-kernel-drops", test_counts_what_the_kernel_drops);
    ADD("takes-pieces-apart", test_takes_pieces_apart);
    ADD("takes-the-smallest-pieces-apart", test_takes_the_smallest_pieces_apart);
    ADD("takes-full-pieces-apart", test_takes_full_pieces_apart);
    ADD("knows-the-source", test_knows_the_source);
    return g_test_run();
}
