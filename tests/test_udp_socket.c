#include "agent/recorder/udp_socket.h"

#include <gio/gio.h>
#include <netinet/in.h>
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
        g_assert_cmpuint(n, ==, round == 0 ? UDP_SOCKET_BATCH : 100 - UDP_SOCKET_BATCH);
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
    const size_t received[] = {0, 1, 2048, 2049, 0, 0, 3};

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

    /* Two clocks are read one after the other, perhaps with another process in between. */
    g_assert_cmpint(udp_batch_arrival_us(self->batch, 0), >=, before_us - 1000);
    g_assert_cmpint(udp_batch_arrival_us(self->batch, 0), <=, after_us + 100000);
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

static void
test_says_what_can_not_be_bound(Fixture *self, gconstpointer data)
{
    struct sockaddr_in own = {0};
    socklen_t n_own = sizeof(own);
    g_autoptr(GError) error = NULL;

    g_assert_cmpint(getsockname(self->fd, (struct sockaddr *) &own, &n_own), ==, 0);
    g_assert_cmpint(udp_socket_open("127.0.0.1", ntohs(own.sin_port), &error), ==, -1);
    g_assert_error(error, G_IO_ERROR, G_IO_ERROR_ADDRESS_IN_USE);
    g_clear_error(&error);
    g_assert_cmpint(udp_socket_open("localhost", 0, &error), ==, -1);
    g_assert_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(path, test) g_test_add("/udp_socket/" path, Fixture, NULL, set_up, test, tear_down)
    ADD("receives-all-that-is-there", test_receives_all_that_is_there);
    ADD("longer-than-a-packet-is-empty", test_longer_than_a_packet_is_empty);
    ADD("knows-when-a-datagram-came", test_knows_when_a_datagram_came);
    ADD("counts-what-the-kernel-drops", test_counts_what_the_kernel_drops);
    ADD("knows-the-source", test_knows_the_source);
    ADD("says-what-can-not-be-bound", test_says_what_can_not_be_bound);
    return g_test_run();
}
