#include "agent/recorder/rtp_receiver.h"
#include "tests/fakes/receiver_log.h"

#include <glib.h>
#include <string.h>

/* Thousands of invented visits over bad networks, against an oracle that knows what was sent. */

#define MS     G_GINT64_CONSTANT(1000)
#define SECOND G_GINT64_CONSTANT(1000000)

enum {
    N_VISITS = 300,
    N_PACKETS = 1000,
    SLEW_US = 1021, /* by which a clock may move in as much as is reordered, and whole ticks */
};

typedef struct {
    int64_t arrival_us;
    unsigned n;
} Flight;

/* So many packets are held up for up to so long, the others for up to 20 ms; and the receiver waits
 * for them. */
typedef struct {
    int percent;
    int64_t delay_us;
    uint32_t reorder_ms;
} Network;

typedef struct {
    GRand *rand;
    SentPacket packets[N_PACKETS]; /* as sent */
    int64_t made_us[N_PACKETS];
    bool is_lost[N_PACKETS];
    GArray *flights; /* in order of arrival */
} Visit;

static int
compare_flights(gconstpointer a, gconstpointer b)
{
    const Flight *left = a, *right = b;

    if (left->arrival_us != right->arrival_us)
        return left->arrival_us < right->arrival_us ? -1 : 1;
    return left->n < right->n ? -1 : left->n > right->n;
}

static bool
chance(Visit *visit, int percent)
{
    return g_rand_int_range(visit->rand, 0, 100) < percent;
}

/* Packets of 20 ms with pauses in which the clock goes on; 3 % lost, alone or in runs, 2 % twice,
 * all delayed. The first two and the last always come, so that the oracle knows
 * both ends. */
static void
invent(Visit *visit, const Network *network)
{
    const uint16_t first_sequence = (uint16_t) g_rand_int(visit->rand);
    const uint32_t first_timestamp = g_rand_int(visit->rand);
    int64_t made_us = SECOND;
    bool is_losing = false;

    for (unsigned n = 0; n < N_PACKETS; n++) {
        if (n > 2 && chance(visit, 1))
            made_us += g_rand_int_range(visit->rand, 10, 150) * 20 * MS;
        visit->made_us[n] = made_us;
        visit->packets[n] =
            (SentPacket){SENT_SSRC, first_timestamp + (uint32_t) ((made_us - SECOND) * 48 / 1000),
                         (uint16_t) (first_sequence + n), SENT_TYPE,
                         (uint16_t) g_rand_int_range(visit->rand, 1, 60)};
        is_losing = is_losing ? chance(visit, 60) : chance(visit, 2);
        visit->is_lost[n] = is_losing && n > 1 && n < N_PACKETS - 1;
        for (unsigned copies = chance(visit, 2) ? 2 : 1; copies > 0 && !visit->is_lost[n];
             copies--) {
            const int64_t most_us = chance(visit, network->percent) ? network->delay_us : 20 * MS;
            const int64_t late_us = n == 0 ? 0 : g_rand_int_range(visit->rand, 0, (int) most_us);
            const Flight flight = {made_us + late_us, n};
            g_array_append_val(visit->flights, flight);
        }
        made_us += 20 * MS;
    }
    g_array_sort(visit->flights, compare_flights);
}

static void
fly(Visit *visit, RtpReceiver *receiver)
{
    int64_t due_us = INT64_MAX;

    for (unsigned i = 0; i < visit->flights->len; i++) {
        const Flight *flight = &g_array_index(visit->flights, Flight, i);

        while (due_us <= flight->arrival_us)
            due_us = rtp_receiver_expire(receiver, due_us);
        sent_packet_send(&visit->packets[flight->n], receiver, flight->arrival_us);
        due_us = rtp_receiver_expire(receiver, flight->arrival_us);
    }
}

static Visit *
visit_new(unsigned seed, const Network *network)
{
    Visit *visit = g_new0(Visit, 1);

    visit->rand = g_rand_new_with_seed(seed);
    visit->flights = g_array_new(FALSE, FALSE, sizeof(Flight));
    invent(visit, network);
    return visit;
}

static void
visit_free(Visit *visit)
{
    g_rand_free(visit->rand);
    g_array_unref(visit->flights);
    g_free(visit);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Visit, visit_free)

/* What was given on is what was sent without what was lost, in order, where it was made. */
static void
check_packets(const Visit *visit, const ReceiverLog *log)
{
    unsigned i = 0;

    for (unsigned n = 0; n < N_PACKETS; n++) {
        if (visit->is_lost[n])
            continue;
        const LoggedPacket *packet = receiver_log_packet(log, i);
        g_assert_cmpuint(packet->sequence, ==, visit->packets[n].sequence);
        /* What little the clock makes of the jitter. */
        g_assert_cmpint(ABS(packet->time_us - visit->made_us[n]), <=, 20 * MS);
        g_assert_cmpint(packet->follows_loss, ==, n > 0 && visit->is_lost[n - 1]);
        i++;
    }
    g_assert_cmpuint(log->packets->len, ==, i);
}

/* The gaps are in order and hold no media but comfort noise; and media, gaps and short holes make
 * up the whole timeline, to the microsecond. */
static void
check_gaps(const ReceiverLog *log, int64_t until_us)
{
    int64_t at_us = 0, sum_us = 0;
    unsigned i = 0;

    for (unsigned g = 0; g < log->gaps->len; g++) {
        const LoggedGap *gap = receiver_log_gap(log, g);
        const bool is_edge = g == 0 || g == log->gaps->len - 1;

        g_assert_cmpint(gap->start_us, >=, at_us - SLEW_US);
        g_assert_cmpstr(is_edge ? "no-media" : gap->reason, ==,
                        is_edge || strcmp(gap->reason, "loss") == 0 ? gap->reason : "silence");
        for (; i < log->packets->len && receiver_log_packet(log, i)->time_us < gap->start_us; i++) {
            const int64_t hole_us = receiver_log_packet(log, i)->time_us - at_us;
            g_assert_cmpint(hole_us, <, 200 * MS); /* longer ones are told */
            g_assert_cmpint(hole_us, >=, -SLEW_US);
            sum_us += hole_us + 20 * MS;
            at_us = receiver_log_packet(log, i)->time_us + 20 * MS;
        }
        sum_us += gap->end_us - at_us;
        at_us = gap->end_us;
        while (i < log->packets->len && receiver_log_packet(log, i)->time_us < at_us) {
            g_assert_cmpstr(gap->reason, ==, "silence");
            i++;
        }
    }
    g_assert_cmpuint(i, ==, log->packets->len);
    g_assert_cmpint(at_us, ==, until_us);
    g_assert_cmpint(sum_us, ==, until_us);
}

static void
test_gives_on_what_was_sent_without_what_was_lost(void)
{
    /* The last is 200 packets. */
    static const Network networks[] = {
        {100, 59 * MS,    60  },
        {100, 300 * MS,   500 },
        {3,   4 * SECOND, 5000}
    };

    for (unsigned seed = 0; seed < N_VISITS; seed++) {
        const Network *network = &networks[seed % G_N_ELEMENTS(networks)];
        g_autoptr(Visit) visit = visit_new(seed, network);
        g_autoptr(ReceiverLog) log = receiver_log_new();
        RtpReceiverOptions options = receiver_log_options(log, 0);
        options.reorder_ms = network->reorder_ms;
        g_autoptr(RtpReceiver) receiver = rtp_receiver_new(&options);
        const int64_t until_us = visit->made_us[N_PACKETS - 1] + 5 * SECOND;
        unsigned n_lost = 0;
        RtpReceiverStatus status;

        fly(visit, receiver);
        rtp_receiver_finish(receiver, until_us);
        rtp_receiver_status(receiver, &status);

        check_packets(visit, log);
        check_gaps(log, until_us);
        for (unsigned n = 0; n < N_PACKETS; n++)
            n_lost += visit->is_lost[n];
        g_assert_cmpuint(status.n_packets, ==, N_PACKETS - n_lost);
        g_assert_cmpuint(status.n_lost, ==, n_lost);
        g_assert_cmpuint(status.n_late, ==, 0);
        g_assert_cmpuint(status.n_packets + status.n_duplicate, ==, visit->flights->len);
        g_assert_cmpuint(status.n_foreign + status.n_foreign_ssrc, ==, 0);
        g_assert_cmpuint(log->n_restarts, ==, 0);
    }
}

/* Worse than the window can mend: nothing comes twice or out of order, and every packet is
 * accounted for. */
static void
test_every_packet_is_accounted_for(void)
{
    static const Network network = {100, 300 * MS, 60};

    for (unsigned seed = 0; seed < N_VISITS; seed++) {
        g_autoptr(Visit) visit = visit_new(seed, &network);
        g_autoptr(ReceiverLog) log = receiver_log_new();
        g_autoptr(RtpReceiver) receiver = receiver_log_receiver(log, 0);
        RtpReceiverStatus status;

        fly(visit, receiver);
        rtp_receiver_finish(receiver, visit->made_us[N_PACKETS - 1] + SECOND);
        rtp_receiver_status(receiver, &status);

        g_assert_cmpuint(status.n_packets, ==, log->packets->len);
        g_assert_cmpuint(status.n_packets + status.n_duplicate + status.n_late, ==,
                         visit->flights->len);
        g_assert_cmpuint(status.n_packets, >, N_PACKETS / 4);
        for (unsigned i = 1; i < log->packets->len; i++) {
            const LoggedPacket *packet = receiver_log_packet(log, i);
            const uint16_t step = (uint16_t) (packet->sequence - (packet - 1)->sequence);
            g_assert_cmpuint(step, >=, 1);
            g_assert_cmpuint(step, <, 1000);
            g_assert_cmpint(packet->follows_loss, ==, step > 1);
            g_assert_cmpint(packet->time_us, >, (packet - 1)->time_us);
        }
    }
}

/* Anything at all: bytes by chance, real packets with flipped bits, pauses, long waits. */
static void
test_noise_never_breaks_the_timeline(void)
{
    for (unsigned seed = 0; seed < N_VISITS; seed++) {
        g_autoptr(GRand) rand = g_rand_new_with_seed(seed);
        g_autoptr(ReceiverLog) log = receiver_log_new();
        g_autoptr(RtpReceiver) receiver = receiver_log_receiver(log, SECOND);
        int64_t now_us = SECOND;

        for (unsigned i = 0; i < 3000; i++) {
            uint8_t bytes[12 + 20];
            SentPacket packet = sent_packet(i);
            if (g_rand_int_range(rand, 0, 4) == 0)
                packet.timestamp += (uint32_t) g_rand_int_range(rand, 0, 20) * SENT_RATE;
            if (g_rand_int_range(rand, 0, 4) == 0)
                packet.sequence =
                    (uint16_t) (packet.sequence + g_rand_int_range(rand, -4000, 4000));
            if (g_rand_int_range(rand, 0, 8) == 0)
                packet.ssrc = (uint32_t) g_rand_int_range(rand, 1, 3);
            packet.n_payload = 0; /* grows by what follows, which is not checked */
            const size_t n_bytes = sent_packet_write(&packet, bytes) + 1;
            bytes[0] = 0x80;
            bytes[12] = (uint8_t) (packet.sequence * 31 + 1);
            now_us +=
                g_rand_int_range(rand, 0, 100) == 0 ? 2 * SECOND : g_rand_int_range(rand, 0, 40000);
            rtp_receiver_take(receiver, bytes, n_bytes, now_us);
            if (g_rand_int_range(rand, 0, 50) == 0)
                rtp_receiver_pause(receiver, g_rand_boolean(rand) ? "pause" : NULL, now_us);
            g_assert_cmpint(rtp_receiver_expire(receiver, now_us), >, now_us);
        }
        rtp_receiver_finish(receiver, now_us);

        for (unsigned i = 0; i < log->packets->len; i++)
            g_assert_cmpint(receiver_log_packet(log, i)->time_us, >=, SECOND);
        for (unsigned i = 1; i < log->gaps->len; i++)
            g_assert_cmpint(receiver_log_gap(log, i)->start_us, >=,
                            receiver_log_gap(log, i - 1)->end_us);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/rtp_model/gives-on-what-was-sent-without-what-was-lost",
                    test_gives_on_what_was_sent_without_what_was_lost);
    g_test_add_func("/rtp_model/every-packet-is-accounted-for", test_every_packet_is_accounted_for);
    g_test_add_func("/rtp_model/noise-never-breaks-the-timeline",
                    test_noise_never_breaks_the_timeline);
    return g_test_run();
}
