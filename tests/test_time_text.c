#include "agent/admin/time_text.h"

static void
test_reads_seconds_and_clock_times(void)
{
    static const struct {
        const char *text;
        int64_t time_us;
    } rows[] = {
        {"0",           0              },
        {"5",           5000000        },
        {"5.25",        5250000        },
        {"90",          90000000       },
        {"0:05",        5000000        },
        {"1:02",        62000000       },
        {"01:02.5",     62500000       },
        {"1:02:03.004", 3723004000     },
        {"0.0000019",   1              },
        {"100:00:00",   360000000000   },
        {"999999999",   999999999000000},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        int64_t time_us = -1;

        g_assert_true(time_text_parse(rows[i].text, &time_us));
        g_assert_cmpint(time_us, ==, rows[i].time_us);
    }
}

static void
test_refuses_what_is_no_time(void)
{
    static const char *const rows[] = {
        "",      " 5",  "5 ",      "-5",   "5s",         ".5",
        "5.",    "1:",  ":1",      "1:60", "1:2:60",     "1:2:3:4",
        "1.5:2", "1e3", "0x10",    "5,25", "1:-2",       "1..2",
        "+5",    "nan", "1:2:3.x", "1::2", "1234567890", "99999999999999999999"};

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        int64_t time_us = 0;

        if (time_text_parse(rows[i], &time_us))
            g_error("`%s` was taken for a time", rows[i]);
    }
}

static void
test_writes_times(void)
{
    static const struct {
        int64_t time_us;
        const char *text;
    } rows[] = {
        {0,          "0:00.0"   },
        {4240000,    "0:04.2"   },
        {4250000,    "0:04.3"   },
        {59960000,   "1:00.0"   },
        {3723000000, "1:02:03.0"},
        {-5,         "0:00.0"   },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *text = time_text_format(rows[i].time_us);

        g_assert_cmpstr(text, ==, rows[i].text);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/time-text/reads-seconds-and-clock-times", test_reads_seconds_and_clock_times);
    g_test_add_func("/time-text/refuses-what-is-no-time", test_refuses_what_is_no_time);
    g_test_add_func("/time-text/writes-times", test_writes_times);
    return g_test_run();
}
