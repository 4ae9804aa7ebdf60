#include "storage/send_rate.h"

#include <glib.h>

enum { RATE = 100000 }; /* bytes a second */

/* Takes as often as it can for `duration_us`. Returns: all that was granted. */
static uint64_t
take_for(SendRate *rate, int64_t start_us, int64_t duration_us, int64_t step_us)
{
    uint64_t n_taken = 0;

    for (int64_t now_us = start_us; now_us < start_us + duration_us; now_us += step_us) {
        size_t n_granted = 0;

        do {
            n_granted = send_rate_take(rate, 65536, now_us);
            n_taken += n_granted;
        } while (n_granted > 0);
    }
    return n_taken;
}

static void
test_zero_allows_all(void)
{
    SendRate rate = {0};

    g_assert_cmpuint(send_rate_take(&rate, 1 << 30, 5), ==, 1 << 30);
    g_assert_cmpint(send_rate_delay_ms(&rate, 1 << 30, 3), ==, 0);
}

static void
test_holds_over_any_second(void)
{
    static const int64_t steps_us[] = {1, 100, 20000, 99999, 250000};
    const int64_t start_us = G_GINT64_CONSTANT(7) * G_USEC_PER_SEC;

    for (size_t i = 0; i < G_N_ELEMENTS(steps_us); i++) {
        SendRate rate;
        const int64_t duration_us = steps_us[i] == 1 ? G_USEC_PER_SEC : 10 * G_USEC_PER_SEC;
        const uint64_t fair = (uint64_t) (duration_us / G_USEC_PER_SEC) * RATE;
        uint64_t n_taken = 0;

        send_rate_init(&rate, RATE);
        n_taken = take_for(&rate, start_us, duration_us, steps_us[i]);
        /* One burst of a tenth of a second stands at the beginning. */
        g_assert_cmpuint(n_taken, <=, fair + RATE / 10);
        if (steps_us[i] < 100000)
            g_assert_cmpuint(n_taken, >=, fair * 9 / 10);
    }
}

static void
test_does_not_save_up(void)
{
    SendRate rate;

    send_rate_init(&rate, RATE);
    (void) take_for(&rate, G_USEC_PER_SEC, 1, 1);

    g_assert_cmpuint(take_for(&rate, G_GINT64_CONSTANT(3600) * G_USEC_PER_SEC, 1, 1), <=,
                     RATE / 10);
}

static void
test_lets_a_slow_line_go_on(void)
{
    SendRate rate;
    uint64_t n_taken = 0;

    send_rate_init(&rate, 8000); /* a tenth of a second is less than one helping */
    n_taken = take_for(&rate, G_USEC_PER_SEC, 10 * G_USEC_PER_SEC, 20000);

    g_assert_cmpuint(n_taken, >=, 72000);
    g_assert_cmpuint(n_taken, <=, 88000);
}

static void
test_grants_what_is_left_of_a_body(void)
{
    SendRate rate;

    send_rate_init(&rate, RATE);
    g_assert_cmpuint(send_rate_take(&rate, 10, G_USEC_PER_SEC), ==, 10);
}

static void
test_tells_the_delay(void)
{
    SendRate rate;

    send_rate_init(&rate, RATE);
    g_assert_cmpint(send_rate_delay_ms(&rate, 8 << 20, 3), ==, 335544);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/send-rate/zero-allows-all", test_zero_allows_all);
    g_test_add_func("/send-rate/holds-over-any-second", test_holds_over_any_second);
    g_test_add_func("/send-rate/does-not-save-up", test_does_not_save_up);
    g_test_add_func("/send-rate/lets-a-slow-line-go-on", test_lets_a_slow_line_go_on);
    g_test_add_func("/send-rate/grants-what-is-left-of-a-body", test_grants_what_is_left_of_a_body);
    g_test_add_func("/send-rate/tells-the-delay", test_tells_the_delay);
    return g_test_run();
}
