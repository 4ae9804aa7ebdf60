#include "tests/fakes/ingress_fixture.h"

#include <arpa/inet.h>
#include <string.h>
#include <unistd.h>

#define SECOND G_GINT64_CONSTANT(1000000)

const char *
ingress_fixture_address(void)
{
    static char address[16];

    if (address[0] == '\0')
        g_snprintf(address, sizeof(address), "127.%d.%d.%d", g_random_int_range(1, 255),
                   g_random_int_range(0, 256), g_random_int_range(1, 255));
    return address;
}

Ingress *
ingress_fixture_ingress(unsigned n_pairs)
{
    g_autoptr(GError) error = NULL;
    const uint16_t first = (uint16_t) (20000 + 2 * g_random_int_range(0, 10000));
    Ingress *ingress = ingress_new(
        &(IngressOptions){ingress_fixture_address(), first, (uint16_t) (first + 2 * n_pairs - 1)},
        &error);

    g_assert_no_error(error);
    return ingress;
}

static void
on_packets(const RtpReceiverPacket *packets, size_t n_packets, void *user_data)
{
    IngressFixture *self = user_data;
    const RtpReceiverOptions log = receiver_log_options(self->log, 0);

    g_mutex_lock(&self->busy);
    g_mutex_unlock(&self->busy);
    log.on_packets(packets, n_packets, self->log);
    for (; self->n_keyframe_requests > 0; self->n_keyframe_requests--)
        ingress_track_request_keyframe(self->track);
}

static void
on_gap(int64_t start_us, int64_t duration_us, const char *reason, void *user_data)
{
    IngressFixture *self = user_data;
    const RtpReceiverOptions log = receiver_log_options(self->log, 0);

    log.on_gap(start_us, duration_us, reason, self->log);
}

static void
on_restart(void *user_data)
{
    IngressFixture *self = user_data;

    self->log->n_restarts++;
}

static void
on_finished(void *user_data)
{
    IngressFixture *self = user_data;

    ingress_track_status(self->track, &self->last);
    g_atomic_int_set(&self->is_finished, 1);
}

IngressTrackOptions
ingress_fixture_options(IngressFixture *self)
{
    IngressTrackOptions options = {
        .receiver = receiver_log_options(NULL, 0),
        .zero_monotonic_us = g_get_monotonic_time(),
        .feedback = RTCP_FEEDBACK_PLI,
        .on_finished = on_finished,
        .user_data = self,
    };

    options.receiver.on_packets = on_packets;
    options.receiver.on_gap = on_gap;
    options.receiver.on_restart = on_restart;
    options.receiver.user_data = self;
    options.receiver.sender_clocks = self->sender_clocks;
    return options;
}

int
ingress_fixture_socket(uint16_t port)
{
    const struct sockaddr_in address = {.sin_family = AF_INET,
                                        .sin_port = htons(port),
                                        .sin_addr.s_addr = inet_addr(ingress_fixture_address())};
    const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    g_assert_cmpint(fd, >=, 0);
    g_assert_cmpint(connect(fd, (const struct sockaddr *) &address, sizeof(address)), ==, 0);
    return fd;
}

void
ingress_fixture_set_up(IngressFixture *self, gconstpointer data)
{
    g_autoptr(GError) error = NULL;

    self->sender_clocks = sender_clocks_new();
    const IngressTrackOptions options = ingress_fixture_options(self);
    self->log = receiver_log_new();
    self->ingress = ingress_fixture_ingress(50);
    self->track = ingress_add_track(self->ingress, &options, &error);
    g_assert_no_error(error);
    self->fd = ingress_fixture_socket(ingress_track_port(self->track));
}

/* Lets the other thread work; fails when it takes too long. */
static void
wait_a_little(int64_t since_us)
{
    g_assert_cmpint(g_get_monotonic_time() - since_us, <, 30 * SECOND);
    g_usleep(500);
}

void
ingress_fixture_finish(IngressFixture *self, int64_t until_us)
{
    const int64_t since_us = g_get_monotonic_time();

    if (self->track == NULL)
        return;
    /* A fixture that is used again was finished before. */
    g_atomic_int_set(&self->is_finished, 0);
    ingress_track_finish(self->track, until_us);
    while (g_atomic_int_get(&self->is_finished) == 0)
        wait_a_little(since_us);
    self->track = NULL;
}

void
ingress_fixture_tear_down(IngressFixture *self, gconstpointer data)
{
    ingress_fixture_finish(self, SECOND);
    ingress_free(self->ingress);
    receiver_log_free(self->log);
    sender_clocks_unref(self->sender_clocks);
    (void) close(self->fd);
}

void
ingress_fixture_send(const IngressFixture *self, unsigned first, unsigned end)
{
    for (unsigned n = first; n < end; n++) {
        SentPacket packet = sent_packet(n);
        uint8_t bytes[64];
        packet.timestamp = 50000 + n; /* sent at once, as a large frame is */
        const ssize_t n_bytes = (ssize_t) sent_packet_write(&packet, bytes);

        g_assert_cmpint(send(self->fd, bytes, (size_t) n_bytes, 0), ==, n_bytes);
    }
}

RtpReceiverStatus
ingress_fixture_wait(const IngressFixture *self, uint64_t n)
{
    const int64_t since_us = g_get_monotonic_time();
    RtpReceiverStatus status;

    do {
        wait_a_little(since_us);
        ingress_track_status(self->track, &status);
    } while (status.n_packets + status.n_foreign + status.n_foreign_ssrc + status.n_paused < n);
    return status;
}

void
ingress_fixture_write_report(unsigned n, uint8_t bytes[INGRESS_FIXTURE_REPORT])
{
    const uint64_t sent_ms = (uint64_t) n * SENT_TICKS * 1000 / SENT_RATE;
    const uint64_t ntp_time = (UINT64_C(3900000000) << 32) + (sent_ms << 32) / 1000;
    const uint32_t words[INGRESS_FIXTURE_REPORT / 4] = {
        GUINT32_TO_BE(0x80c80006),
        GUINT32_TO_BE(SENT_SSRC),
        GUINT32_TO_BE((uint32_t) (ntp_time >> 32)),
        GUINT32_TO_BE((uint32_t) ntp_time),
        GUINT32_TO_BE(sent_packet(n).timestamp),
    };

    memcpy(bytes, words, sizeof(words));
}

RtpReceiverStatus
ingress_fixture_wait_reports(const IngressFixture *self, uint64_t n)
{
    const int64_t since_us = g_get_monotonic_time();
    RtpReceiverStatus status;

    do {
        wait_a_little(since_us);
        ingress_track_status(self->track, &status);
    } while (status.n_reports + status.n_odd_reports < n);
    return status;
}
