#include "agent/recorder/ingress_track.h"
#include "tests/fakes/ingress_fixture.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

/* Returns: the port that a keyframe was asked of. */
static uint16_t
source_of_request(int fd)
{
    uint8_t bytes[100] = {0};
    struct sockaddr_in source = {0};
    socklen_t n_source = sizeof(source);
    struct pollfd answer = {.fd = fd, .events = POLLIN};

    g_assert_cmpint(poll(&answer, 1, 30000), ==, 1);
    g_assert_cmpint(recvfrom(fd, bytes, sizeof(bytes), 0, (struct sockaddr *) &source, &n_source),
                    ==, 48);
    g_assert_cmphex(bytes[36], ==, 0x81);
    g_assert_cmphex(bytes[37], ==, 206);
    g_assert_cmpmem(bytes + 44, 4, "\x5e\xa1\x7a\x9e", 4);
    return ntohs(source.sin_port);
}

static void
test_keyframes_are_asked_of_where_rtp_comes_from(IngressFixture *self, gconstpointer data)
{
    self->n_keyframe_requests = 1;
    ingress_fixture_send(self, 0, 10);

    g_assert_cmpuint(source_of_request(self->fd), ==, ingress_track_port(self->track));
}

static void
test_keyframes_are_asked_of_where_rtcp_comes_from(IngressFixture *self, gconstpointer data)
{
    const uint16_t rtcp_port = (uint16_t) (ingress_track_port(self->track) + 1);
    const int fd = ingress_fixture_socket(rtcp_port);
    static const uint8_t report[28] = {0x80, 200, 0, 6};

    self->n_keyframe_requests = 1;
    g_assert_cmpint(send(fd, report, sizeof(report), 0), ==, sizeof(report));
    ingress_fixture_send(self, 0, 10); /* waits for its start, so the report is there first */

    g_assert_cmpuint(source_of_request(fd), ==, rtcp_port);
    (void) close(fd);
}

/* As Janus does for each forwarder: it opens the way, and listens there, but says nothing. */
static void
test_keyframes_are_asked_of_who_opens_the_way(IngressFixture *self, gconstpointer data)
{
    const uint16_t rtcp_port = (uint16_t) (ingress_track_port(self->track) + 1);
    const int fd = ingress_fixture_socket(rtcp_port);
    static const uint8_t opening[12] = {0x80};

    self->n_keyframe_requests = 1;
    g_assert_cmpint(send(fd, opening, sizeof(opening), 0), ==, sizeof(opening));
    ingress_fixture_send(self, 0, 10);

    g_assert_cmpuint(source_of_request(fd), ==, rtcp_port);
    (void) close(fd);
}

static void
test_keyframes_are_asked_of_who_speaks_rtcp(IngressFixture *self, gconstpointer data)
{
    const uint16_t rtcp_port = (uint16_t) (ingress_track_port(self->track) + 1);
    const int fd = ingress_fixture_socket(rtcp_port);
    const int stray = ingress_fixture_socket(rtcp_port);
    static const uint8_t report[28] = {0x80, 200, 0, 6};

    self->n_keyframe_requests = 1;
    g_assert_cmpint(send(fd, report, sizeof(report), 0), ==, sizeof(report));
    g_assert_cmpint(send(stray, "stray", 5, 0), ==, 5);
    ingress_fixture_send(self, 0, 10);

    g_assert_cmpuint(source_of_request(fd), ==, rtcp_port);
    (void) close(fd);
    (void) close(stray);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(path, test)                                                                            \
    g_test_add("/ingress_track/" path, IngressFixture, NULL, ingress_fixture_set_up, test,         \
               ingress_fixture_tear_down)
    ADD("keyframes-are-asked-of-where-rtp-comes-from",
        test_keyframes_are_asked_of_where_rtp_comes_from);
    ADD("keyframes-are-asked-of-where-rtcp-comes-from",
        test_keyframes_are_asked_of_where_rtcp_comes_from);
    ADD("keyframes-are-asked-of-who-opens-the-way", test_keyframes_are_asked_of_who_opens_the_way);
    ADD("keyframes-are-asked-of-who-speaks-rtcp", test_keyframes_are_asked_of_who_speaks_rtcp);
    return g_test_run();
}
