#include "agent/policy/session_limits.h"

#include <string.h>

static const SessionLimits ten = {
    {10, 10, 10, 10, 10, 10, 10}
};

static const struct {
    uint64_t n_now, n_more;
    bool is_allowed;
} rows[] = {
    {0,          1,          true },
    {9,          1,          true },
    {10,         1,          false},
    {0,          10,         true },
    {0,          11,         false},
    {1,          10,         false},
    {20,         1,          false},
    {20,         0,          true },
    {10,         0,          true },
    {0,          UINT64_MAX, false},
    {5,          UINT64_MAX, false},
    {UINT64_MAX, 1,          false},
};

static void
test_takes_up_to_the_limit(void)
{
    for (SessionLimit limit = 0; limit < N_SESSION_LIMITS; limit++) {
        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
            g_autoptr(GError) error = NULL;

            g_assert_cmpint(
                session_limits_allow(&ten, limit, rows[i].n_now, rows[i].n_more, &error), ==,
                rows[i].is_allowed);
            g_assert_cmpint(error == NULL, ==, rows[i].is_allowed);
        }
    }
}

static void
test_refusal_names_the_limit_and_its_value(void)
{
    for (SessionLimit limit = 0; limit < N_SESSION_LIMITS; limit++) {
        g_autoptr(GError) error = NULL;

        g_assert_false(session_limits_allow(&ten, limit, 10, 1, &error));
        g_assert_error(error, SESSION_LIMIT_ERROR, (int) limit);
        g_assert_nonnull(strstr(error->message, session_limits_name(limit)));
        g_assert_nonnull(strstr(error->message, "at most 10 "));
    }
}

/* Only the limit that was asked for decides. */
static void
test_limits_are_apart(void)
{
    for (SessionLimit limit = 0; limit < N_SESSION_LIMITS; limit++) {
        SessionLimits limits = ten;

        limits.most[limit] = 0;
        for (SessionLimit other = 0; other < N_SESSION_LIMITS; other++) {
            g_autoptr(GError) error = NULL;

            g_assert_cmpint(session_limits_allow(&limits, other, 0, 1, &error), ==, other != limit);
        }
    }
}

static const struct {
    int64_t age_us;
    uint64_t n_bytes;
    const char *reason;
} ends[] = {
    {0,                      0,                        NULL         },
    {(int64_t) 10000000 - 1, (UINT64_C(10) << 20) - 1, NULL         },
    {10000000,               0,                        "limit-hours"},
    {0,                      UINT64_C(10) << 20,       "limit-bytes"},
    {10000000,               UINT64_C(10) << 20,       "limit-hours"},
    {INT64_MAX,              0,                        "limit-hours"},
    {0,                      UINT64_MAX,               "limit-bytes"},
    {-5,                     0,                        NULL         },
};

static void
test_ends_at_the_limit(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(ends); i++) {
        g_assert_cmpstr(session_limits_end(&ten, ends[i].age_us, ends[i].n_bytes), ==,
                        ends[i].reason);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
    g_test_add_func("/session-limits/takes-up-to-the-limit", test_takes_up_to_the_limit);
    g_test_add_func("/session-limits/refusal-names-the-limit-and-its-value",
                    test_refusal_names_the_limit_and_its_value);
    g_test_add_func("/session-limits/limits-are-apart", test_limits_are_apart);
    g_test_add_func("/session-limits/ends-at-the-limit", test_ends_at_the_limit);
    return g_test_run();
}
