#include "agent/recorder/rate_limit.h"

enum { KBPS = 80, BYTES_PER_SECOND = KBPS * 125, PACKET = 500 };

/* Offers packets at `packets_per_second` for `seconds`. Returns: how many bytes passed. */
static int64_t
run(RateLimit *limit, int64_t from_us, unsigned seconds, unsigned packets_per_second)
{
    int64_t n_bytes = 0;

    for (unsigned i = 0; i < seconds * packets_per_second; i++) {
        const int64_t at_us = from_us + (int64_t) i * G_USEC_PER_SEC / packets_per_second;

        n_bytes += rate_limit_allow(limit, PACKET, at_us) ? PACKET : 0;
    }
    return n_bytes;
}

static void
test_passes_what_is_below(void)
{
    g_autoptr(RateLimit) limit = rate_limit_new(KBPS);

    g_assert_cmpint(run(limit, 0, 3600, 20), ==, INT64_C(3600) * 20 * PACKET);
}

/* Two seconds may come at once, then only what the rate allows. */
static void
test_holds_the_rate(void)
{
    g_autoptr(RateLimit) limit = rate_limit_new(KBPS);
    const int64_t n_bytes = run(limit, 1000000, 100, 200);

    g_assert_cmpint(n_bytes, <=, INT64_C(102) * BYTES_PER_SECOND);
    g_assert_cmpint(n_bytes, >=, INT64_C(101) * BYTES_PER_SECOND);
}

static void
test_recovers_after_a_burst(void)
{
    g_autoptr(RateLimit) limit = rate_limit_new(KBPS);

    g_assert_cmpint(run(limit, 0, 1, 1000), <, 1000 * PACKET);
    g_assert_cmpint(run(limit, 10000000, 10, 20), ==, 10 * 20 * PACKET);
}

/* A clock that stands still or goes back gives nothing away. */
static void
test_time_that_does_not_pass_adds_nothing(void)
{
    g_autoptr(RateLimit) limit = rate_limit_new(KBPS);
    int64_t n_bytes = 0;

    for (unsigned i = 0; i < 1000; i++)
        n_bytes += rate_limit_allow(limit, PACKET, 5000000 - (int64_t) i * 1000000) ? PACKET : 0;
    g_assert_cmpint(n_bytes, ==, 2 * BYTES_PER_SECOND);
    g_assert_false(rate_limit_allow(limit, PACKET, INT64_MIN));
    g_assert_true(rate_limit_allow(limit, PACKET, INT64_MAX / 2));
}

static void
test_is_shared(void)
{
    g_autoptr(RateLimit) limit = rate_limit_new(KBPS);
    g_autoptr(RateLimit) same = rate_limit_ref(limit);

    while (rate_limit_allow(limit, PACKET, 0)) {
    }
    g_assert_false(rate_limit_allow(same, PACKET, 0));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
    g_test_add_func("/rate-limit/passes-what-is-below", test_passes_what_is_below);
    g_test_add_func("/rate-limit/holds-the-rate", test_holds_the_rate);
    g_test_add_func("/rate-limit/recovers-after-a-burst", test_recovers_after_a_burst);
    g_test_add_func("/rate-limit/time-that-does-not-pass-adds-nothing",
                    test_time_that_does_not_pass_adds_nothing);
    g_test_add_func("/rate-limit/is-shared", test_is_shared);
    return g_test_run();
}
