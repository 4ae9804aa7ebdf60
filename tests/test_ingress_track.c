#include "agent/recorder/ingress_track.h"
#include "tests/fakes/ingress_fixture.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

/* Waits for a request for a keyframe. `port`: out: of whom it was asked. Returns: of which SSRC. */
static uint32_t
receive_request(int fd, uint16_t *port)
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
    *port = ntohs(source.sin_port);
    return (uint32_t) bytes[44] << 24 | (uint32_t) bytes[45] << 16 | (uint32_t) bytes[46] << 8 |
           bytes[47];
}

/* Returns: the port that a keyframe was asked of, once the SSRC was known. */
static uint16_t
source_of_request(int fd)
{
    uint16_t port = 0;
    uint32_t ssrc = 0;

    while (ssrc == 0)
        ssrc = receive_request(fd, &port);
    g_assert_cmphex(ssrc, ==, 0x5ea17a9e);
    return port;
}

static void
test_keyframes_are_asked_of_where_rtp_comes_from(IngressFixture *self, gconstpointer data)
{
    self->n_keyframe_requests = 1;
    ingress_fixture_send(self, 0, 10);

    g_assert_cmpuint(source_of_request(self->fd), ==, ingress_track_port(self->track));
}

/* Nobody asked for it: the first packets wait for their clock, and the keyframe does not. */
static void
test_a_keyframe_is_asked_for_with_the_first_packet(IngressFixture *self, gconstpointer data)
{
    self->n_keyframe_requests = 0;
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

/* Of simulcast Janus sends nothing before a keyframe. */
static void
test_keyframes_are_asked_for_until_something_comes(IngressFixture *self, gconstpointer data)
{
    const uint16_t rtcp_port = (uint16_t) (ingress_track_port(self->track) + 1);
    const int fd = ingress_fixture_socket(rtcp_port);
    static const uint8_t opening[12] = {0x80};
    uint16_t port = 0;

    g_assert_cmpint(send(fd, opening, sizeof(opening), 0), ==, sizeof(opening));

    for (int i = 0; i < 3; i++) {
        g_assert_cmphex(receive_request(fd, &port), ==, 0);
        g_assert_cmpuint(port, ==, rtcp_port);
    }
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

/* The first needs another one to be believed. */
static void
check_reports(IngressFixture *self, int fd)
{
    uint8_t report[INGRESS_FIXTURE_REPORT];

    ingress_fixture_send(self, 0, 10);
    (void) ingress_fixture_wait(self, 10);
    for (unsigned n = 10; n < 12; n++) {
        ingress_fixture_write_report(n, report);
        g_assert_cmpint(send(fd, report, sizeof(report), 0), ==, sizeof(report));
    }
    ingress_fixture_send(self, 10, 20);
    (void) ingress_fixture_wait(self, 20);
    const RtpReceiverStatus status = ingress_fixture_wait_reports(self, 2);

    g_assert_cmpuint(status.n_reports, ==, 1);
    g_assert_cmpuint(status.n_odd_reports, ==, 1);
    g_assert_cmpuint(status.n_foreign + status.n_foreign_ssrc, ==, 0);
    g_assert_true(status.is_synced);
}

static void
test_sender_reports_come_to_their_port(IngressFixture *self, gconstpointer data)
{
    const int fd = ingress_fixture_socket((uint16_t) (ingress_track_port(self->track) + 1));

    check_reports(self, fd);
    (void) close(fd);
}

static void
test_sender_reports_come_with_the_media(IngressFixture *self, gconstpointer data)
{
    check_reports(self, self->fd);
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
    ADD("a-keyframe-is-asked-for-with-the-first-packet",
        test_a_keyframe_is_asked_for_with_the_first_packet);
    ADD("keyframes-are-asked-of-where-rtcp-comes-from",
        test_keyframes_are_asked_of_where_rtcp_comes_from);
    ADD("keyframes-are-asked-of-who-opens-the-way", test_keyframes_are_asked_of_who_opens_the_way);
    ADD("keyframes-are-asked-for-until-something-comes",
        test_keyframes_are_asked_for_until_something_comes);
    ADD("keyframes-are-asked-of-who-speaks-rtcp", test_keyframes_are_asked_of_who_speaks_rtcp);
    ADD("sender-reports-come-to-their-port", test_sender_reports_come_to_their_port);
    ADD("sender-reports-come-with-the-media", test_sender_reports_come_with_the_media);
    return g_test_run();
}
