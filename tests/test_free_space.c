#include "config/free_space.h"

#include <glib.h>

static const struct {
    const char *text;
    bool is_good;
    uint64_t bytes;
    uint32_t percent;
} rows[] = {
    {"5%",         true,  0,                       5 },
    {"90%",        true,  0,                       90},
    {"500M",       true,  UINT64_C(500) << 20,     0 },
    {"20G",        true,  UINT64_C(20) << 30,      0 },
    {"1024T",      true,  UINT64_C(1024) << 40,    0 },
    {"1048576G",   true,  UINT64_C(1048576) << 30, 0 },
    {"91%",        false, 0,                       0 },
    {"0%",         false, 0,                       0 },
    {"1025T",      false, 0,                       0 },
    {"5",          false, 0,                       0 },
    {"",           false, 0,                       0 },
    {"%",          false, 0,                       0 },
    {"-5%",        false, 0,                       0 },
    {"+5%",        false, 0,                       0 },
    {" 5%",        false, 0,                       0 },
    {"5 %",        false, 0,                       0 },
    {"5%%",        false, 0,                       0 },
    {"05%",        false, 0,                       0 },
    {"1.5G",       false, 0,                       0 },
    {"10g",        false, 0,                       0 },
    {"10K",        false, 0,                       0 },
    {"999999999T", false, 0,                       0 },
};

static void
test_reads_shares_and_sizes_only(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        FreeSpace space = {7, 7};

        g_test_message("%s", rows[i].text);
        g_assert_true(free_space_is_valid(rows[i].text) == rows[i].is_good);
        g_assert_true(free_space_parse(&space, rows[i].text) == rows[i].is_good);
        if (!rows[i].is_good)
            continue;
        g_assert_cmpuint(space.bytes, ==, rows[i].bytes);
        g_assert_cmpuint(space.percent, ==, rows[i].percent);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/free-space/reads-shares-and-sizes-only", test_reads_shares_and_sizes_only);
    return g_test_run();
}
