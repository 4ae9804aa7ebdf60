#include "agent/recorder/rtp_receiver.h"
#include "tests/fakes/receiver_log.h"

#include <glib.h>

/* When a stream changes its source, its numbers or its clock, and when it only seems to. */

#define MS     G_GINT64_CONSTANT(1000)
#define SECOND G_GINT64_CONSTANT(1000000)

typedef struct {
    ReceiverLog *log;
    RtpReceiver *receiver;
} Fixture;

/* Changes to a stream. */
typedef struct {
    uint32_t ssrc; /* 0: the usual */
    int sequence_offset;
    int64_t ticks_offset;
    int64_t delay_us;
} Change;

static void
set_up(Fixture *self, gconstpointer data)
{
    self->log = receiver_log_new();
    self->receiver = receiver_log_receiver(self->log, 0);
}

static void
tear_down(Fixture *self, gconstpointer data)
{
    rtp_receiver_free(self->receiver);
    receiver_log_free(self->log);
}

/* Packets `first` to before `end`, number 0 at 1 s, with a change. */
static void
send(Fixture *self, unsigned first, unsigned end, const Change *change)
{
    for (unsigned n = first; n < end; n++) {
        SentPacket packet = sent_packet(n);
        const int64_t now_us = SECOND + n * 20 * MS + change->delay_us;

        if (change->ssrc != 0)
            packet.ssrc = change->ssrc;
        packet.sequence = (uint16_t) (packet.sequence + change->sequence_offset);
        packet.timestamp = (uint32_t) (packet.timestamp + change->ticks_offset);
        (void) rtp_receiver_expire(self->receiver, now_us);
        sent_packet_send(&packet, self->receiver, now_us);
    }
}

static const Change usual;

static RtpReceiverStatus
finish(Fixture *self, int64_t until_us)
{
    RtpReceiverStatus status;

    rtp_receiver_finish(self->receiver, until_us);
    rtp_receiver_status(self->receiver, &status);
    return status;
}

/* Packet `i` that was given on lies where number `n` was sent. */
static void
assert_at(const Fixture *self, unsigned i, unsigned n)
{
    g_assert_cmpint(receiver_log_packet(self->log, i)->time_us, ==, SECOND + n * 20 * MS);
}

static void
test_another_ssrc_does_not_get_in(Fixture *self, gconstpointer data)
{
    const Change stranger = {.ssrc = 7};

    for (unsigned n = 0; n < 200; n++) {
        send(self, n, n + 1, &usual);
        send(self, n, n + 1, &stranger);
    }
    const RtpReceiverStatus status = finish(self, 5 * SECOND);

    g_assert_cmpuint(status.n_packets, ==, 200);
    g_assert_cmpuint(status.n_foreign_ssrc, ==, 200);
    g_assert_cmpuint(self->log->n_restarts, ==, 0);
    for (unsigned i = 0; i < 200; i++)
        g_assert_cmpuint(receiver_log_packet(self->log, i)->ssrc, ==, SENT_SSRC);
}

/* A packet each of thousands of sources, between those of the track's own, from the start. */
static void
test_thousands_of_sources_keep_nobody_out(Fixture *self, gconstpointer data)
{
    uint32_t stranger = 0x10000;

    for (unsigned n = 0; n < 200; n++) {
        for (unsigned i = 0; i < 50; i++) {
            SentPacket packet = sent_packet(n * 977 + i * 131);
            packet.ssrc = stranger++;
            sent_packet_send(&packet, self->receiver, SECOND + n * 20 * MS + i);
        }
        send(self, n, n + 1, &usual);
    }
    const RtpReceiverStatus status = finish(self, 10 * SECOND);

    g_assert_cmpuint(status.ssrc, ==, SENT_SSRC);
    g_assert_cmpuint(status.n_packets, >=, 198);
    g_assert_cmpuint(status.n_packets + status.n_foreign_ssrc, ==, 200 * 51);
}

static void
test_another_ssrc_follows_a_quiet_one(Fixture *self, gconstpointer data)
{
    const Change next = {.ssrc = 7, .sequence_offset = 31000, .ticks_offset = 1234567890};

    send(self, 0, 50, &usual);
    send(self, 50, 74, &next); /* 0.5 s: they wait */
    g_assert_cmpuint(self->log->packets->len, ==, 50);
    send(self, 74, 150, &next);
    const RtpReceiverStatus status = finish(self, 4 * SECOND);

    g_assert_cmpuint(self->log->n_restarts, ==, 1);
    g_assert_cmpuint(self->log->restart_at, ==, 50);
    g_assert_cmpuint(status.ssrc, ==, 7);
    g_assert_cmpuint(status.n_foreign_ssrc, ==, 0);
    g_assert_cmpuint(status.n_packets, ==, 150); /* none of those that waited is lost */
    g_assert_cmpuint(status.n_lost, ==, 0);
    assert_at(self, 50, 50);
    assert_at(self, 149, 149);
    g_assert_cmpuint(self->log->gaps->len, ==, 1); /* before the first; then without a hole */
}

static void
test_a_stray_first_packet_holds_nothing_up(Fixture *self, gconstpointer data)
{
    const Change stray = {.ssrc = 7};

    send(self, 0, 1, &stray);
    send(self, 5, 100, &usual);
    const RtpReceiverStatus status = finish(self, 3 * SECOND);

    g_assert_cmpuint(status.ssrc, ==, SENT_SSRC);
    g_assert_cmpuint(status.n_packets, ==, 1 + 95);
}

static void
test_odd_single_packets_are_noise(Fixture *self, gconstpointer data)
{
    const Change odd[] = {
        {0, 20000,  0,             0},
        {0, -20000, 0,             0},
        {0, 0,      48000 * 3600,  0},
        {0, 0,      -48000 * 3600, 0},
        {0, 20000,  99999999,      0},
    };

    send(self, 0, 50, &usual);
    for (unsigned i = 0; i < G_N_ELEMENTS(odd); i++) {
        send(self, 50 + 10 * i, 51 + 10 * i, &odd[i]);
        send(self, 51 + 10 * i, 60 + 10 * i, &usual);
    }
    const RtpReceiverStatus status = finish(self, 4 * SECOND);

    g_assert_cmpuint(status.n_packets, ==, 95);
    g_assert_cmpuint(status.n_foreign, ==, 5);
    g_assert_cmpuint(status.n_lost, ==, 5);
    g_assert_cmpuint(self->log->n_restarts, ==, 0);
    assert_at(self, 94, 99);
}

/* The network was away for so long that the numbers look like another stream's. */
static void
test_a_loss_of_thousands_is_a_loss(Fixture *self, gconstpointer data)
{
    send(self, 0, 50, &usual);
    send(self, 5050, 5100, &usual);
    const RtpReceiverStatus status = finish(self, 103 * SECOND);

    g_assert_cmpuint(status.n_packets, ==, 100);
    g_assert_cmpuint(status.n_lost, ==, 5000);
    g_assert_cmpuint(self->log->n_restarts, ==, 0);
    g_assert_true(receiver_log_packet(self->log, 50)->follows_loss);
    assert_at(self, 50, 5050);
    receiver_log_assert_gap(self->log, 1, &(LoggedGap){2 * SECOND, 102 * SECOND, "loss"});
}

/* And the first packets after that did not come in order. */
static void
test_after_a_loss_of_thousands_the_slower_ones_are_waited_for(Fixture *self, gconstpointer data)
{
    static const unsigned arrivals[] = {5053, 5055, 5054, 5051, 5052, 5050, 5056};

    send(self, 0, 50, &usual);
    for (unsigned i = 0; i < G_N_ELEMENTS(arrivals); i++) {
        const SentPacket packet = sent_packet(arrivals[i]);
        sent_packet_send(&packet, self->receiver, SECOND + 5056 * 20 * MS + i * 5 * MS);
    }
    const RtpReceiverStatus status = finish(self, 103 * SECOND);

    g_assert_cmpuint(status.n_packets, ==, 57);
    g_assert_cmpuint(status.n_lost, ==, 5000);
    g_assert_cmpuint(status.n_late, ==, 0);
    g_assert_cmpuint(status.n_reordered, ==, 4);
    for (unsigned i = 0; i < 7; i++)
        assert_at(self, 50 + i, 5050 + i);
}

static void
test_new_numbers_with_the_old_clock_are_no_restart(Fixture *self, gconstpointer data)
{
    const int offsets[] = {-30000, 0, -20, -320, 5000};
    unsigned n = 0;

    for (unsigned i = 0; i < G_N_ELEMENTS(offsets); i++) {
        const Change renumbered = {.sequence_offset = offsets[i]};
        send(self, n, n + 400, &renumbered);
        n += 400;
    }
    const RtpReceiverStatus status = finish(self, 50 * SECOND);

    g_assert_cmpuint(status.n_packets, ==, n);
    g_assert_cmpuint(self->log->n_restarts, ==, 0);
    for (unsigned i = 0; i < n; i++)
        assert_at(self, i, i);
}

static void
test_a_new_clock_is_a_restart(Fixture *self, gconstpointer data)
{
    const int64_t offsets[] = {48000 * 2, -48000 * 2, 48000 * 3600, 1 << 30, -(1 << 30)};
    unsigned n = 0;

    send(self, 0, 50, &usual);
    for (unsigned i = 0; i < G_N_ELEMENTS(offsets); i++) {
        const Change jumped = {.ticks_offset = offsets[i]};
        n = 50 * (i + 1);
        send(self, n, n + 50, &jumped);
        g_assert_cmpuint(self->log->n_restarts, ==, i + 1);
        g_assert_cmpuint(self->log->restart_at, ==, n);
    }
    const RtpReceiverStatus status = finish(self, 10 * SECOND);

    g_assert_cmpuint(status.n_packets, ==, n + 50);
    for (unsigned i = 0; i < n + 50; i++)
        assert_at(self, i, i);
}

/* A sender that stops its clock while it pauses: the pause is no part of its timestamps. */
static void
test_a_stopped_clock_is_a_restart_after_silence(Fixture *self, gconstpointer data)
{
    const Change later = {.delay_us = 2 * SECOND};

    send(self, 0, 50, &usual);
    send(self, 50, 100, &later);
    const RtpReceiverStatus status = finish(self, 5 * SECOND);

    g_assert_cmpuint(status.n_packets, ==, 100);
    g_assert_cmpuint(self->log->n_restarts, ==, 1);
    assert_at(self, 50, 150);
    receiver_log_assert_gap(self->log, 1, &(LoggedGap){2 * SECOND, 4 * SECOND, "silence"});
}

/* The network stood still, then sent all at once. */
static void
test_a_backlog_changes_nothing(Fixture *self, gconstpointer data)
{
    const unsigned lengths[] = {30, 100, 250, 400, 2000};

    send(self, 0, 50, &usual);
    unsigned n = 50;
    for (unsigned i = 0; i < G_N_ELEMENTS(lengths); i++) {
        const unsigned end = n + lengths[i];
        for (; n < end; n++) {
            const Change late = {.delay_us = (int64_t) (end - n) * 20 * MS};
            send(self, n, n + 1, &late);
        }
        send(self, n, n + 50, &usual);
        n += 50;
    }
    const RtpReceiverStatus status = finish(self, 100 * SECOND);

    g_assert_cmpuint(status.n_packets, ==, n);
    g_assert_cmpuint(status.n_lost, ==, 0);
    g_assert_cmpuint(self->log->n_restarts, ==, 0);
    for (unsigned i = 0; i < n; i++)
        assert_at(self, i, i);
}

/* The same, but sent through a narrow line: five times as fast as it was made. */
static void
test_a_slow_backlog_changes_nothing(Fixture *self, gconstpointer data)
{
    send(self, 0, 50, &usual);
    for (unsigned n = 50; n < 300; n++) {
        const Change late = {.delay_us = (300 - n) * 16 * MS};
        send(self, n, n + 1, &late);
    }
    send(self, 300, 400, &usual);
    const RtpReceiverStatus status = finish(self, 20 * SECOND);

    g_assert_cmpuint(status.n_packets, ==, 400);
    g_assert_cmpuint(self->log->n_restarts, ==, 0);
    assert_at(self, 399, 399);
}

static void
test_hours_of_drift_are_no_restart(Fixture *self, gconstpointer data)
{
    const unsigned n_packets = 3 * 3600 * 50;

    for (unsigned n = 0; n < n_packets; n++) {
        const Change fast = {.ticks_offset = (int64_t) n * SENT_TICKS / 10000}; /* 100 ppm */
        send(self, n, n + 1, &fast);
    }
    const RtpReceiverStatus status = finish(self, 3 * 3600 * SECOND);

    const int64_t last_us = receiver_log_packet(self->log, n_packets - 1)->time_us;
    g_assert_cmpuint(status.n_packets, ==, n_packets);
    g_assert_cmpuint(self->log->n_restarts, ==, 0);
    g_assert_cmpint(ABS(last_us - SECOND - (n_packets - 1) * 20 * MS), <, 50 * MS);
}

static void
test_tracks_that_start_together_are_in_step(Fixture *self, gconstpointer data)
{
    g_autoptr(GRand) rand = g_rand_new_with_seed(11);

    for (unsigned round = 0; round < 200; round++) {
        int64_t start_us[2];
        for (unsigned track = 0; track < 2; track++) {
            g_autoptr(ReceiverLog) log = receiver_log_new();
            g_autoptr(RtpReceiver) receiver = receiver_log_receiver(log, 0);
            int64_t now_us = 0;

            for (unsigned n = 0; n < 20;
                 n++) { /* 80 % of the packets are 0 to 2 ms late, others 30 */
                const SentPacket packet = sent_packet(n);
                const bool is_slow = g_rand_int_range(rand, 0, 5) == 0;
                const int64_t delay_us = g_rand_int_range(rand, 0, 2000) + (is_slow ? 30000 : 0);
                now_us = MAX(now_us, SECOND + n * 20 * MS + delay_us);
                (void) rtp_receiver_expire(receiver, now_us);
                sent_packet_send(&packet, receiver, now_us);
            }
            rtp_receiver_finish(receiver, 2 * SECOND);
            g_assert_cmpuint(log->packets->len, ==, 20);
            start_us[track] = receiver_log_packet(log, 0)->time_us;
        }
        /* Only if all of the first three were slow (1 of 125) may they be apart. */
        g_assert_cmpint(ABS(start_us[0] - start_us[1]), <=, 32 * MS);
        if (ABS(start_us[0] - start_us[1]) > 2 * MS)
            g_test_message("round %u: %" G_GINT64_FORMAT " us apart", round,
                           start_us[0] - start_us[1]);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(path, test) g_test_add("/rtp_stream/" path, Fixture, NULL, set_up, test, tear_down)
    ADD("another-ssrc-does-not-get-in", test_another_ssrc_does_not_get_in);
    ADD("thousands-of-sources-keep-nobody-out", test_thousands_of_sources_keep_nobody_out);
    ADD("another-ssrc-follows-a-quiet-one", test_another_ssrc_follows_a_quiet_one);
    ADD("a-stray-first-packet-holds-nothing-up", test_a_stray_first_packet_holds_nothing_up);
    ADD("odd-single-packets-are-noise", test_odd_single_packets_are_noise);
    ADD("a-loss-of-thousands-is-a-loss", test_a_loss_of_thousands_is_a_loss);
    ADD("after-a-loss-of-thousands-the-slower-ones-are-waited-for",
        test_after_a_loss_of_thousands_the_slower_ones_are_waited_for);
    ADD("new-numbers-with-the-old-clock-are-no-restart",
        test_new_numbers_with_the_old_clock_are_no_restart);
    ADD("a-new-clock-is-a-restart", test_a_new_clock_is_a_restart);
    ADD("a-stopped-clock-is-a-restart-after-silence",
        test_a_stopped_clock_is_a_restart_after_silence);
    ADD("a-backlog-changes-nothing", test_a_backlog_changes_nothing);
    ADD("a-slow-backlog-changes-nothing", test_a_slow_backlog_changes_nothing);
    ADD("hours-of-drift-are-no-restart", test_hours_of_drift_are_no_restart);
    ADD("tracks-that-start-together-are-in-step", test_tracks_that_start_together_are_in_step);
    return g_test_run();
}
