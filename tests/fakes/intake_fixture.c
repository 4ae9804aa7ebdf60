#include "tests/fakes/intake_fixture.h"

#define MS     G_GINT64_CONSTANT(1000)
#define SECOND G_GINT64_CONSTANT(1000000)

void
intake_fixture_set_up_with(IntakeFixture *self, RateLimit *rate, bool has_rtx_ssrc)
{
    RtpReceiverOptions options;

    self->log = receiver_log_new();
    options = receiver_log_options(self->log, 0);
    options.roles.of[INTAKE_RTX] = RTP_ROLE_RTX;
    options.roles.of[INTAKE_RED] = RTP_ROLE_RED;
    options.roles.of[INTAKE_EVENT] = options.roles.of[INTAKE_FEC] = options.roles.of[INTAKE_NOISE] =
        RTP_ROLE_BESIDE;
    options.roles.has_rtx_ssrc = has_rtx_ssrc;
    options.roles.rtx_ssrc = INTAKE_RTX_SSRC;
    options.track_rate = self->rate = rate;
    self->receiver = rtp_receiver_new(&options);
}

void
intake_fixture_set_up(IntakeFixture *self, gconstpointer data)
{
    intake_fixture_set_up_with(self, NULL, true);
}

void
intake_fixture_tear_down(IntakeFixture *self, gconstpointer data)
{
    rtp_receiver_free(self->receiver);
    receiver_log_free(self->log);
    rate_limit_unref(self->rate);
}

int64_t
intake_fixture_time(unsigned n)
{
    return SECOND + n * 20 * MS;
}

void
intake_fixture_take(IntakeFixture *self, const uint8_t *bytes, size_t n_bytes, int64_t now_us)
{
    /* As long as the datagram, so that a look past its end shows. */
    g_autofree uint8_t *datagram = g_memdup2(bytes, n_bytes);

    (void) rtp_receiver_expire(self->receiver, now_us);
    rtp_receiver_take(self->receiver, datagram, n_bytes, now_us);
}

void
intake_fixture_send(IntakeFixture *self, unsigned first, unsigned end)
{
    for (unsigned n = first; n < end; n++) {
        const SentPacket packet = sent_packet(n);

        (void) rtp_receiver_expire(self->receiver, intake_fixture_time(n));
        sent_packet_send(&packet, self->receiver, intake_fixture_time(n));
    }
}

RtpReceiverStatus
intake_fixture_finish(IntakeFixture *self, unsigned n)
{
    RtpReceiverStatus status;

    rtp_receiver_finish(self->receiver, intake_fixture_time(n));
    rtp_receiver_status(self->receiver, &status);
    return status;
}

void
intake_fixture_assert_all(const IntakeFixture *self, unsigned n)
{
    g_assert_cmpuint(self->log->packets->len, ==, n);
    for (unsigned i = 0; i < n; i++) {
        const LoggedPacket *packet = receiver_log_packet(self->log, i);

        g_assert_cmpuint(packet->sequence, ==, (uint16_t) (1000 + i));
        g_assert_cmpint(packet->time_us, ==, intake_fixture_time(i));
        g_assert_cmpuint(packet->ssrc, ==, SENT_SSRC);
        g_assert_false(packet->follows_loss);
    }
}
