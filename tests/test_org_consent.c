#include "config/region_rule.h"
#include "tests/fakes/settings_fixture.h"

/* The good file, with `with` in place of its purposes. */
static char *
org_with(const char *with)
{
    g_autofree char *good = settings_fixture_good_org();

    return settings_fixture_replace(good, "purposes = [ \"record-audio\", \"record-video\" ];",
                                    with);
}

#define MINORS_BY "consent.minors_by: "
#define PURPOSES  "purposes = [ \"record-audio\" ];\n"

static void
test_reads_what_must_be_said(SettingsFixture *fixture, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *text = g_strdup_printf(
        "recipients = ( \"%s\", \"%s\" ); enabled = false; valid_until = "
        "\"2027-01-31T00:00:00Z\";\n"
        "purposes = [ \"ai-note\", \"transcribe\" ]; regions = [ \"eu-central-1\" ];\n"
        "on_withdrawal = \"erase\";\n"
        "consent: { max_age_days = 365; minors = \"never\";\n"
        "    roles = [ \"provider\", \"client\", \"guardian\", \"observer\" ]; };",
        settings_fixture_recipients[0], settings_fixture_recipients[1]);
    g_autoptr(Settings) settings = NULL;
    const OrgConsent *consent = NULL;

    settings_fixture_write(fixture->org_path, text);
    settings = settings_load(fixture->path, &error);
    g_assert_no_error(error);
    consent = settings_org(settings, "clinic-a")->consent;

    g_assert_false(consent->is_enabled);
    g_assert_cmpint(consent->valid_until_us, ==, INT64_C(1801353600) * G_USEC_PER_SEC);
    g_assert_cmpstr(consent->purposes[1], ==, "transcribe");
    g_assert_cmpstr(consent->regions[0], ==, "eu-central-1");
    g_assert_cmpint(*settings->store.keeps_region, ==, 1);
    g_assert_cmpuint(g_strv_length(consent->roles), ==, 4);
    g_assert_cmpuint(consent->max_age_days, ==, 365);
    g_assert_cmpint(consent->minors, ==, ORG_MINORS_NEVER);
    g_assert_cmpint(consent->on_withdrawal, ==, ORG_WITHDRAWAL_ERASE);
}

/* A file that says little asks for much. */
static void
test_is_careful_where_nothing_is_said(SettingsFixture *fixture, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Settings) settings = settings_load(fixture->path, &error);
    const OrgConsent *consent = settings_org(settings, "clinic-a")->consent;

    g_assert_no_error(error);
    g_assert_true(consent->is_enabled);
    g_assert_null(consent->roles);
    g_assert_null(consent->regions);
    g_assert_cmpint(*settings->store.keeps_region, ==, 0);
    g_assert_cmpint(consent->minors, ==, ORG_MINORS_BOTH);
    g_assert_cmpint(consent->on_withdrawal, ==, ORG_WITHDRAWAL_QUARANTINE);
}

/* Stores that are open since before the rule came are held to it. */
static void
test_passes_the_rule_of_regions_on(SettingsFixture *fixture, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Settings) first = settings_load(fixture->path, &error);
    const int *rule = first->store.keeps_region;
    g_autofree char *text = NULL;

    g_assert_no_error(error);
    for (int is_kept = 1; is_kept >= 0; is_kept--) {
        g_autoptr(Settings) later = NULL;

        text = org_with(is_kept ? PURPOSES "regions = [ \"eu-central-1\" ];\n" : PURPOSES);
        settings_fixture_write(fixture->org_path, text);
        g_clear_pointer(&text, g_free);
        later = settings_load(fixture->path, &error);
        g_assert_no_error(error);
        region_rule_pass_on(first, later);
        g_assert_cmpint(*rule, ==, is_kept);
        g_assert_true(later->store.keeps_region == rule);
    }
}

static void
test_names_the_fault(SettingsFixture *fixture, gconstpointer unused)
{
    static const struct {
        const char *with, *sentence;
    } rows[] = {
        {PURPOSES "enabled = \"yes\";",                     "enabled: must be true or false"            },
        {PURPOSES "valid_until = \"soon\";",                "valid_until: must be a time with its zone" },
        {PURPOSES "valid_until = \"2027-01-31T00:00:00\";",
         "valid_until: must be a time with its zone"                                                    },
        {PURPOSES "regions = [ ];",                         "regions: must be a list of 1 to 64 regions"},
        {PURPOSES "regions = [ \"eu central\" ];",          "regions: must be a list of 1 to 64 regions"},
        {PURPOSES "on_withdrawal = \"delete\";",
         "on_withdrawal: must be \"keep\", \"quarantine\" or \"erase\""                                 },
        {"purposes = [ \"record-sound\" ];",                "purposes: must be a list of"               },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *bad = org_with(rows[i].with);

        settings_fixture_write(fixture->org_path, bad);
        settings_fixture_fault(fixture, CONFIG_ERROR_INVALID, rows[i].sentence);
    }
}

static void
assert_row(const OrgConsent *consent, guint i, const OrgMinorsRow *wanted)
{
    const OrgMinorsRow *row = consent->minors_by->pdata[i];

    g_assert_cmpstr(row->jurisdiction, ==, wanted->jurisdiction);
    g_assert_cmpstr(row->service, ==, wanted->service);
    g_assert_cmpuint(row->from_age, ==, wanted->from_age);
    g_assert_cmpint(row->who, ==, wanted->who);
}

/* A narrower row may stand before a wider one, and one of another place, service or age anywhere.
 */
static void
test_reads_who_consents_for_a_minor(SettingsFixture *fixture, gconstpointer unused)
{
    static const OrgMinorsRow rows[] = {
        {(char *) "US-CA", (char *) "mental-health", 12, ORG_MINORS_ALONE   },
        {(char *) "US-CA", NULL,                     14, ORG_MINORS_GUARDIAN},
        {(char *) "US-CA", NULL,                     0,  ORG_MINORS_BOTH    },
        {(char *) "US",    NULL,                     0,  ORG_MINORS_NEVER   },
        {NULL,             (char *) "sud-2",         20, ORG_MINORS_ALONE   },
    };
    g_autofree char *good = settings_fixture_good_org();
    g_autofree char *text = settings_fixture_replace(
        good, "evidence_required = false;",
        "minors = \"guardian\"; minors_by = [ \"US-CA mental-health 12: alone\", "
        "\"US-CA * 14: guardian\", \"US-CA * 0: both\", \"US * 0: never\", "
        "\"* sud-2 20: alone\" ];");
    g_autoptr(GError) error = NULL;
    g_autoptr(Settings) settings = NULL;
    const OrgConsent *consent = NULL;

    settings_fixture_write(fixture->org_path, text);
    settings = settings_load(fixture->path, &error);
    g_assert_no_error(error);
    consent = settings_org(settings, "clinic-a")->consent;
    g_assert_cmpint(consent->minors, ==, ORG_MINORS_GUARDIAN);
    g_assert_cmpuint(consent->minors_by->len, ==, G_N_ELEMENTS(rows));
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
        assert_row(consent, i, &rows[i]);
}

static void
test_names_the_fault_in_the_consents(SettingsFixture *fixture, gconstpointer unused)
{
    static const struct {
        const char *with, *sentence;
    } rows[] = {
        {"max_age_days = -1;",                                                               "consent.max_age_days: must be 0 (any age) to 36500"},
        {"minors = \"parents\";",
         "consent.minors: must be \"both\", \"guardian\", \"alone\" or \"never\""                                                                },
        {"roles = [ \"provider\", \"client\" ];",
         "consent.roles: must have \"guardian\" in it: nobody is recorded without their consent"                                                 },
        {"roles = [ \"docter\" ];",                                                          "consent.roles: must be a list of \"provider\""     },
        {"minors_by = [ ];",                                                                 MINORS_BY "must be a list of 1 to 100 rows"         },
        {"minors_by = [ \"* * 0: both\", \"US-CA * 12\" ];",                                 "; entry 2 is not"                                  },
        {"minors_by = [ \"UK * 0: both\" ];",                                                MINORS_BY "must be a list of 1 to 100 rows"         },
        {"minors_by = [ \"US-XX * 0: both\" ];",                                             "; entry 1 is not"                                  },
        {"minors_by = [ \"US-CA mental_health 0: both\" ];",                                 "; entry 1 is not"                                  },
        {"minors_by = [ \"US-CA * 21: alone\" ];",                                           "; entry 1 is not"                                  },
        {"minors_by = [ \"US-CA * 012: alone\" ];",                                          "; entry 1 is not"                                  },
        {"minors_by = [ \"US-CA * 12: self\" ];",                                            "; entry 1 is not"                                  },
        {"minors_by = [ \"US-CA  * 12: alone\" ];",                                          "; entry 1 is not"                                  },
        {"minors_by = [ \"* * 0: both\", \"* * 0: both\" ];",                                MINORS_BY                                           },
        {"minors_by = [ \"US sud 12: alone\", \"US * 0: both\", \"US-CA sud 14: never\" ];",
         MINORS_BY "entry 3 is never reached: entry 1 stands before it"                                                                          },
        {"minors_by = [ \"* sud 12: alone\", \"* sud 16: both\" ];",
         MINORS_BY "entry 2 is never reached: entry 1 stands before it"                                                                          },
        {"roles = [ ];",                                                                     "consent.roles: must be a list of \"provider\""     },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *good = settings_fixture_good_org();
        g_autofree char *bad =
            settings_fixture_replace(good, "evidence_required = false;", rows[i].with);

        settings_fixture_write(fixture->org_path, bad);
        settings_fixture_fault(fixture, CONFIG_ERROR_INVALID, rows[i].sentence);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
    settings_fixture_start();
    settings_fixture_add("org-consent", "reads-what-must-be-said", test_reads_what_must_be_said);
    settings_fixture_add("org-consent", "is-careful-where-nothing-is-said",
                         test_is_careful_where_nothing_is_said);
    settings_fixture_add("org-consent", "passes-the-rule-of-regions-on",
                         test_passes_the_rule_of_regions_on);
    settings_fixture_add("org-consent", "names-the-fault", test_names_the_fault);
    settings_fixture_add("org-consent", "reads-who-consents-for-a-minor",
                         test_reads_who_consents_for_a_minor);
    settings_fixture_add("org-consent", "names-the-fault-in-the-consents",
                         test_names_the_fault_in_the_consents);
    return g_test_run();
}
