#include "agent/recorder/udp_socket.h"
#include "config/host_needs.h"

#include <gio/gio.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

static void
test_holds_a_while(void)
{
    g_autoptr(GError) error = NULL;
    const int fd = udp_socket_open("127.0.0.1", 0, &error);
    int n_bytes = 0;
    socklen_t n_option = sizeof(n_bytes);

    g_assert_no_error(error);

    /* As much as the host allows, which is what the ingress reckons with. */
    g_assert_cmpint(getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &n_bytes, &n_option), ==, 0);
    g_assert_cmpuint(udp_socket_room(fd), ==, (unsigned) n_bytes / HOST_COUNTED_PACKET_BYTES);
    g_assert_cmpuint(udp_socket_room(fd), >, 50);
    g_assert_cmpuint(udp_socket_room(-1), ==, 0);
    (void) close(fd); /* nothing was written */
}

static void
test_says_what_can_not_be_bound(void)
{
    struct sockaddr_in own = {0};
    socklen_t n_own = sizeof(own);
    g_autoptr(GError) error = NULL;
    const int fd = udp_socket_open("127.0.0.1", 0, &error);

    g_assert_no_error(error);
    g_assert_cmpint(getsockname(fd, (struct sockaddr *) &own, &n_own), ==, 0);
    g_assert_cmpint(udp_socket_open("127.0.0.1", ntohs(own.sin_port), &error), ==, -1);
    g_assert_error(error, G_IO_ERROR, G_IO_ERROR_ADDRESS_IN_USE);
    g_clear_error(&error);
    g_assert_cmpint(udp_socket_open("localhost", 0, &error), ==, -1);
    g_assert_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT);
    (void) close(fd); /* nothing was written */
}

/* Nothing that comes later tells of them. */
static void
test_counts_what_found_no_room_at_the_end(void)
{
    static const uint8_t bytes[1000];
    struct sockaddr_in own = {0};
    socklen_t n_own = sizeof(own);
    g_autoptr(GError) error = NULL;
    const int fd = udp_socket_open("127.0.0.1", 0, &error);
    const int sender = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    uint8_t received[1000];
    unsigned n_received = 0;

    g_assert_no_error(error);
    g_assert_cmpint(getsockname(fd, (struct sockaddr *) &own, &n_own), ==, 0);
    g_assert_cmpuint(udp_socket_dropped(fd), ==, 0);
    for (unsigned i = 0; i < 20000; i++)
        g_assert_cmpint(sendto(sender, bytes, sizeof(bytes), 0, (struct sockaddr *) &own, n_own),
                        ==, sizeof(bytes));
    while (recv(fd, received, sizeof(received), MSG_DONTWAIT) > 0)
        n_received++;
    g_assert_cmpuint(n_received, <, 20000);
    g_assert_cmpuint(udp_socket_dropped(fd), ==, 20000 - n_received);
    g_assert_cmpuint(udp_socket_dropped(-1), ==, 0);
    (void) close(sender);
    (void) close(fd);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/udp_socket/holds-a-while", test_holds_a_while);
    g_test_add_func("/udp_socket/says-what-can-not-be-bound", test_says_what_can_not_be_bound);
    g_test_add_func("/udp_socket/counts-what-found-no-room-at-the-end",
                    test_counts_what_found_no_room_at_the_end);
    return g_test_run();
}
