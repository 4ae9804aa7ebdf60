#include "agent/policy/retention.h"
#include "agent/policy/retention_day.h"

static int64_t
moment(const char *text)
{
    g_autoptr(GDateTime) time = g_date_time_new_from_iso8601(text, NULL);

    g_assert_nonnull(time);
    return g_date_time_to_unix(time);
}

/* Around midnight where the organisation is, on both sides of it. */
static const struct {
    const char *zone, *at, *day;
} zones[] = {
    {"UTC",                "2026-11-29T23:59:59Z", "2026-11-29"},
    {"UTC",                "2026-11-30T00:00:00Z", "2026-11-30"},
    {"UTC",                "1970-01-01T00:00:00Z", "1970-01-01"},
    {"UTC",                "2038-01-19T03:14:08Z", "2038-01-19"},
    {"America/Phoenix",    "2026-11-30T06:59:59Z", "2026-11-29"},
    {"America/Phoenix",    "2026-11-30T07:00:00Z", "2026-11-30"},
 /* A leap day that has ended elsewhere, and one that has not begun. */
    {"America/New_York",   "2024-03-01T04:59:59Z", "2024-02-29"},
    {"America/New_York",   "2024-03-01T05:00:00Z", "2024-03-01"},
    {"Asia/Tokyo",         "2024-02-28T14:59:59Z", "2024-02-28"},
    {"Asia/Tokyo",         "2024-02-28T15:00:00Z", "2024-02-29"},
 /* Days of 23 and of 25 hours. */
    {"America/New_York",   "2026-03-08T04:59:59Z", "2026-03-07"},
    {"America/New_York",   "2026-03-09T03:59:59Z", "2026-03-08"},
    {"America/New_York",   "2026-03-09T04:00:00Z", "2026-03-09"},
    {"America/New_York",   "2026-11-01T03:59:59Z", "2026-10-31"},
    {"America/New_York",   "2026-11-02T04:59:59Z", "2026-11-01"},
    {"America/New_York",   "2026-11-02T05:00:00Z", "2026-11-02"},
 /* The ends of the world, a quarter of an hour, and a day that Samoa did not have. */
    {"Pacific/Kiritimati", "2023-12-31T10:00:00Z", "2024-01-01"},
    {"Pacific/Pago_Pago",  "2024-01-01T10:59:59Z", "2023-12-31"},
    {"Asia/Kathmandu",     "2026-01-01T18:14:59Z", "2026-01-01"},
    {"Asia/Kathmandu",     "2026-01-01T18:15:00Z", "2026-01-02"},
    {"Pacific/Apia",       "2011-12-30T09:59:59Z", "2011-12-29"},
    {"Pacific/Apia",       "2011-12-30T10:00:00Z", "2011-12-31"},
};

static void
test_days_end_at_midnight_there(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(zones); i++) {
        g_autoptr(GTimeZone) zone = g_time_zone_new_identifier(zones[i].zone);
        g_autofree char *text = NULL;
        GDate day;

        g_test_message("%s in %s", zones[i].at, zones[i].zone);
        g_assert_nonnull(zone);
        day = retention_day_at(moment(zones[i].at), zone);
        text = retention_day_text(&day);
        g_assert_cmpstr(text, ==, zones[i].day);
    }
}

static void
test_refuses_what_is_no_day(void)
{
    static const char *const bad[] = {"",           "2026-11-31", "2023-02-29", "2100-02-29",
                                      "2026-13-01", "2026-00-01", "0000-01-01", "2026-11-00",
                                      "2026-1-29",  "26-11-29",   "2026/11/29", "2026-11-29 ",
                                      "2026-11-2x", "-026-11-29"};

    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        const GDate day = retention_day_parse(bad[i]);

        g_test_message("%s", bad[i]);
        g_assert_false(g_date_valid(&day));
        g_assert_null(retention_day_text(&day));
    }
}

/* All together: when a session ended, by which rules, where, and what that comes to at a moment. */
static const struct {
    const char *rules[3];
    unsigned classes;
    const char *zone, *end, *birth, *now;
    bool is_on_hold;
    const char *rule, *until;
    RetentionVerdict verdict;
} cases[] = {
  /* Late on a leap day there, which is the next day in UTC; a child of a leap day. */
    {{"a: adult 6 years", "m: minor 6 years, age 21"},
     RETENTION_MINOR,                                               "America/Phoenix",
     "2024-03-01T06:30:00Z",                                                                                   "2008-02-29",
     "2030-03-02T06:59:59Z",                                                                                                                         false,
     "m",                                                                                                                                                        "2030-03-01",
     RETENTION_NOT_YET                                                                                                                                                                          },
    {{"a: adult 6 years", "m: minor 6 years, age 21"},
     RETENTION_MINOR,                                               "America/Phoenix",
     "2024-03-01T06:30:00Z",                                                                                   "2008-02-29",
     "2030-03-02T07:00:00Z",                                                                                                                         false,
     "m",                                                                                                                                                        "2030-03-01",
     RETENTION_DUE                                                                                                                                                                              },
    {{"a: adult 6 years", "m: minor 6 years, age 21"},
     RETENTION_MINOR,                                               "America/Phoenix",
     "2024-03-01T06:30:00Z",                                                                                   "2008-02-29",
     "2030-03-02T07:00:00Z",                                                                                                                         true,
     "m",                                                                                                                                                        "2030-03-01",
     RETENTION_ON_HOLD                                                                                                                                                                          },
 /* The same moment in UTC: a day later, so no leap day. */
    {{"a: adult 4 years"},
     RETENTION_ADULT,                                               "America/Phoenix",
     "2024-03-01T06:30:00Z",                                                                                   NULL,
     "2028-03-01T07:00:00Z",                                                                                                                         false,
     "a",                                                                                                                                                        "2028-02-29",
     RETENTION_DUE                                                                                                                                                                              },
    {{"a: adult 4 years"},
     RETENTION_ADULT,                                               "UTC",
     "2024-03-01T06:30:00Z",                                                                                   NULL,
     "2028-03-01T07:00:00Z",                                                                                                                         false,
     "a",                                                                                                                                                        "2028-03-01",
     RETENTION_NOT_YET                                                                                                                                                                          },
 /* Of age on a leap day that is none: kept through 1 March. */
    {{"m: minor 1 year, age 18"},
     RETENTION_MINOR,                                               "Europe/Berlin",
     "2026-11-29T10:00:00Z",                                                                                   "2012-02-29",
     "2030-03-01T22:59:59Z",                                                                                                                         false,
     "m",                                                                                                                                                        "2030-03-01",
     RETENTION_NOT_YET                                                                                                                                                                          },
    {{"m: minor 1 year, age 18"},
     RETENTION_MINOR,                                               "Europe/Berlin",
     "2026-11-29T10:00:00Z",                                                                                   "2012-02-29",
     "2030-03-01T23:00:00Z",                                                                                                                         false,
     "m",                                                                                                                                                        "2030-03-01",
     RETENTION_DUE                                                                                                                                                                              },
 /* The longest of three counts, wherever it stands. */
    {{"t: transcript 10 years", "a: adult 7 years", "q: quarantine 90 days"},
     RETENTION_ADULT | RETENTION_TRANSCRIPT | RETENTION_QUARANTINE,
     "UTC",                                                                            "2026-11-29T10:00:00Z",
     NULL,                                                                                                                   "2036-11-29T23:59:59Z",
     false,                                                                                                                                                 "t",
     "2036-11-29",                                                                                                                                                             RETENTION_NOT_YET},
    {{"q: quarantine 90 days", "m: minor 6 years, age 21", "t: transcript 10 years"},
     RETENTION_ADULT | RETENTION_MINOR | RETENTION_TRANSCRIPT,
     "UTC",                                                                            "2026-11-29T10:00:00Z",
     NULL,                                                                                                                   "2047-11-29T23:59:59Z",
     false,                                                                                                                                                 "m",
     "2047-11-29",                                                                                                                                                             RETENTION_NOT_YET},
    {{"x: any 20 years", "q: quarantine 90 days"},
     RETENTION_QUARANTINE,                                          "UTC",
     "2026-11-29T10:00:00Z",                                                                                   NULL,
     "2046-11-30T00:00:00Z",                                                                                                                         false,
     "x",                                                                                                                                                        "2046-11-29",
     RETENTION_DUE                                                                                                                                                                              },
    {{"x: any 20 years", "q: quarantine 90 days"},
     RETENTION_QUARANTINE,                                          "UTC",
     "2026-11-29T10:00:00Z",                                                                                   NULL,
     "2046-11-30T00:00:00Z",                                                                                                                         true,
     "x",                                                                                                                                                        "2046-11-29",
     RETENTION_ON_HOLD                                                                                                                                                                          },
 /* Of two that agree the first is named. */
    {{"b: adult 4 years", "a: any 4 years"},
     RETENTION_ADULT,                                               "UTC",
     "2026-11-29T10:00:00Z",                                                                                   NULL,
     "2026-11-30T00:00:00Z",                                                                                                                         false,
     "b",                                                                                                                                                        "2030-11-29",
     RETENTION_NOT_YET                                                                                                                                                                          },
 /* None applies: for ever. */
    {{"m: minor 1 day", "q: quarantine 1 day"},
     RETENTION_ADULT,                                               "UTC",
     "2026-11-29T10:00:00Z",                                                                                   NULL,
     "9999-12-31T00:00:00Z",                                                                                                                         false,
     NULL,                                                                                                                                                       NULL,
     RETENTION_NO_RULE                                                                                                                                                                          },
};

static void
test_whole_cases(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GTimeZone) zone = g_time_zone_new_identifier(cases[i].zone);
        g_autofree char *until = NULL;
        char *ids[G_N_ELEMENTS(cases[i].rules)] = {NULL};
        RetentionRule rules[G_N_ELEMENTS(ids)] = {0};
        RetentionTable table = {"t1", rules, 0};
        RetentionFacts facts = {.classes = cases[i].classes};
        RetentionCase at = {.has_ended = true, .is_on_hold = cases[i].is_on_hold};
        RetentionDate found;

        g_test_message("case %zu", i);
        for (; table.n_rules < G_N_ELEMENTS(ids) && cases[i].rules[table.n_rules] != NULL;
             table.n_rules++) {
            g_assert_true(retention_rule_parse(cases[i].rules[table.n_rules], &rules[table.n_rules],
                                               &ids[table.n_rules]));
        }
        facts.end = retention_day_at(moment(cases[i].end), zone);
        facts.birth = retention_day_parse(cases[i].birth);
        found = retention_compute(&table, &facts);
        until = retention_day_text(&found.until);
        g_assert_cmpstr(found.rule != NULL ? found.rule->id : NULL, ==, cases[i].rule);
        g_assert_cmpstr(until, ==, cases[i].until);
        at.until = found.until;
        at.today = retention_day_at(moment(cases[i].now), zone);
        g_date_clear(&at.newest, 1);
        g_assert_cmpstr(retention_verdict_name(retention_judge(&at)), ==,
                        retention_verdict_name(cases[i].verdict));
        for (size_t n = 0; n < G_N_ELEMENTS(ids); n++)
            g_free(ids[n]);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/retention/days-end-at-midnight-there", test_days_end_at_midnight_there);
    g_test_add_func("/retention/refuses-what-is-no-day", test_refuses_what_is_no_day);
    g_test_add_func("/retention/whole-cases", test_whole_cases);
    return g_test_run();
}
