#include "agent/trail/audit_limit.h"

#include <string.h>

typedef struct {
    uint64_t n_left_out;
    unsigned n_told;
} Told;

static void
on_left_out(const char *kind, const char *reason, uint64_t count, void *user_data)
{
    Told *told = user_data;

    g_assert_cmpstr(kind, ==, "access-refused");
    told->n_left_out += count;
    told->n_told++;
}

static void
test_writes_ten_a_minute_and_counts_the_others(void)
{
    g_autoptr(AuditLimit) limit = audit_limit_new();
    Told told = {0};
    unsigned n_written = 0;

    for (int i = 0; i < 1000; i++)
        n_written += audit_limit_admits(limit, "access-refused", "role", i);
    n_written += audit_limit_admits(limit, "access-refused", "purpose", 1000);
    g_assert_cmpuint(n_written, ==, 11);

    audit_limit_close(limit, G_USEC_PER_SEC, on_left_out, &told);
    g_assert_cmpuint(told.n_told, ==, 0);
    audit_limit_close(limit, 61 * G_USEC_PER_SEC, on_left_out, &told);
    g_assert_cmpuint(told.n_told, ==, 1);
    g_assert_cmpuint(told.n_left_out, ==, 990);
    g_assert_true(audit_limit_admits(limit, "access-refused", "role", 61 * G_USEC_PER_SEC));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/audit-limit/writes-ten-a-minute-and-counts-the-others",
                    test_writes_ten_a_minute_and_counts_the_others);
    return g_test_run();
}
