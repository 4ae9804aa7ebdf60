#include "agent/recorder/rtp_clock.h"

#include <glib.h>

#define SECOND G_GINT64_CONSTANT(1000000)

static RtpClock
clock_at(uint32_t rate, uint32_t timestamp, int64_t arrival_us)
{
    RtpClock clock;

    rtp_clock_init(&clock, rate);
    rtp_clock_anchor(&clock, timestamp, arrival_us);
    return clock;
}

static const struct {
    uint32_t rate, first, timestamp;
    int64_t arrival_us, time_us; /* both after an anchor at 5 s */
} rows[] = {
    {48000, 1000,       1960,       20000,            20000           },
    {90000, 0,          3000,       33333,            33333           },
    {90000, 0,          3000,       400000,           33333           },
    {8000,  100,        100,        0,                0               },
    {48000, 1960,       1000,       0,                -20000          },
    {48000, 4294967295, 959,        20000,            20000           },
    {48000, 4294966336, 0,          20000,            20000           },
    {90000, 7,          7,          0,                0               },
 /* a day later: 90000 * 86400 = 7776000000, which wraps once (minus 4294967296) */
    {90000, 0,          3481032704, 86400 * SECOND,   86400 * SECOND  },
 /* 30 days */
    {48000, 0,          4156915712, 2592000 * SECOND, 2592000 * SECOND},
};

static void
test_maps_the_nearest_wrap(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        const RtpClock clock = clock_at(rows[i].rate, rows[i].first, 5 * SECOND);
        const int64_t time_us =
            rtp_clock_time_us(&clock, rows[i].timestamp, rows[i].arrival_us + 5 * SECOND);

        g_assert_cmpint(time_us - 5 * SECOND, ==, rows[i].time_us);
    }
}

static void
test_every_packet_of_a_long_stream_is_in_place(void)
{
    const RtpClock clock = clock_at(48000, 4294000000, 0);

    /* 30 hours of 20 ms: over the wrap (24.8 h) and back again. */
    for (int64_t n = 0; n < 30 * 3600 * 50; n++) {
        const uint32_t timestamp = (uint32_t) (4294000000 + n * 960);
        g_assert_cmpint(rtp_clock_time_us(&clock, timestamp, n * 20000 + 300000), ==, n * 20000);
    }
}

static void
test_quickest_of_the_first_sets_the_anchor(void)
{
    RtpClock clock = clock_at(48000, 0, 100000); /* 40 ms later than it should */

    rtp_clock_improve(&clock, 960, 120000);
    g_assert_cmpint(rtp_clock_time_us(&clock, 0, 100000), ==, 100000);
    rtp_clock_improve(&clock, 1920, 100000);
    g_assert_cmpint(rtp_clock_time_us(&clock, 0, 100000), ==, 60000);
    rtp_clock_improve(&clock, 2880, 150000);
    g_assert_cmpint(rtp_clock_time_us(&clock, 0, 100000), ==, 60000);
}

static void
test_lag_is_measured_from_where_it_stands(void)
{
    RtpClock clock = clock_at(48000, 0, 100000);

    g_assert_cmpint(rtp_clock_lag_us(&clock, 960, 120000), ==, 0);
    g_assert_cmpint(rtp_clock_lag_us(&clock, 960, 170000), ==, 50000);
    g_assert_cmpint(rtp_clock_lag_us(&clock, 48000, 120000), ==, -980000);

    rtp_clock_not_before(&clock, 0, 300000);
    g_assert_cmpint(rtp_clock_time_us(&clock, 960, 120000), ==, 320000);
    g_assert_cmpint(rtp_clock_lag_us(&clock, 960, 120000), ==, 0);
}

typedef struct {
    int ppm; /* how much too fast the source's clock runs */
    int seconds;
    int jitter_us;
    int silent_from_s, silent_until_s; /* a mute */
    int queue_from_s, queue_until_s;   /* all is 300 ms later */
} Weather;

static const Weather weathers[] = {
    {20,    10800, 0,      0,   0,    0,    0   },
    {100,   3600,  0,      0,   0,    0,    0   },
    {-100,  3600,  0,      0,   0,    0,    0   },
    {100,   3600,  300000, 0,   0,    0,    0   },
    {-100,  3600,  300000, 0,   0,    0,    0   },
    {300,   3600,  80000,  0,   0,    0,    0   },
    {-300,  3600,  80000,  0,   0,    0,    0   },
    {1000,  120,   20000,  0,   0,    0,    0   },
    {-1000, 120,   20000,  0,   0,    0,    0   },
    {100,   3600,  80000,  600, 1500, 0,    0   },
    {-100,  3600,  80000,  600, 1500, 0,    0   },
    {100,   3600,  0,      20,  200,  0,    0   },
    {-100,  3600,  0,      20,  200,  0,    0   },
    {100,   3600,  20000,  0,   0,    1000, 1030},
    {-100,  3600,  20000,  0,   0,    1000, 1030},
};

/* Packets each 20 ms. Returns: the largest distance between a packet's place and when it was made.
 */
static int64_t
worst_distance_us(const Weather *weather)
{
    RtpClock clock = clock_at(48000, 0, 0);
    int64_t worst_us = 0, last_us = -1;

    for (int64_t n = 0; n < (int64_t) weather->seconds * 50; n++) {
        const int64_t made_us = n * 20000;
        const int64_t made_s = made_us / SECOND;
        const int64_t ticks = n * 960 + n * 960 * weather->ppm / 1000000;
        const bool is_silent = made_s >= weather->silent_from_s && made_s < weather->silent_until_s;
        const bool is_queued = made_s >= weather->queue_from_s && made_s < weather->queue_until_s;
        /* The first is quick, as the quickest of the first is. */
        const int64_t jitter_us =
            n > 0 && weather->jitter_us > 0 ? g_test_rand_int_range(0, weather->jitter_us) : 0;
        const int64_t arrival_us = made_us + jitter_us + (is_queued ? 300000 : 0);

        if (is_silent)
            continue;
        rtp_clock_observe(&clock, (uint32_t) ticks, arrival_us, NULL);
        const int64_t time_us = rtp_clock_time_us(&clock, (uint32_t) ticks, arrival_us);
        g_assert_cmpint(time_us, >, last_us);
        last_us = time_us;
        worst_us = MAX(worst_us, ABS(time_us - made_us));
    }
    return worst_us;
}

static void
test_never_drifts_away(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(weathers); i++) {
        const int64_t distance_us = worst_distance_us(&weathers[i]);
        g_test_message("%zu: %d ppm: %" G_GINT64_FORMAT " us", i, weathers[i].ppm, distance_us);
        g_assert_cmpint(distance_us, <, 25000);
    }
}

static void
test_jitter_moves_nothing(void)
{
    RtpClock clock = clock_at(48000, 0, 0);

    for (int64_t n = 0; n < 50 * 600; n++)
        rtp_clock_observe(&clock, (uint32_t) (n * 960),
                          n * 20000 + (n > 0 ? g_test_rand_int_range(0, 80000) : 0), NULL);
    g_assert_cmpint(clock.shift.now_us, ==, 0);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/rtp_clock/maps-the-nearest-wrap", test_maps_the_nearest_wrap);
    g_test_add_func("/rtp_clock/every-packet-of-a-long-stream-is-in-place",
                    test_every_packet_of_a_long_stream_is_in_place);
    g_test_add_func("/rtp_clock/quickest-of-the-first-sets-the-anchor",
                    test_quickest_of_the_first_sets_the_anchor);
    g_test_add_func("/rtp_clock/lag-is-measured-from-where-it-stands",
                    test_lag_is_measured_from_where_it_stands);
    g_test_add_func("/rtp_clock/never-drifts-away", test_never_drifts_away);
    g_test_add_func("/rtp_clock/jitter-moves-nothing", test_jitter_moves_nothing);
    return g_test_run();
}
