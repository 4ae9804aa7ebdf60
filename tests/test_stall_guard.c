#include "agent/media/stall_guard.h"

static void
test_names_what_does_not_return(void)
{
    g_autoptr(StallGuard) guard = stall_guard_new(1000);
    g_autofree char *before = stall_guard_stuck(guard);
    g_autofree char *after = NULL;

    g_assert_cmpstr(before, ==, NULL);
    stall_guard_enter(guard, "the decoder of track p1-video");
    g_usleep(20000);
    g_assert_false(stall_guard_is_given_up(guard));
    after = stall_guard_stuck(guard);
    g_assert_cmpstr(after, ==, "the decoder of track p1-video");
    g_assert_true(stall_guard_is_given_up(guard));
    stall_guard_leave(guard);
    g_assert_true(stall_guard_is_given_up(guard));
}

static void
test_counts_only_time_inside(void)
{
    g_autoptr(StallGuard) guard = stall_guard_new(20000);

    stall_guard_enter(guard, "a decoder");
    stall_guard_leave(guard);
    g_usleep(40000);
    g_autofree char *outside = stall_guard_stuck(guard);
    g_assert_cmpstr(outside, ==, NULL);
    g_assert_false(stall_guard_is_given_up(guard));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/stall_guard/names-what-does-not-return", test_names_what_does_not_return);
    g_test_add_func("/stall_guard/counts-only-time-inside", test_counts_only_time_inside);
    return g_test_run();
}
