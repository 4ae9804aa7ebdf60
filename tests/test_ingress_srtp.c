#include "agent/recorder/srtp_context.h"
#include "tests/fakes/ingress_fixture.h"
#include "tests/fakes/srtp_sender.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#define SUITE SRTP_SUITE_AEAD_AES_128_GCM

/* A track that takes SRTP, through a real socket. */
static void
set_up(IngressFixture *self, gconstpointer data)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(SrtpKey) key = srtp_sender_key(SUITE);
    IngressTrackOptions options = ingress_fixture_options(self);
    g_autofree char *name = g_strdup("p1-video"); /* gone when a packet comes, as the key is */

    self->sender_clocks = sender_clocks_new();
    options.receiver.sender_clocks = self->sender_clocks;
    options.srtp = key;
    options.name = name;
    self->log = receiver_log_new();
    self->ingress = ingress_fixture_ingress(50);
    self->track = ingress_add_track(self->ingress, &options, &error);
    g_assert_no_error(error);
    self->fd = ingress_fixture_socket(ingress_track_port(self->track));
}

static SrtpSender *
sender_for_test(void)
{
    g_autoptr(SrtpKey) key = srtp_sender_key(SUITE);

    return srtp_sender_new(key);
}

static void
send_sealed(const IngressFixture *self, SrtpSender *sender, unsigned first, unsigned end)
{
    for (unsigned n = first; n < end; n++) {
        SentPacket packet = sent_packet(n);
        uint8_t bytes[64 + SRTP_SENDER_ROOM];
        packet.timestamp = 50000 + n;
        const size_t n_bytes = srtp_sender_seal(sender, bytes, sent_packet_write(&packet, bytes));

        g_assert_cmpint(send(self->fd, bytes, n_bytes, 0), ==, (ssize_t) n_bytes);
    }
}

/* The log compares every payload with what was sent. */
static void
test_gives_on_what_was_sealed(IngressFixture *self, gconstpointer data)
{
    g_autoptr(SrtpSender) sender = sender_for_test();

    send_sealed(self, sender, 0, 200);
    const RtpReceiverStatus status = ingress_fixture_wait(self, 200);
    ingress_fixture_finish(self, G_USEC_PER_SEC);

    g_assert_cmpuint(status.n_packets, ==, 200);
    g_assert_cmpuint(self->log->packets->len, ==, 200);
    g_assert_cmpuint(status.n_unauthentic + status.n_replayed + status.n_foreign, ==, 0);
}

static void
test_plain_rtp_and_replays_are_counted(IngressFixture *self, gconstpointer data)
{
    g_autoptr(SrtpSender) sender = sender_for_test();

    g_test_expect_message("sealtape-recorder", G_LOG_LEVEL_WARNING,
                          "track p1-video: SRTP authentication failed, 1 packets*");
    ingress_fixture_send(self, 0, 50);
    send_sealed(self, sender, 0, 100);
    send_sealed(self, sender, 20, 50);
    send_sealed(self, sender, 100, 101);
    const RtpReceiverStatus status = ingress_fixture_wait(self, 101);
    ingress_fixture_finish(self, G_USEC_PER_SEC);
    g_test_assert_expected_messages();

    g_assert_cmpuint(status.n_packets, ==, 101);
    g_assert_cmpuint(status.n_unauthentic, ==, 50);
    g_assert_cmpuint(status.n_replayed, ==, 30);
    g_assert_cmpuint(status.n_duplicate + status.n_foreign, ==, 0);
    g_assert_cmpuint(self->log->packets->len, ==, 101);
}

static void
test_keyframes_are_asked_for_in_srtcp(IngressFixture *self, gconstpointer data)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(SrtpKey) key = srtp_sender_key(SUITE);
    g_autoptr(SrtpContext) peer = srtp_context_new(key, &error);
    g_autoptr(SrtpSender) sender = sender_for_test();
    const int stray = ingress_fixture_socket((uint16_t) (ingress_track_port(self->track) + 1));
    uint8_t bytes[200];
    struct pollfd answer = {.fd = self->fd, .events = POLLIN};

    g_assert_no_error(error);
    /* Who can not prove itself is not asked, even where it came first. */
    g_assert_cmpint(send(stray, "twelve bytes", 12, 0), ==, 12);
    self->n_keyframe_requests = 1;
    send_sealed(self, sender, 0, 10);
    g_assert_cmpint(poll(&answer, 1, 30000), ==, 1);
    size_t n_bytes = (size_t) recv(self->fd, bytes, sizeof(bytes), 0);
    g_assert_cmpuint(n_bytes, ==, 48 + 20);

    g_assert_cmpint(srtp_context_open_rtcp(peer, bytes, &n_bytes), ==, SRTP_VERDICT_GENUINE);
    g_assert_cmpuint(n_bytes, ==, 48);
    g_assert_cmphex(bytes[37], ==, 206);
    g_assert_cmphex(bytes[44], ==, 0x5e);
    (void) close(stray);
}

/* To the port of RTCP, and among the media. */
static void
test_sealed_reports_are_believed(IngressFixture *self, gconstpointer data)
{
    g_autoptr(SrtpSender) sender = sender_for_test();
    const int rtcp_fd = ingress_fixture_socket((uint16_t) (ingress_track_port(self->track) + 1));
    uint8_t bytes[INGRESS_FIXTURE_REPORT + SRTP_SENDER_ROOM];

    send_sealed(self, sender, 0, 10);
    (void) ingress_fixture_wait(self, 10);
    for (unsigned n = 10; n < 18; n++) {
        ingress_fixture_write_report(n, bytes);
        const size_t n_bytes = srtp_sender_seal_rtcp(sender, bytes, INGRESS_FIXTURE_REPORT);
        const int fd = n % 2 == 0 ? rtcp_fd : self->fd;
        g_assert_cmpint(send(fd, bytes, n_bytes, 0), ==, (ssize_t) n_bytes);
    }
    const RtpReceiverStatus status = ingress_fixture_wait_reports(self, 8);

    g_assert_cmpuint(status.n_reports, ==, 7);
    g_assert_true(status.is_synced);
    g_assert_cmpuint(status.n_foreign + status.n_unauthentic, ==, 0);
    (void) close(rtcp_fd);
}

/* Nor are they looked at. */
static void
test_reports_of_another_key_are_counted(IngressFixture *self, gconstpointer data)
{
    g_autoptr(SrtpKey) key = srtp_sender_other_key(SUITE);
    g_autoptr(SrtpSender) sender = sender_for_test();
    g_autoptr(SrtpSender) other = srtp_sender_new(key);
    uint8_t bytes[INGRESS_FIXTURE_REPORT + SRTP_SENDER_ROOM];

    g_test_expect_message("sealtape-recorder", G_LOG_LEVEL_WARNING,
                          "track p1-video: SRTP authentication failed, 1 packets*");
    send_sealed(self, sender, 0, 10);
    (void) ingress_fixture_wait(self, 10);
    for (unsigned n = 10; n < 14; n++) {
        ingress_fixture_write_report(n, bytes);
        const size_t n_bytes = n < 12 ? srtp_sender_seal_rtcp(other, bytes, INGRESS_FIXTURE_REPORT)
                                      : INGRESS_FIXTURE_REPORT;
        g_assert_cmpint(send(self->fd, bytes, n_bytes, 0), ==, (ssize_t) n_bytes);
    }
    send_sealed(self, sender, 10, 11);
    const RtpReceiverStatus status = ingress_fixture_wait(self, 11);
    ingress_fixture_finish(self, G_USEC_PER_SEC);
    g_test_assert_expected_messages();

    g_assert_cmpuint(status.n_reports + status.n_odd_reports, ==, 0);
    g_assert_cmpuint(status.n_unauthentic + status.n_foreign, ==, 4);
    g_assert_false(status.is_synced);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(path, test)                                                                            \
    g_test_add("/ingress-srtp/" path, IngressFixture, NULL, set_up, test, ingress_fixture_tear_down)
    ADD("gives-on-what-was-sealed", test_gives_on_what_was_sealed);
    ADD("plain-rtp-and-replays-are-counted", test_plain_rtp_and_replays_are_counted);
    ADD("keyframes-are-asked-for-in-srtcp", test_keyframes_are_asked_for_in_srtcp);
    ADD("sealed-reports-are-believed", test_sealed_reports_are_believed);
    ADD("reports-of-another-key-are-counted", test_reports_of_another_key_are_counted);
    return g_test_run();
}
