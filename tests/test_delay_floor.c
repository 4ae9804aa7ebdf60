#include "agent/recorder/delay_floor.h"

#include <glib.h>

#define SECOND G_GINT64_CONSTANT(1000000)

/* Packets each 20 ms from `from_s` to `until_s`, each later than `delay_us` by up to `jitter_us`.
 */
static void
add(DelayFloor *self, int from_s, int until_s, int64_t delay_us, int jitter_us)
{
    for (int64_t at_us = from_s * SECOND; at_us < until_s * SECOND; at_us += 20000)
        delay_floor_add(self, at_us,
                        delay_us + (jitter_us > 0 ? g_test_rand_int_range(0, jitter_us) : 0));
}

static void
assert_near(const DelayFloor *self, int at_s, int64_t expected_us, int64_t by_us)
{
    const int64_t got_us = delay_floor_at(self, at_s * SECOND);

    g_assert_cmpint(got_us, >=, expected_us - by_us);
    g_assert_cmpint(got_us, <=, expected_us + by_us);
}

static void
test_begins_with_what_is_known(void)
{
    DelayFloor floor;

    delay_floor_init(&floor, SECOND, 1234);
    g_assert_cmpint(delay_floor_at(&floor, SECOND), ==, 1234);
    g_assert_cmpint(delay_floor_at(&floor, 1000 * SECOND), ==, 1234);
}

static void
test_jitter_is_no_delay(void)
{
    DelayFloor floor;

    delay_floor_init(&floor, 0, 0);
    add(&floor, 0, 600, 0, 300000);
    assert_near(&floor, 600, 0, 8000);
}

static void
test_a_quicker_way_counts_at_once(void)
{
    DelayFloor floor;

    delay_floor_init(&floor, 0, 0);
    add(&floor, 0, 100, 0, 0);
    add(&floor, 100, 101, -50000, 0);
    assert_near(&floor, 101, -50000, 0);
    add(&floor, 101, 400, -50000, 0);
    assert_near(&floor, 400, -50000, 100);
}

static void
test_one_packet_alone_may_lie(void)
{
    DelayFloor floor;

    delay_floor_init(&floor, 0, 0);
    add(&floor, 0, 100, 0, 0);
    delay_floor_add(&floor, 100 * SECOND, -400000);
    add(&floor, 100, 120, 0, 0);
    assert_near(&floor, 120, 0, 0);
}

/* A queue, on the other hand, is believed only when it lasts. */
static void
test_a_slower_way_counts_when_it_stays(void)
{
    DelayFloor floor;

    delay_floor_init(&floor, 0, 0);
    add(&floor, 0, 200, 0, 0);
    add(&floor, 200, 240, 300000, 0);
    assert_near(&floor, 240, 0, 100);
    add(&floor, 240, 400, 300000, 0);
    assert_near(&floor, 400, 300000, 100);
}

static void
test_drift_goes_on_over_a_silence(void)
{
    DelayFloor floor;

    delay_floor_init(&floor, 0, 0);
    for (int64_t at_us = 0; at_us < 120 * SECOND; at_us += 20000)
        delay_floor_add(&floor, at_us, at_us / 10000); /* 100 ppm */
    assert_near(&floor, 720, 72000, 2000);
    /* But never far. */
    assert_near(&floor, 100000, 212000, 1000);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/delay_floor/begins-with-what-is-known", test_begins_with_what_is_known);
    g_test_add_func("/delay_floor/jitter-is-no-delay", test_jitter_is_no_delay);
    g_test_add_func("/delay_floor/a-quicker-way-counts-at-once", test_a_quicker_way_counts_at_once);
    g_test_add_func("/delay_floor/one-packet-alone-may-lie", test_one_packet_alone_may_lie);
    g_test_add_func("/delay_floor/a-slower-way-counts-when-it-stays",
                    test_a_slower_way_counts_when_it_stays);
    g_test_add_func("/delay_floor/drift-goes-on-over-a-silence", test_drift_goes_on_over_a_silence);
    return g_test_run();
}
