#include "agent/policy/retention.h"
#include "agent/policy/retention_day.h"

/* The rules of notes on law, as an administrator writes them, and what they come to. */
static const struct {
    const char *rule;
    unsigned classes;
    const char *end, *birth, *until;
} rows[] = {
    {"us-medicare: adult 5 years",       RETENTION_ADULT,      "2026-11-29", NULL,         "2031-11-29"},
    {"us-part-d: adult 10 years",        RETENTION_ADULT,      "2026-11-29", NULL,         "2036-11-29"},
    {"az: adult 6 years",                RETENTION_ADULT,      "2026-11-29", NULL,         "2032-11-29"},
 /* The later of 6 years and three years past 18. */
    {"az-minor: minor 6 years, age 21",  RETENTION_MINOR,      "2026-11-29", "2016-05-04", "2037-05-04"},
    {"az-minor: minor 6 years, age 21",  RETENTION_MINOR,      "2026-11-29", "2009-05-04", "2032-11-29"},
    {"ak-minor: minor 7 years, age 21",  RETENTION_MINOR,      "2026-11-29", "2025-12-31", "2046-12-31"},
    {"ak: adult 7 years",                RETENTION_ADULT,      "2026-11-29", NULL,         "2033-11-29"},
    {"ar: adult 10 years",               RETENTION_ADULT,      "2026-11-29", NULL,         "2036-11-29"},
 /* Two years past majority. */
    {"ar-minor: minor 10 years, age 20", RETENTION_MINOR,      "2026-11-29", "2010-01-01", "2036-11-29"},
    {"ar-minor: minor 1 year, age 20",   RETENTION_MINOR,      "2026-11-29", "2010-01-01", "2030-01-01"},
    {"al: adult 5 years",                RETENTION_ADULT,      "2026-11-29", NULL,         "2031-11-29"},
    {"al-birth: adult 20 years",         RETENTION_ADULT,      "2026-11-29", NULL,         "2046-11-29"},
    {"ct: adult 7 years",                RETENTION_ADULT,      "2026-11-29", NULL,         "2033-11-29"},
    {"ct-hospital: adult 10 years",      RETENTION_ADULT,      "2026-11-29", NULL,         "2036-11-29"},
    {"ma-old: adult 30 years",           RETENTION_ADULT,      "2026-11-29", NULL,         "2056-11-29"},
    {"ma: adult 20 years",               RETENTION_ADULT,      "2026-11-29", NULL,         "2046-11-29"},
    {"wy: adult 3 years",                RETENTION_ADULT,      "2026-11-29", NULL,         "2029-11-29"},
    {"ca: adult 7 years",                RETENTION_ADULT,      "2026-11-29", NULL,         "2033-11-29"},
    {"ny: adult 6 years",                RETENTION_ADULT,      "2026-11-29", NULL,         "2032-11-29"},
    {"tx: adult 7 years",                RETENTION_ADULT,      "2026-11-29", NULL,         "2033-11-29"},
    {"tx-minor: minor 7 years, age 21",  RETENTION_MINOR,      "2026-11-29", "2012-07-31", "2033-11-29"},
    {"tx-minor: minor 7 years, age 21",  RETENTION_MINOR,      "2026-11-29", "2016-07-31", "2037-07-31"},
    {"pa: adult 7 years",                RETENTION_ADULT,      "2026-11-29", NULL,         "2033-11-29"},
    {"pa-minor: minor 7 years, age 19",  RETENTION_MINOR,      "2026-11-29", "2018-07-31", "2037-07-31"},
    {"fl: adult 5 years",                RETENTION_ADULT,      "2026-11-29", NULL,         "2031-11-29"},
    {"il: adult 10 years",               RETENTION_ADULT,      "2026-11-29", NULL,         "2036-11-29"},
    {"nc: adult 11 years",               RETENTION_ADULT,      "2026-11-29", NULL,         "2037-11-29"},
    {"wa: adult 10 years",               RETENTION_ADULT,      "2026-11-29", NULL,         "2036-11-29"},
 /* At least seven years, though the year past 18 is over before. */
    {"ca-minor: minor 7 years, age 19",  RETENTION_MINOR,      "2026-11-29", "2009-03-01", "2033-11-29"},
    {"ca-minor: minor 7 years, age 19",  RETENTION_MINOR,      "2026-11-29", "2015-03-01", "2034-03-01"},
    {"ny-minor: minor 6 years, age 22",  RETENTION_MINOR,      "2026-11-29", "2020-03-01", "2042-03-01"},
    {"nc-minor: minor 11 years, age 30", RETENTION_MINOR,      "2026-11-29", "2020-03-01", "2050-03-01"},
    {"wa-minor: minor 10 years, age 21", RETENTION_MINOR,      "2026-11-29", "2020-03-01", "2041-03-01"},
    {"raw: any 30 days",                 RETENTION_ADULT,      "2026-11-29", NULL,         "2026-12-29"},
    {"look: quarantine 90 days",         RETENTION_QUARANTINE, "2026-11-29", NULL,         "2027-02-27"},
    {"text: transcript 7 years",         RETENTION_TRANSCRIPT, "2026-11-29", NULL,         "2033-11-29"},
 /* Leap days: from one to one, to a year without, across one. */
    {"r: adult 4 years",                 RETENTION_ADULT,      "2024-02-29", NULL,         "2028-02-29"},
    {"r: adult 7 years",                 RETENTION_ADULT,      "2024-02-29", NULL,         "2031-03-01"},
    {"r: adult 365 days",                RETENTION_ADULT,      "2027-03-01", NULL,         "2028-02-29"},
    {"r: adult 100 years",               RETENTION_ADULT,      "2000-02-29", NULL,         "2100-03-01"},
    {"r: minor 1 year, age 18",          RETENTION_MINOR,      "2026-11-29", "2012-02-29", "2030-03-01"},
    {"r: minor 1 year, age 20",          RETENTION_MINOR,      "2026-11-29", "2012-02-29", "2032-02-29"},
    {"r: minor 1 year, age 21",          RETENTION_MINOR,      "2024-02-29", "2008-02-29", "2029-03-01"},
    {"r: minor 1 year, age 21",          RETENTION_MINOR,      "2024-02-29", "2007-03-01", "2028-03-01"},
    {"r: minor 4 years, age 18",         RETENTION_MINOR,      "2024-02-29", "2008-02-29", "2028-02-29"},
    {"r: minor 1 year, age 18",          RETENTION_MINOR,      "2026-11-29", "2010-02-28", "2028-02-28"},
    {"r: minor 1 year, age 92",          RETENTION_MINOR,      "2024-02-29", "2008-02-29", "2100-03-01"},
    {"r: adult 366 days",                RETENTION_ADULT,      "2024-02-29", NULL,         "2025-03-01"},
    {"r: adult 1 day",                   RETENTION_ADULT,      "2028-02-28", NULL,         "2028-02-29"},
    {"r: adult 1 day",                   RETENTION_ADULT,      "2027-02-28", NULL,         "2027-03-01"},
    {"r: adult 1 day",                   RETENTION_ADULT,      "2026-12-31", NULL,         "2027-01-01"},
 /* The session is on a birthday, on the eve of it, and on the day of birth itself. */
    {"r: minor 1 day, age 18",           RETENTION_MINOR,      "2026-11-29", "2008-11-29", "2026-11-30"},
    {"r: minor 1 day, age 18",           RETENTION_MINOR,      "2026-11-29", "2008-11-30", "2026-11-30"},
    {"r: minor 1 day, age 18",           RETENTION_MINOR,      "2026-11-29", "2008-12-01", "2026-12-01"},
    {"r: minor 1 day, age 21",           RETENTION_MINOR,      "2028-02-29", "2028-02-29", "2049-03-01"},
    {"r: minor 1 day, age 20",           RETENTION_MINOR,      "2028-02-29", "2028-02-29", "2048-02-29"},
 /* Nobody knows the age: as if born on that day. */
    {"r: minor 1 year, age 21",          RETENTION_MINOR,      "2026-11-29", NULL,         "2047-11-29"},
 /* No rule applies. */
    {"r: minor 1 year, age 21",          RETENTION_ADULT,      "2026-11-29", NULL,         NULL        },
};

static void
test_each_rule(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *id = NULL;
        RetentionRule rule = {0};
        const RetentionTable table = {"t1", &rule, 1};
        const RetentionFacts facts = {rows[i].classes, retention_day_parse(rows[i].end),
                                      retention_day_parse(rows[i].birth)};
        RetentionDate found;
        char text[16] = "";

        g_assert_true(retention_rule_parse(rows[i].rule, &rule, &id));
        found = retention_compute(&table, &facts);
        if (found.rule != NULL)
            (void) g_date_strftime(text, sizeof text, "%Y-%m-%d", &found.until);
        g_test_message("%s, %s, born %s", rows[i].rule, rows[i].end, rows[i].birth);
        g_assert_cmpstr(text, ==, rows[i].until != NULL ? rows[i].until : "");
        g_assert_true((found.rule == NULL) == !g_date_valid(&found.until));
    }
}

static void
test_latest_rule_counts(void)
{
    const RetentionRule rules[] = {
        {.id = "adult", .of = RETENTION_ADULT, .years = 7      },
        {.id = "minor", .of = RETENTION_MINOR, .years = 7,       .until_age = 21},
        {.id = "text",             .of = RETENTION_TRANSCRIPT,                       .years = 10},
        {.id = "raw",             .of = RETENTION_ANY,                        .days = 30        },
    };
    static const struct {
        unsigned classes;
        const char *birth, *rule;
    } cases[] = {
        {RETENTION_ADULT,                        NULL,         "adult"},
        {RETENTION_ADULT | RETENTION_TRANSCRIPT, NULL,         "text" },
        {RETENTION_MINOR | RETENTION_TRANSCRIPT, "2024-01-01", "minor"},
        {RETENTION_MINOR | RETENTION_TRANSCRIPT, "2014-01-01", "text" },
        {0,                                      NULL,         "raw"  },
        {RETENTION_QUARANTINE,                   NULL,         "raw"  },
    };
    const RetentionTable table = {"t1", rules, G_N_ELEMENTS(rules)};

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        const RetentionFacts facts = {cases[i].classes, retention_day_parse("2026-11-29"),
                                      retention_day_parse(cases[i].birth)};
        const RetentionDate found = retention_compute(&table, &facts);

        g_assert_cmpstr(found.rule->id, ==, cases[i].rule);
    }
}

/* One more rule never makes the date earlier, nor does one more class. */
static void
test_more_rules_never_shorten(void)
{
    for (unsigned seed = 0; seed < 2000; seed++) {
        g_autoptr(GRand) dice = g_rand_new_with_seed(seed);
        RetentionRule rules[4];
        RetentionFacts facts = {(unsigned) g_rand_int_range(dice, 0, 16),
                                retention_day_parse("2024-02-29"),
                                retention_day_parse(g_rand_boolean(dice) ? "2016-02-29" : NULL)};
        GDate before;

        g_date_clear(&before, 1);
        for (size_t i = 0; i < G_N_ELEMENTS(rules); i++) {
            const RetentionTable table = {"t", rules, i + 1};
            RetentionDate now;

            rules[i] = (RetentionRule){
                .id = "r",
                .of = (RetentionClass) (1 << g_rand_int_range(dice, 0, 5)),
                .years = (uint16_t) g_rand_int_range(dice, 0, 20),
                .days = (uint32_t) g_rand_int_range(dice, 1, 400),
                .until_age = (uint8_t) g_rand_int_range(dice, 0, 31),
            };
            now = retention_compute(&table, &facts);
            if (g_date_valid(&before)) {
                g_assert_true(g_date_valid(&now.until));
                g_assert_cmpint(g_date_compare(&now.until, &before), >=, 0);
            }
            before = now.until;
            facts.classes |= 1U << g_rand_int_range(dice, 0, 5);
        }
    }
}

static void
test_refuses_what_is_no_rule(void)
{
    static const char *const bad[] = {
        "",
        "adult 7 years",
        "a: adult",
        "a: adult 0 years",
        "a: adult 0 days",
        "a: minor 0 days, age 21",
        "a: adult -1 years",
        "a: adult 101 years",
        "a: adult 36501 days",
        "a: adult 7",
        "a: adult 7 months",
        "a: adult 7 years ",
        "a: adult 7 years, age 0",
        "a: adult 7 years, age 101",
        "a: adult 7 years age 21",
        "a: child 7 years",
        "A: adult 7 years",
        "a b: adult 7 years",
        ": adult 7 years",
        "a:adult 7 years",
        "a: adult 99999999999 years",
    };

    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autofree char *id = NULL;
        RetentionRule rule;

        g_test_message("%s", bad[i]);
        g_assert_false(retention_rule_parse(bad[i], &rule, &id));
        g_assert_null(id);
    }
}

static const struct {
    bool has_ended, is_on_hold, must_erase;
    const char *until, *today, *newest;
    RetentionVerdict verdict;
} verdicts[] = {
    {true,  false, false, "2026-11-28", "2026-11-29", "2026-11-29", RETENTION_DUE         },
    {true,  false, false, "2026-11-29", "2026-11-29", "2026-11-29", RETENTION_NOT_YET     },
    {true,  false, false, "2026-11-30", "2026-11-29", "2026-11-29", RETENTION_NOT_YET     },
    {true,  false, false, NULL,         "2026-11-29", "2026-11-29", RETENTION_NO_RULE     },
 /* A hold beats everything, two people and a withdrawn consent included. */
    {true,  true,  false, "2020-01-01", "2026-11-29", "2026-11-29", RETENTION_ON_HOLD     },
    {true,  true,  true,  "2020-01-01", "2026-11-29", "2026-11-29", RETENTION_ON_HOLD     },
    {false, true,  true,  "2020-01-01", "2026-11-29", "2026-11-29", RETENTION_ON_HOLD     },
    {false, false, true,  "2020-01-01", "2026-11-29", "2026-11-29", RETENTION_OPEN        },
    {true,  false, true,  "2040-01-01", "2026-11-29", "2026-11-29", RETENTION_DUE         },
    {true,  false, true,  NULL,         "2036-11-29", "2026-11-29", RETENTION_DUE         },
 /* The clock was set forward by ten years: all seems due, and nothing is deleted. */
    {true,  false, false, "2030-01-01", "2036-11-29", "2026-11-29", RETENTION_CLOCK_AHEAD },
    {true,  false, false, "2026-11-01", "2026-12-30", "2026-11-29", RETENTION_DUE         },
    {true,  false, false, "2026-11-01", "2026-12-31", "2026-11-29", RETENTION_CLOCK_AHEAD },
 /* Set back: what is due by it would be due in truth, but a wrong clock proves nothing. */
    {true,  false, false, "2020-01-01", "2021-11-29", "2026-11-29", RETENTION_CLOCK_BEHIND},
    {true,  false, false, "2026-11-01", "2026-11-28", "2026-11-29", RETENTION_DUE         },
    {true,  false, false, "2026-11-01", "2026-11-27", "2026-11-29", RETENTION_CLOCK_BEHIND},
    {true,  false, false, "2026-11-01", "2026-11-27", NULL,         RETENTION_DUE         },
 /* Years, whichever way, also to where clocks begin and where those of 32 bits end. */
    {true,  false, false, "2020-01-01", "1970-01-01", "2026-11-29", RETENTION_NOT_YET     },
    {true,  false, false, "1969-12-31", "1970-01-01", "2026-11-29", RETENTION_CLOCK_BEHIND},
    {true,  false, false, "2033-01-01", "2038-01-19", "2026-11-29", RETENTION_CLOCK_AHEAD },
    {true,  false, false, "2033-01-01", "9999-12-31", "2026-11-29", RETENTION_CLOCK_AHEAD },
    {true,  false, false, NULL,         "9999-12-31", "2026-11-29", RETENTION_NO_RULE     },
    {true,  true,  true,  "2020-01-01", "9999-12-31", "2026-11-29", RETENTION_ON_HOLD     },
    {true,  true,  false, "2020-01-01", "1970-01-01", "2026-11-29", RETENTION_ON_HOLD     },
    {true,  true,  false, NULL,         "2026-11-29", "2026-11-29", RETENTION_ON_HOLD     },
    {true,  true,  false, "2026-11-28", "2026-11-29", NULL,         RETENTION_ON_HOLD     },
};

static void
test_verdicts(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(verdicts); i++) {
        const RetentionCase facts = {
            .has_ended = verdicts[i].has_ended,
            .is_on_hold = verdicts[i].is_on_hold,
            .must_erase = verdicts[i].must_erase,
            .until = retention_day_parse(verdicts[i].until),
            .today = retention_day_parse(verdicts[i].today),
            .newest = retention_day_parse(verdicts[i].newest),
            .n_lead_days = 31,
        };

        g_test_message("row %zu", i);
        g_assert_cmpstr(retention_verdict_name(retention_judge(&facts)), ==,
                        retention_verdict_name(verdicts[i].verdict));
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/retention/each-rule", test_each_rule);
    g_test_add_func("/retention/latest-rule-counts", test_latest_rule_counts);
    g_test_add_func("/retention/more-rules-never-shorten", test_more_rules_never_shorten);
    g_test_add_func("/retention/refuses-what-is-no-rule", test_refuses_what_is_no_rule);
    g_test_add_func("/retention/verdicts", test_verdicts);
    return g_test_run();
}
