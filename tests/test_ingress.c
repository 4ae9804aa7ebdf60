#include "agent/recorder/ingress.h"
#include "tests/fakes/receiver_log.h"

#include <arpa/inet.h>
#include <gio/gio.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#define SECOND G_GINT64_CONSTANT(1000000)

/* Ranges of ports by chance: other programs of this machine have some, too. */
typedef struct {
    Ingress *ingress;
    IngressTrack *track;
    ReceiverLog *log;             /* of the ingress thread until the track is finished */
    int fd;                       /* sends to the track */
    unsigned n_keyframe_requests; /* to be made */
    int is_finished;              /* atomic */
} Fixture;

static Ingress *
ingress_somewhere(unsigned n_pairs)
{
    g_autoptr(GError) error = NULL;
    const uint16_t first = (uint16_t) (20000 + 2 * g_random_int_range(0, 15000));
    Ingress *ingress = ingress_new(
        &(IngressOptions){"127.0.0.1", first, (uint16_t) (first + 2 * n_pairs - 1)}, &error);

    g_assert_no_error(error);
    return ingress;
}

static void
on_packets(const RtpReceiverPacket *packets, size_t n_packets, void *user_data)
{
    Fixture *self = user_data;
    const RtpReceiverOptions log = receiver_log_options(self->log, 0);

    log.on_packets(packets, n_packets, self->log);
    for (; self->n_keyframe_requests > 0; self->n_keyframe_requests--)
        ingress_track_request_keyframe(self->track);
}

static void
on_gap(int64_t start_us, int64_t duration_us, const char *reason, void *user_data)
{
    Fixture *self = user_data;
    const RtpReceiverOptions log = receiver_log_options(self->log, 0);

    log.on_gap(start_us, duration_us, reason, self->log);
}

static void
on_restart(void *user_data)
{
    Fixture *self = user_data;

    self->log->n_restarts++;
}

static void
on_finished(void *user_data)
{
    Fixture *self = user_data;

    g_atomic_int_set(&self->is_finished, 1);
}

static IngressTrackOptions
track_options(Fixture *self)
{
    IngressTrackOptions options = {
        .receiver = receiver_log_options(NULL, 0),
        .zero_monotonic_us = g_get_monotonic_time(),
        .on_finished = on_finished,
        .user_data = self,
    };

    options.receiver.on_packets = on_packets;
    options.receiver.on_gap = on_gap;
    options.receiver.on_restart = on_restart;
    options.receiver.user_data = self;
    return options;
}

static int
socket_to(uint16_t port)
{
    const struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    g_assert_cmpint(fd, >=, 0);
    g_assert_cmpint(connect(fd, (const struct sockaddr *) &address, sizeof(address)), ==, 0);
    return fd;
}

static void
set_up(Fixture *self, gconstpointer data)
{
    g_autoptr(GError) error = NULL;
    const IngressTrackOptions options = track_options(self);

    self->log = receiver_log_new();
    self->ingress = ingress_somewhere(50);
    self->track = ingress_add_track(self->ingress, &options, &error);
    g_assert_no_error(error);
    self->fd = socket_to(ingress_track_port(self->track));
}

/* Lets the other thread work; fails when it takes too long. */
static void
wait_a_little(int64_t since_us)
{
    g_assert_cmpint(g_get_monotonic_time() - since_us, <, 60 * SECOND);
    g_usleep(500);
}

static void
finish(Fixture *self, int64_t until_us)
{
    const int64_t since_us = g_get_monotonic_time();

    if (self->track == NULL)
        return;
    ingress_track_finish(self->track, until_us);
    while (g_atomic_int_get(&self->is_finished) == 0)
        wait_a_little(since_us);
    self->track = NULL;
}

static void
tear_down(Fixture *self, gconstpointer data)
{
    finish(self, SECOND);
    ingress_free(self->ingress);
    receiver_log_free(self->log);
    (void) close(self->fd);
}

static void
send_packets(const Fixture *self, unsigned first, unsigned end)
{
    for (unsigned n = first; n < end; n++) {
        SentPacket packet = sent_packet(n);
        uint8_t bytes[64];
        packet.timestamp = 50000 + n; /* sent at once, as a large frame is */
        const ssize_t n_bytes = (ssize_t) sent_packet_write(&packet, bytes);

        g_assert_cmpint(send(self->fd, bytes, (size_t) n_bytes, 0), ==, n_bytes);
    }
}

/* Waits until `n` packets were given on, dropped or refused in all. */
static RtpReceiverStatus
wait_for(const Fixture *self, uint64_t n)
{
    const int64_t since_us = g_get_monotonic_time();
    RtpReceiverStatus status;

    do {
        wait_a_little(since_us);
        ingress_track_status(self->track, &status);
    } while (status.n_packets + status.n_foreign + status.n_foreign_ssrc + status.n_paused < n);
    return status;
}

static void
test_receives_what_is_sent(Fixture *self, gconstpointer data)
{
    send_packets(self, 0, 20);
    const RtpReceiverStatus status = wait_for(self, 20); /* only time makes the first ones come */

    g_assert_cmpuint(status.n_packets, ==, 20);
    g_assert_cmpuint(status.n_bytes, ==, 20 * 32);
    g_assert_cmpuint(status.ssrc, ==, SENT_SSRC);
    g_assert_cmpuint(status.n_kernel_dropped, ==, 0);
    finish(self, 5 * SECOND);
    g_assert_cmpuint(self->log->packets->len, ==, 20);
    const LoggedGap *last = receiver_log_gap(self->log, self->log->gaps->len - 1);
    g_assert_cmpstr(last->reason, ==, "no-media");
    g_assert_cmpint(last->end_us, ==, 5 * SECOND);
}

static void
test_finish_takes_what_has_arrived(Fixture *self, gconstpointer data)
{
    send_packets(self, 0,
                 1000); /* more than one recvmmsg takes; fewer bytes than the smallest buffer */
    finish(self, 30 * SECOND);

    g_assert_cmpuint(self->log->packets->len, ==, 1000);
}

static void
test_foreign_datagrams_are_counted_only(Fixture *self, gconstpointer data)
{
    static uint8_t bytes[65507] = {0x80, SENT_TYPE};
    static const uint8_t rtcp[8] = {0x80, 203, 0, 1};

    send_packets(self, 0, 10);
    (void) wait_for(self, 10);
    g_assert_cmpint(send(self->fd, bytes, 0, 0), ==, 0);
    g_assert_cmpint(send(self->fd, bytes, sizeof(bytes), 0), ==, sizeof(bytes));
    g_assert_cmpint(send(self->fd, bytes, 2049, 0), ==, 2049);
    g_assert_cmpint(send(self->fd, bytes, 1, 0), ==, 1);
    g_assert_cmpint(send(self->fd, rtcp, sizeof(rtcp), 0), ==, sizeof(rtcp));
    send_packets(self, 10, 20);
    const RtpReceiverStatus status = wait_for(self, 25);

    g_assert_cmpuint(status.n_packets, ==, 20);
    g_assert_cmpuint(status.n_foreign, ==, 5);
}

static void
test_a_full_range_is_said_and_used_again(void)
{
    g_autoptr(GError) error = NULL;
    Fixture fixtures[3] = {0};
    Ingress *ingress = NULL;

    /* Somewhere where nobody else has a port. */
    for (unsigned tries = 0; tries < 100 && ingress == NULL; tries++) {
        ingress = ingress_somewhere(2);
        for (unsigned i = 0; i < 2; i++) {
            const IngressTrackOptions options = track_options(&fixtures[i]);
            fixtures[i].log = receiver_log_new();
            fixtures[i].track = ingress_add_track(ingress, &options, NULL);
        }
        if (fixtures[0].track != NULL && fixtures[1].track != NULL)
            break;
        for (unsigned i = 0; i < 2; i++) {
            finish(&fixtures[i], 0);
            receiver_log_free(fixtures[i].log);
        }
        g_clear_pointer(&ingress, ingress_free);
    }
    g_assert_nonnull(ingress);
    const uint16_t port = ingress_track_port(fixtures[0].track);
    const IngressTrackOptions options = track_options(&fixtures[2]);
    fixtures[2].log = receiver_log_new();

    g_assert_cmpuint(port % 2, ==, 0);
    g_assert_cmpuint(ingress_track_port(fixtures[1].track), !=, port);
    g_assert_null(ingress_add_track(ingress, &options, &error));
    g_assert_error(error, G_IO_ERROR, G_IO_ERROR_NO_SPACE);

    finish(&fixtures[0], 0);
    fixtures[2].track = ingress_add_track(ingress, &options, NULL);
    g_assert_nonnull(fixtures[2].track);
    g_assert_cmpuint(ingress_track_port(fixtures[2].track), ==, port);

    for (unsigned i = 0; i < 3; i++) {
        finish(&fixtures[i], 0);
        receiver_log_free(fixtures[i].log);
    }
    ingress_free(ingress);
}

static void
test_a_taken_port_is_passed_over(Fixture *self, gconstpointer data)
{
    const uint16_t taken = ingress_track_port(self->track);
    g_autoptr(GError) error = NULL;
    g_autoptr(Ingress) other =
        ingress_new(&(IngressOptions){"127.0.0.1", taken, (uint16_t) (taken + 99)}, &error);
    Fixture second = {.log = receiver_log_new()};
    const IngressTrackOptions options = track_options(&second);

    g_assert_no_error(error);
    second.track = ingress_add_track(other, &options, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(ingress_track_port(second.track), >, taken);

    finish(&second, 0);
    receiver_log_free(second.log);
}

static void
test_a_pause_lets_nothing_through(Fixture *self, gconstpointer data)
{
    send_packets(self, 0, 10);
    (void) wait_for(self, 10);
    ingress_track_pause(self->track, "consent-withdrawn");
    ingress_track_pause(self->track, NULL);
    ingress_track_pause(self->track, "consent-withdrawn");
    send_packets(self, 10, 20);
    const RtpReceiverStatus status = wait_for(self, 20);

    g_assert_cmpuint(status.n_packets + status.n_paused, ==, 20);
    finish(self, 10 * SECOND);
    g_assert_cmpuint(self->log->packets->len, ==, status.n_packets);
    const LoggedGap *last = receiver_log_gap(self->log, self->log->gaps->len - 1);
    g_assert_cmpstr(last->reason, ==, "consent-withdrawn");
    g_assert_cmpint(last->end_us, ==, 10 * SECOND);
}

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
test_keyframes_are_asked_of_where_rtp_comes_from(Fixture *self, gconstpointer data)
{
    self->n_keyframe_requests = 1;
    send_packets(self, 0, 10);

    g_assert_cmpuint(source_of_request(self->fd), ==, ingress_track_port(self->track));
}

static void
test_keyframes_are_asked_of_where_rtcp_comes_from(Fixture *self, gconstpointer data)
{
    const uint16_t rtcp_port = (uint16_t) (ingress_track_port(self->track) + 1);
    const int fd = socket_to(rtcp_port);
    static const uint8_t report[28] = {0x80, 200, 0, 6};

    self->n_keyframe_requests = 1;
    g_assert_cmpint(send(fd, report, sizeof(report), 0), ==, sizeof(report));
    send_packets(self, 0, 10); /* waits for its start, so the report is there first */

    g_assert_cmpuint(source_of_request(fd), ==, rtcp_port);
    (void) close(fd);
}

/* As Janus does for each forwarder: it opens the way, and listens there, but says nothing. */
static void
test_keyframes_are_asked_of_who_opens_the_way(Fixture *self, gconstpointer data)
{
    const uint16_t rtcp_port = (uint16_t) (ingress_track_port(self->track) + 1);
    const int fd = socket_to(rtcp_port);
    static const uint8_t opening[12] = {0x80};

    self->n_keyframe_requests = 1;
    g_assert_cmpint(send(fd, opening, sizeof(opening), 0), ==, sizeof(opening));
    send_packets(self, 0, 10);

    g_assert_cmpuint(source_of_request(fd), ==, rtcp_port);
    (void) close(fd);
}

static void
test_keyframes_are_asked_of_who_speaks_rtcp(Fixture *self, gconstpointer data)
{
    const uint16_t rtcp_port = (uint16_t) (ingress_track_port(self->track) + 1);
    const int fd = socket_to(rtcp_port);
    const int stray = socket_to(rtcp_port);
    static const uint8_t report[28] = {0x80, 200, 0, 6};

    self->n_keyframe_requests = 1;
    g_assert_cmpint(send(fd, report, sizeof(report), 0), ==, sizeof(report));
    g_assert_cmpint(send(stray, "stray", 5, 0), ==, 5);
    send_packets(self, 0, 10);

    g_assert_cmpuint(source_of_request(fd), ==, rtcp_port);
    (void) close(fd);
    (void) close(stray);
}

static void
test_says_why_it_can_not_start(void)
{
    g_autoptr(GError) error = NULL;

    g_assert_null(ingress_new(&(IngressOptions){"media.example", 40000, 40100}, &error));
    g_assert_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT);
    g_clear_error(&error);
    g_assert_null(ingress_new(&(IngressOptions){"192.0.2.1", 40000, 40100}, &error));
    g_assert_nonnull(error); /* TEST-NET-1 is nobody's address */
    g_clear_error(&error);
    g_assert_null(ingress_new(&(IngressOptions){"127.0.0.1", 40001, 40002}, &error));
    g_assert_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(path, test) g_test_add("/ingress/" path, Fixture, NULL, set_up, test, tear_down)
    ADD("receives-what-is-sent", test_receives_what_is_sent);
    ADD("finish-takes-what-has-arrived", test_finish_takes_what_has_arrived);
    ADD("foreign-datagrams-are-counted-only", test_foreign_datagrams_are_counted_only);
    g_test_add_func("/ingress/a-full-range-is-said-and-used-again",
                    test_a_full_range_is_said_and_used_again);
    ADD("a-taken-port-is-passed-over", test_a_taken_port_is_passed_over);
    ADD("a-pause-lets-nothing-through", test_a_pause_lets_nothing_through);
    ADD("keyframes-are-asked-of-where-rtp-comes-from",
        test_keyframes_are_asked_of_where_rtp_comes_from);
    ADD("keyframes-are-asked-of-where-rtcp-comes-from",
        test_keyframes_are_asked_of_where_rtcp_comes_from);
    ADD("keyframes-are-asked-of-who-opens-the-way", test_keyframes_are_asked_of_who_opens_the_way);
    ADD("keyframes-are-asked-of-who-speaks-rtcp", test_keyframes_are_asked_of_who_speaks_rtcp);
    g_test_add_func("/ingress/says-why-it-can-not-start", test_says_why_it_can_not_start);
    return g_test_run();
}
