#include "agent/recorder/rtp_receiver.h"
#include "tests/fakes/receiver_log.h"

#include <glib.h>
#include <string.h>

#define MS     G_GINT64_CONSTANT(1000)
#define SECOND G_GINT64_CONSTANT(1000000)

typedef struct {
    ReceiverLog *log;
    RtpReceiver *receiver; /* of a track that begins at 1 s */
} Fixture;

static void
set_up(Fixture *self, gconstpointer data)
{
    self->log = receiver_log_new();
    self->receiver = receiver_log_receiver(self->log, SECOND);
}

static void
tear_down(Fixture *self, gconstpointer data)
{
    rtp_receiver_free(self->receiver);
    receiver_log_free(self->log);
}

/* Packets `first` to before `end`, each when it is due: number 0 at 2 s. */
static void
send(Fixture *self, unsigned first, unsigned end)
{
    for (unsigned n = first; n < end; n++) {
        const SentPacket packet = sent_packet(n);
        sent_packet_send(&packet, self->receiver, 2 * SECOND + n * 20 * MS);
        (void) rtp_receiver_expire(self->receiver, 2 * SECOND + n * 20 * MS);
    }
}

static RtpReceiverStatus
status(Fixture *self)
{
    RtpReceiverStatus now;

    rtp_receiver_status(self->receiver, &now);
    return now;
}

static void
test_gives_on_at_once_after_the_start(Fixture *self, gconstpointer data)
{
    send(self, 0, 3);
    g_assert_cmpuint(self->log->packets->len, ==, 0);
    g_assert_cmpint(rtp_receiver_expire(self->receiver, 2 * SECOND + 50 * MS), ==,
                    2 * SECOND + 60 * MS);
    g_assert_cmpint(rtp_receiver_expire(self->receiver, 2 * SECOND + 60 * MS), ==, INT64_MAX);
    g_assert_cmpuint(self->log->packets->len, ==, 3);

    for (unsigned n = 3; n < 1000; n++) {
        send(self, n, n + 1);
        g_assert_cmpuint(self->log->packets->len, ==, n + 1);
        g_assert_cmpint(receiver_log_packet(self->log, n)->time_us, ==, 2 * SECOND + n * 20 * MS);
        g_assert_cmpuint(receiver_log_packet(self->log, n)->sequence, ==, 1000 + n);
    }
    g_assert_cmpuint(status(self).n_packets, ==, 1000);
    g_assert_cmpuint(status(self).n_bytes, ==, 32000);
    g_assert_cmpuint(status(self).ssrc, ==, SENT_SSRC);
}

static void
test_one_batch_is_one_call(Fixture *self, gconstpointer data)
{
    uint8_t bytes[20][32];
    RtpDatagram datagrams[20];

    send(self, 0, 10);
    for (unsigned i = 0; i < 20; i++) {
        const SentPacket packet = sent_packet(10 + i);
        datagrams[i] =
            (RtpDatagram){bytes[i], sent_packet_write(&packet, bytes[i]), 2 * SECOND + 580 * MS};
    }
    const unsigned n_before = self->log->n_batches;
    rtp_receiver_take_batch(self->receiver, datagrams, 20);

    g_assert_cmpuint(self->log->n_batches, ==, n_before + 1);
    g_assert_cmpuint(self->log->packets->len, ==, 30);
}

static void
test_tiles_the_track_at_both_ends(Fixture *self, gconstpointer data)
{
    send(self, 0, 100);
    rtp_receiver_finish(self->receiver, 10 * SECOND);

    g_assert_cmpuint(self->log->gaps->len, ==, 2);
    receiver_log_assert_gap(self->log, 0, &(LoggedGap){SECOND, 2 * SECOND, "no-media"});
    receiver_log_assert_gap(self->log, 1, &(LoggedGap){4 * SECOND, 10 * SECOND, "no-media"});
}

static void
test_nothing_at_all_is_one_gap(Fixture *self, gconstpointer data)
{
    rtp_receiver_finish(self->receiver, 10 * SECOND);

    g_assert_cmpuint(self->log->gaps->len, ==, 1);
    receiver_log_assert_gap(self->log, 0, &(LoggedGap){SECOND, 10 * SECOND, "no-media"});
    g_assert_false(status(self).has_ssrc);
}

static void
test_names_a_loss(Fixture *self, gconstpointer data)
{
    send(self, 0, 50);
    send(self, 53, 100); /* 60 ms: too short to tell */
    send(self, 120, 150);
    rtp_receiver_finish(self->receiver, 5 * SECOND);

    g_assert_cmpuint(self->log->packets->len, ==, 127);
    g_assert_true(receiver_log_packet(self->log, 50)->follows_loss);
    g_assert_false(receiver_log_packet(self->log, 51)->follows_loss);
    g_assert_true(receiver_log_packet(self->log, 97)->follows_loss);
    g_assert_cmpuint(status(self).n_lost, ==, 23);
    g_assert_cmpuint(self->log->gaps->len, ==, 2);
    receiver_log_assert_gap(self->log, 1, &(LoggedGap){4 * SECOND, 4400 * MS, "loss"});
}

static void
test_names_a_silence(Fixture *self, gconstpointer data)
{
    send(self, 0, 50);
    for (unsigned n = 150; n < 200; n++) { /* 2 s later, but the numbers go on */
        SentPacket packet = sent_packet(n);
        packet.sequence = (uint16_t) (packet.sequence - 100);
        sent_packet_send(&packet, self->receiver, 2 * SECOND + n * 20 * MS);
    }
    rtp_receiver_finish(self->receiver, 6 * SECOND);

    g_assert_cmpuint(self->log->gaps->len, ==, 2);
    receiver_log_assert_gap(self->log, 1, &(LoggedGap){3 * SECOND, 5 * SECOND, "silence"});
    g_assert_cmpuint(status(self).n_lost, ==, 0);
    g_assert_cmpuint(self->log->n_restarts, ==, 0);
}

/* Opus with DTX sends a packet each 400 ms while a microphone is muted. */
static void
test_comfort_noise_does_not_chop_a_silence(Fixture *self, gconstpointer data)
{
    send(self, 0, 50);
    for (unsigned i = 1; i <= 10; i++) {
        SentPacket packet = sent_packet(49 + i * 20);
        packet.sequence = (uint16_t) (1049 + i);
        sent_packet_send(&packet, self->receiver, 2 * SECOND + (49 + i * 20) * 20 * MS);
    }
    for (unsigned n = 250; n < 300; n++) {
        SentPacket packet = sent_packet(n);
        packet.sequence = (uint16_t) (1060 + n - 250);
        sent_packet_send(&packet, self->receiver, 2 * SECOND + n * 20 * MS);
    }
    rtp_receiver_finish(self->receiver, 8 * SECOND);

    g_assert_cmpuint(self->log->packets->len, ==, 110);
    g_assert_cmpuint(self->log->gaps->len, ==, 2);
    receiver_log_assert_gap(self->log, 1, &(LoggedGap){3 * SECOND, 6980 * MS, "silence"});
}

static void
test_counts_reordered_duplicate_and_late(Fixture *self, gconstpointer data)
{
    send(self, 0, 10);
    send(self, 11, 12);
    send(self, 10, 11); /* 20 ms late */
    send(self, 12, 20);
    send(self, 15, 16); /* twice */
    send(self, 21, 40); /* 20 was given up */
    send(self, 20, 21);
    send(self, 40, 50);
    rtp_receiver_finish(self->receiver, 3 * SECOND);

    const RtpReceiverStatus now = status(self);
    g_assert_cmpuint(now.n_packets, ==, 49);
    g_assert_cmpuint(now.n_reordered, ==, 1);
    g_assert_cmpuint(now.n_duplicate, ==, 1);
    g_assert_cmpuint(now.n_late, ==, 1);
    g_assert_cmpuint(now.n_lost, ==, 1);
    for (unsigned i = 1; i < 49; i++)
        g_assert_cmpuint(receiver_log_packet(self->log, i - 1)->sequence, <,
                         receiver_log_packet(self->log, i)->sequence);
}

static void
test_sequence_and_timestamp_wrap(Fixture *self, gconstpointer data)
{
    for (unsigned n = 0; n < 200; n++) {
        SentPacket packet = sent_packet(n);
        packet.sequence = (uint16_t) (65500 + n);
        packet.timestamp = UINT32_MAX - 50 * SENT_TICKS + n * SENT_TICKS;
        sent_packet_send(&packet, self->receiver, 2 * SECOND + n * 20 * MS);
    }
    rtp_receiver_finish(self->receiver, 6 * SECOND);

    g_assert_cmpuint(self->log->packets->len, ==, 200);
    g_assert_cmpuint(status(self).n_lost, ==, 0);
    g_assert_cmpint(receiver_log_packet(self->log, 199)->time_us, ==, 5980 * MS);
    g_assert_cmpuint(self->log->gaps->len, ==, 1);
}

/* The first packets overtake each other where the numbers wrap. */
static void
test_the_start_is_put_into_order(Fixture *self, gconstpointer data)
{
    const unsigned order[] = {1, 0, 3, 2, 4};

    for (unsigned i = 0; i < G_N_ELEMENTS(order); i++) {
        SentPacket packet = sent_packet(order[i]);
        packet.sequence = (uint16_t) (65534 + order[i]);
        sent_packet_send(&packet, self->receiver, 2 * SECOND + i * MS);
    }
    rtp_receiver_finish(self->receiver, 3 * SECOND);

    g_assert_cmpuint(self->log->packets->len, ==, 5);
    for (unsigned i = 0; i < 5; i++)
        g_assert_cmpuint(receiver_log_packet(self->log, i)->sequence, ==, (uint16_t) (65534 + i));
    g_assert_cmpuint(status(self).n_lost + status(self).n_late, ==, 0);
    g_assert_cmpuint(status(self).n_reordered, ==, 2);
}

static void
test_foreign_packets_are_counted_only(Fixture *self, gconstpointer data)
{
    static const uint8_t large[65507] = {0x80, SENT_TYPE};
    static const uint8_t report[28] = {0x80, 200, 0, 6};
    static const uint8_t zeros[100] = {0};
    const SentPacket other_type = {SENT_SSRC, 50000, 1000, SENT_TYPE + 1, 20};

    for (unsigned round = 0; round < 2; round++) { /* before the stream and in it */
        rtp_receiver_take(self->receiver, large, 0, 2 * SECOND);
        rtp_receiver_take(self->receiver, large, sizeof(large), 2 * SECOND);
        rtp_receiver_take(self->receiver, large, 11, 2 * SECOND);
        rtp_receiver_take(self->receiver, report, sizeof(report), 2 * SECOND);
        rtp_receiver_take(self->receiver, zeros, sizeof(zeros), 2 * SECOND);
        sent_packet_send(&other_type, self->receiver, 2 * SECOND);
        g_assert_cmpuint(status(self).n_foreign, ==, 6 * (round + 1));
        if (round == 0)
            send(self, 0, 10);
    }
    g_assert_cmpuint(self->log->packets->len, ==, 10);
}

/* Probes for bandwidth are numbered like media, but hold none. */
static void
test_empty_packets_are_no_loss(Fixture *self, gconstpointer data)
{
    send(self, 0, 10);
    for (unsigned n = 10; n < 15; n++) {
        SentPacket packet = sent_packet(n);
        packet.n_payload = 0;
        packet.timestamp = sent_packet(9).timestamp;
        sent_packet_send(&packet, self->receiver, 2 * SECOND + 190 * MS);
    }
    send(self, 15, 20);

    g_assert_cmpuint(self->log->packets->len, ==, 15);
    g_assert_cmpuint(status(self).n_lost, ==, 0);
    g_assert_false(receiver_log_packet(self->log, 10)->follows_loss);
}

static void
test_nothing_of_a_pause_is_given_on(Fixture *self, gconstpointer data)
{
    send(self, 0, 50);
    rtp_receiver_pause(self->receiver, "consent-missing", 3 * SECOND);
    send(self, 50, 99);
    rtp_receiver_pause(self->receiver, NULL, 4 * SECOND);
    const SentPacket belated = sent_packet(99); /* from before the pause ended */
    sent_packet_send(&belated, self->receiver, 4 * SECOND + 1);
    send(self, 101, 150);
    rtp_receiver_finish(self->receiver, 5 * SECOND);

    g_assert_cmpuint(self->log->packets->len, ==, 99);
    for (unsigned i = 50; i < 99; i++)
        g_assert_cmpint(receiver_log_packet(self->log, i)->time_us, >=, 4 * SECOND);
    g_assert_true(receiver_log_packet(self->log, 50)->follows_loss);
    g_assert_cmpuint(self->log->gaps->len, ==, 2);
    receiver_log_assert_gap(self->log, 1, &(LoggedGap){3 * SECOND, 4 * SECOND, "consent-missing"});
    g_assert_cmpuint(status(self).n_paused, ==, 50);
}

static void
test_pauses_and_their_neighbours_tile(Fixture *self, gconstpointer data)
{
    rtp_receiver_pause(self->receiver, "a", 1500 * MS);
    rtp_receiver_pause(self->receiver, "b", 1600 * MS);
    rtp_receiver_pause(self->receiver, NULL, 1700 * MS);
    send(self, 0, 50);
    rtp_receiver_pause(self->receiver, "c", 4 * SECOND);
    rtp_receiver_finish(self->receiver, 5 * SECOND);

    const LoggedGap expected[] = {
        {SECOND,     1500 * MS,  "no-media"},
        {1500 * MS,  1600 * MS,  "a"       },
        {1600 * MS,  1700 * MS,  "b"       },
        {1700 * MS,  2 * SECOND, "no-media"},
        {3 * SECOND, 4 * SECOND, "silence" },
        {4 * SECOND, 5 * SECOND, "c"       },
    };
    g_assert_cmpuint(self->log->gaps->len, ==, G_N_ELEMENTS(expected));
    for (unsigned i = 0; i < G_N_ELEMENTS(expected); i++)
        receiver_log_assert_gap(self->log, i, &expected[i]);
}

/* Hours later by its timestamps, a moment later by ours, while the first packets wait. */
static void
test_a_jump_at_the_start_is_no_hour_of_media(Fixture *self, gconstpointer data)
{
    enum { N_BEFORE = 5, N_PACKETS = 60 };

    for (unsigned n = 0; n < N_PACKETS; n++) {
        SentPacket packet = sent_packet(n);

        if (n >= N_BEFORE)
            packet.timestamp += 3 * 3600 * SENT_RATE;
        sent_packet_send(&packet, self->receiver, n < N_BEFORE ? n * 10 * MS : n * 20 * MS);
    }
    rtp_receiver_finish(self->receiver, 2000 * MS);

    g_assert_cmpuint(self->log->packets->len, ==, N_PACKETS);
    g_assert_cmpuint(self->log->n_restarts, ==, 1);
    g_assert_cmpuint(self->log->restart_at, ==, N_BEFORE);
    for (unsigned i = 0; i < N_PACKETS; i++)
        g_assert_cmpint(receiver_log_packet(self->log, i)->time_us, <, 3000 * MS);
}

static void
test_finish_gives_on_all_that_waits(Fixture *self, gconstpointer data)
{
    send(self, 0, 2);
    rtp_receiver_finish(self->receiver, 3 * SECOND);

    g_assert_cmpuint(self->log->packets->len, ==, 2);
    receiver_log_assert_gap(self->log, 1, &(LoggedGap){2040 * MS, 3 * SECOND, "no-media"});
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(path, test) g_test_add("/rtp_receiver/" path, Fixture, NULL, set_up, test, tear_down)
    ADD("gives-on-at-once-after-the-start", test_gives_on_at_once_after_the_start);
    ADD("one-batch-is-one-call", test_one_batch_is_one_call);
    ADD("tiles-the-track-at-both-ends", test_tiles_the_track_at_both_ends);
    ADD("nothing-at-all-is-one-gap", test_nothing_at_all_is_one_gap);
    ADD("names-a-loss", test_names_a_loss);
    ADD("names-a-silence", test_names_a_silence);
    ADD("comfort-noise-does-not-chop-a-silence", test_comfort_noise_does_not_chop_a_silence);
    ADD("counts-reordered-duplicate-and-late", test_counts_reordered_duplicate_and_late);
    ADD("sequence-and-timestamp-wrap", test_sequence_and_timestamp_wrap);
    ADD("the-start-is-put-into-order", test_the_start_is_put_into_order);
    ADD("foreign-packets-are-counted-only", test_foreign_packets_are_counted_only);
    ADD("empty-packets-are-no-loss", test_empty_packets_are_no_loss);
    ADD("nothing-of-a-pause-is-given-on", test_nothing_of_a_pause_is_given_on);
    ADD("pauses-and-their-neighbours-tile", test_pauses_and_their_neighbours_tile);
    ADD("a-jump-at-the-start-is-no-hour-of-media", test_a_jump_at_the_start_is_no_hour_of_media);
    ADD("finish-gives-on-all-that-waits", test_finish_gives_on_all_that_waits);
    return g_test_run();
}
