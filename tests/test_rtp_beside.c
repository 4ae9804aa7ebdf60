#include "tests/fakes/intake_fixture.h"

#include <string.h>

/* What takes sequence numbers without being media, what comes too fast, and what comes of
 * strangers. */

#define MS     G_GINT64_CONSTANT(1000)
#define SECOND G_GINT64_CONSTANT(1000000)

static void
set_up_limited(IntakeFixture *self, gconstpointer data)
{
    intake_fixture_set_up_with(self, rate_limit_new(32), true);
}

/* Takes the place of packet `n`, with `timestamp`. */
static void
send_beside(IntakeFixture *self, unsigned n, uint8_t payload_type, uint32_t timestamp)
{
    SentPacket packet = sent_packet(n);
    uint8_t bytes[100];

    packet.payload_type = payload_type;
    packet.timestamp = timestamp;
    packet.n_payload = 4;
    intake_fixture_take(self, bytes, sent_packet_write(&packet, bytes), intake_fixture_time(n));
}

/* Keys pressed for a second: every event packet has the timestamp of its begin. */
static void
test_telephone_events_are_no_loss(IntakeFixture *self, gconstpointer data)
{
    intake_fixture_send(self, 0, 50);
    for (unsigned n = 50; n < 100; n++)
        send_beside(self, n, INTAKE_EVENT, sent_packet(50).timestamp);
    intake_fixture_send(self, 100, 150);
    const RtpReceiverStatus status = intake_fixture_finish(self, 150);

    g_assert_cmpuint(status.n_packets, ==, 100);
    g_assert_cmpuint(status.n_beside, ==, 50);
    g_assert_cmpuint(status.n_lost + status.n_foreign, ==, 0);
    g_assert_cmpuint(self->log->n_restarts, ==, 0);
    receiver_log_assert_gap(
        self->log, 1, &(LoggedGap){intake_fixture_time(50), intake_fixture_time(100), "silence"});
    g_assert_false(receiver_log_packet(self->log, 50)->follows_loss);
}

/* Even a clock that has nothing to do with the media's moves nothing. */
static void
test_what_is_beside_says_nothing_of_time(IntakeFixture *self, gconstpointer data)
{
    for (unsigned n = 0; n < 100; n++) {
        if (n % 10 == 5)
            send_beside(self, n, n % 20 == 5 ? INTAKE_NOISE : INTAKE_FEC,
                        0x7fffffff + n * 0x01000000);
        else
            intake_fixture_send(self, n, n + 1);
    }
    const RtpReceiverStatus status = intake_fixture_finish(self, 100);

    g_assert_cmpuint(status.n_packets, ==, 90);
    g_assert_cmpuint(status.n_beside, ==, 10);
    g_assert_cmpuint(status.n_lost, ==, 0);
    g_assert_cmpuint(self->log->n_restarts, ==, 0);
    for (unsigned i = 0; i < 90; i++) {
        const LoggedPacket *packet = receiver_log_packet(self->log, i);
        g_assert_cmpint(packet->time_us, ==, intake_fixture_time(packet->sequence - 1000U));
    }
}

static void
test_an_undeclared_type_is_foreign_and_named(IntakeFixture *self, gconstpointer data)
{
    intake_fixture_send(self, 0, 10);
    g_assert_false(intake_fixture_finish(self, 10).has_undeclared_type);
    send_beside(self, 10, 112, sent_packet(10).timestamp);
    const RtpReceiverStatus status = intake_fixture_finish(self, 11);

    g_assert_true(status.has_undeclared_type);
    g_assert_cmpuint(status.undeclared_type, ==, 112);
    g_assert_cmpuint(status.n_foreign, ==, 1);
    g_assert_cmpuint(status.n_beside, ==, 0);
}

/* 50 packets of 32 bytes a second are 12.8 kbit/s; then three times the 32 that may come. */
static void
test_what_is_too_much_is_a_gap(IntakeFixture *self, gconstpointer data)
{
    RtpReceiverStatus status;

    intake_fixture_send(self, 0, 100);
    for (unsigned n = 100; n < 300; n++) {
        SentPacket packet = sent_packet(n);

        packet.n_payload = 240;
        (void) rtp_receiver_expire(self->receiver, intake_fixture_time(n));
        sent_packet_send(&packet, self->receiver, intake_fixture_time(n));
    }
    intake_fixture_send(self, 300, 500);
    status = intake_fixture_finish(self, 500);

    g_assert_cmpuint(status.n_limited, >=, 100);
    g_assert_cmpuint(status.n_packets + status.n_limited, ==, 500);
    g_assert_cmpuint(status.n_bytes, <, (10 + 2) * 4000);
    g_assert_cmpuint(status.n_lost, ==, 0);
    for (unsigned i = 1; i < self->log->gaps->len; i++) {
        const LoggedGap *gap = &g_array_index(self->log->gaps, LoggedGap, i);

        g_assert_cmpstr(gap->reason, ==, "limit-bitrate");
        g_assert_cmpint(gap->end_us - gap->start_us, >=, SECOND - 40 * MS);
    }
    g_assert_cmpuint(self->log->gaps->len, >, 1);
    g_assert_cmpuint(receiver_log_packet(self->log, self->log->packets->len - 1)->sequence, ==,
                     1499);
}

/* Ten thousand sources at one port: the track goes on, and what they cost does not grow. */
static void
test_ten_thousand_sources_cost_nothing(IntakeFixture *self, gconstpointer data)
{
    RtpReceiverStatus status;

    for (unsigned n = 0; n < 1000; n++) {
        intake_fixture_send(self, n, n + 1);
        for (unsigned i = 0; i < 10; i++) {
            SentPacket packet = sent_packet(n * 10 + i);

            packet.ssrc = 1000000 + n * 10 + i;
            sent_packet_send(&packet, self->receiver, intake_fixture_time(n) + i * MS);
        }
    }
    status = intake_fixture_finish(self, 1000);

    intake_fixture_assert_all(self, 1000);
    g_assert_cmpuint(status.n_foreign_ssrc, ==, 10000);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(path, set_up, test)                                                                    \
    g_test_add("/rtp_beside/" path, IntakeFixture, NULL, set_up, test, intake_fixture_tear_down)
    ADD("telephone-events-are-no-loss", intake_fixture_set_up, test_telephone_events_are_no_loss);
    ADD("what-is-beside-says-nothing-of-time", intake_fixture_set_up,
        test_what_is_beside_says_nothing_of_time);
    ADD("an-undeclared-type-is-foreign-and-named", intake_fixture_set_up,
        test_an_undeclared_type_is_foreign_and_named);
    ADD("what-is-too-much-is-a-gap", set_up_limited, test_what_is_too_much_is_a_gap);
    ADD("ten-thousand-sources-cost-nothing", intake_fixture_set_up,
        test_ten_thousand_sources_cost_nothing);
    return g_test_run();
}
