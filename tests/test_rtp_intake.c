#include "tests/fakes/intake_fixture.h"

#include <string.h>

/* Retransmissions and redundant blocks: what they may do to a track, and what not. */

#define MS     G_GINT64_CONSTANT(1000)
#define SECOND G_GINT64_CONSTANT(1000000)

static void
set_up_open(IntakeFixture *self, gconstpointer data)
{
    intake_fixture_set_up_with(self, NULL, false);
}

/* Packet `n` once more, `delay_us` after its time. */
static void
send_rtx(IntakeFixture *self, unsigned n, uint32_t ssrc, int64_t delay_us)
{
    SentPacket packet = sent_packet(n);
    uint8_t plain[100], bytes[102];
    const size_t n_plain = sent_packet_write(&packet, plain);
    const uint16_t sequence = GUINT16_TO_BE(self->rtx_sequence);
    const uint32_t order = GUINT32_TO_BE(ssrc);

    memcpy(bytes, plain, 12);
    memcpy(bytes + 12, plain + 2, 2);
    memcpy(bytes + 14, plain + 12, n_plain - 12);
    bytes[1] = INTAKE_RTX;
    memcpy(bytes + 2, &sequence, 2);
    memcpy(bytes + 8, &order, 4);
    self->rtx_sequence++;
    intake_fixture_take(self, bytes, n_plain + 2, intake_fixture_time(n) + delay_us);
}

/* Packet `n` with the `n_earlier` before it in redundant blocks. */
static void
send_red(IntakeFixture *self, unsigned n, unsigned n_earlier)
{
    const SentPacket packet = sent_packet(n);
    uint8_t bytes[1000], plain[100];
    size_t at = 12;

    (void) sent_packet_write(&packet, bytes);
    bytes[1] = INTAKE_RED;
    for (unsigned back = n_earlier; back > 0; back--) {
        const unsigned before = back * SENT_TICKS;
        const uint8_t header[] = {0x80 | SENT_TYPE, (uint8_t) (before >> 6),
                                  (uint8_t) (before << 2), 20};

        memcpy(bytes + at, header, 4);
        at += 4;
    }
    bytes[at++] = SENT_TYPE;
    for (unsigned back = n_earlier + 1; back-- > 0;) {
        const SentPacket earlier = sent_packet(n - back);

        (void) sent_packet_write(&earlier, plain);
        memcpy(bytes + at, plain + 12, 20);
        at += 20;
    }
    intake_fixture_take(self, bytes, at, intake_fixture_time(n));
}

static void
test_retransmissions_fill_holes(IntakeFixture *self, gconstpointer data)
{
    intake_fixture_send(self, 0, 10);
    intake_fixture_send(self, 12, 14);
    send_rtx(self, 11, INTAKE_RTX_SSRC, 50 * MS);
    send_rtx(self, 10, INTAKE_RTX_SSRC, 70 * MS);
    intake_fixture_send(self, 14, 30);
    const RtpReceiverStatus status = intake_fixture_finish(self, 30);

    intake_fixture_assert_all(self, 30);
    g_assert_cmpuint(status.n_recovered, ==, 2);
    g_assert_cmpuint(status.n_reordered, ==, 0);
    g_assert_cmpuint(status.n_lost + status.n_foreign + status.n_foreign_ssrc, ==, 0);
}

static void
test_retransmissions_come_twice_or_too_late(IntakeFixture *self, gconstpointer data)
{
    intake_fixture_send(self, 0, 10);
    intake_fixture_send(self, 11, 13);
    send_rtx(self, 10, INTAKE_RTX_SSRC, 50 * MS);
    send_rtx(self, 10, INTAKE_RTX_SSRC, 55 * MS);
    send_rtx(self, 9, INTAKE_RTX_SSRC, 80 * MS);
    intake_fixture_send(self, 13, 20);
    intake_fixture_send(self, 21, 30);
    send_rtx(self, 20, INTAKE_RTX_SSRC, 200 * MS);
    const RtpReceiverStatus status = intake_fixture_finish(self, 30);

    g_assert_cmpuint(status.n_packets, ==, 29);
    g_assert_cmpuint(status.n_recovered, ==, 1);
    g_assert_cmpuint(status.n_duplicate, ==, 2);
    g_assert_cmpuint(status.n_lost, ==, 1);
    g_assert_cmpuint(status.n_late, ==, 1);
}

/* Whatever they say, they neither begin a stream nor make one wait, nor keep one alive. */
static void
test_a_flood_of_retransmissions_changes_nothing(IntakeFixture *self, gconstpointer data)
{
    for (unsigned n = 0; n < 100; n++)
        send_rtx(self, n * 37, INTAKE_RTX_SSRC, 0);
    g_assert_cmpint(rtp_receiver_expire(self->receiver, SECOND), ==, INT64_MAX);
    intake_fixture_send(self, 0, 20);
    for (unsigned n = 20; n < 5000; n += 3)
        send_rtx(self, n + 1, INTAKE_RTX_SSRC, (20 - (int64_t) n) * 20 * MS);
    for (unsigned n = 0; n < 1000; n++)
        send_rtx(self, 10, INTAKE_RTX_SSRC + 1, 200 * MS);
    intake_fixture_send(self, 20, 100);
    const RtpReceiverStatus status = intake_fixture_finish(self, 100);

    intake_fixture_assert_all(self, 100);
    g_assert_cmpuint(status.n_recovered + status.n_lost, ==, 0);
    g_assert_cmpuint(status.n_beside, ==, 100);
    g_assert_cmpuint(status.n_foreign_ssrc, ==, 1000);
}

static void
test_short_retransmissions_are_probes(IntakeFixture *self, gconstpointer data)
{
    const uint8_t probe[] = {0x80, INTAKE_RTX, 0, 1, 0, 0, 0, 0, 0, 0, 0xab, 0xcd, 0};

    intake_fixture_send(self, 0, 10);
    intake_fixture_take(self, probe, 12, intake_fixture_time(10));
    intake_fixture_take(self, probe, 13, intake_fixture_time(10));
    intake_fixture_send(self, 10, 20);
    const RtpReceiverStatus status = intake_fixture_finish(self, 20);

    intake_fixture_assert_all(self, 20);
    g_assert_cmpuint(status.n_beside, ==, 2);
    g_assert_cmpuint(status.n_foreign, ==, 0);
}

static void
test_any_ssrc_may_retransmit_where_none_is_declared(IntakeFixture *self, gconstpointer data)
{
    intake_fixture_send(self, 0, 10);
    intake_fixture_send(self, 11, 13);
    send_rtx(self, 10, 99, 50 * MS);
    intake_fixture_send(self, 13, 20);

    g_assert_cmpuint(intake_fixture_finish(self, 20).n_recovered, ==, 1);
    intake_fixture_assert_all(self, 20);
}

static void
test_redundant_packets_are_unpacked(IntakeFixture *self, gconstpointer data)
{
    for (unsigned n = 0; n < 30; n++)
        send_red(self, n, MIN(n, 2));
    const RtpReceiverStatus status = intake_fixture_finish(self, 30);

    intake_fixture_assert_all(self, 30);
    g_assert_cmpuint(status.n_recovered + status.n_duplicate + status.n_foreign, ==, 0);
}

static void
test_redundant_blocks_fill_holes(IntakeFixture *self, gconstpointer data)
{
    for (unsigned n = 0; n < 60; n++) {
        if (n % 3 == 0 || n < 10)
            send_red(self, n, MIN(n, 2));
    }
    const RtpReceiverStatus status = intake_fixture_finish(self, 58);

    intake_fixture_assert_all(self, 58);
    g_assert_cmpuint(status.n_recovered, ==, 32);
    g_assert_cmpuint(status.n_lost, ==, 0);
}

/* What is lost beyond the redundancy stays lost, and nothing else takes its place. */
static void
test_more_loss_than_redundancy(IntakeFixture *self, gconstpointer data)
{
    for (unsigned n = 0; n < 20; n++)
        send_red(self, n, MIN(n, 1));
    for (unsigned n = 23; n < 40; n++)
        send_red(self, n, 1);
    const RtpReceiverStatus status = intake_fixture_finish(self, 40);

    g_assert_cmpuint(status.n_packets, ==, 38);
    g_assert_cmpuint(status.n_recovered, ==, 1);
    g_assert_cmpuint(status.n_lost, ==, 2);
    g_assert_cmpuint(receiver_log_packet(self->log, 20)->sequence, ==, 1022);
    g_assert_cmpint(receiver_log_packet(self->log, 20)->time_us, ==, intake_fixture_time(22));
}

static void
test_lying_redundancy_is_foreign(IntakeFixture *self, gconstpointer data)
{
    static const uint8_t lies[][4] = {
        {0xff,             0xff, 0xff, 0xff},
        {0x80 | SENT_TYPE, 0,    3,    0xff},
        {0x80,             0x80, 0x80, 0x80},
        {77,               1,    2,    3   }
    };

    intake_fixture_send(self, 0, 10);
    for (size_t i = 0; i < G_N_ELEMENTS(lies); i++) {
        SentPacket packet = sent_packet(10);
        uint8_t bytes[100];

        packet.payload_type = INTAKE_RED;
        packet.n_payload = 4;
        (void) sent_packet_write(&packet, bytes);
        memcpy(bytes + 12, lies[i], 4);
        intake_fixture_take(self, bytes, 16, intake_fixture_time(10));
    }
    intake_fixture_send(self, 10, 20);
    const RtpReceiverStatus status = intake_fixture_finish(self, 20);

    intake_fixture_assert_all(self, 20);
    g_assert_cmpuint(status.n_foreign, ==, G_N_ELEMENTS(lies));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(path, set_up, test)                                                                    \
    g_test_add("/rtp_intake/" path, IntakeFixture, NULL, set_up, test, intake_fixture_tear_down)
    ADD("retransmissions-fill-holes", intake_fixture_set_up, test_retransmissions_fill_holes);
    ADD("retransmissions-come-twice-or-too-late", intake_fixture_set_up,
        test_retransmissions_come_twice_or_too_late);
    ADD("a-flood-of-retransmissions-changes-nothing", intake_fixture_set_up,
        test_a_flood_of_retransmissions_changes_nothing);
    ADD("short-retransmissions-are-probes", intake_fixture_set_up,
        test_short_retransmissions_are_probes);
    ADD("any-ssrc-may-retransmit-where-none-is-declared", set_up_open,
        test_any_ssrc_may_retransmit_where_none_is_declared);
    ADD("redundant-packets-are-unpacked", intake_fixture_set_up,
        test_redundant_packets_are_unpacked);
    ADD("redundant-blocks-fill-holes", intake_fixture_set_up, test_redundant_blocks_fill_holes);
    ADD("more-loss-than-redundancy", intake_fixture_set_up, test_more_loss_than_redundancy);
    ADD("lying-redundancy-is-foreign", intake_fixture_set_up, test_lying_redundancy_is_foreign);
    return g_test_run();
}
