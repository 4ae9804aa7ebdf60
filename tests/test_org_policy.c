#include "agent/rules/org_policy.h"
#include "tests/fakes/settings_fixture.h"

#include <string.h>

#define NOW_US (INT64_C(1800000000) * G_USEC_PER_SEC)
#define DAY_US ((int64_t) 24 * 3600 * G_USEC_PER_SEC)

static char *purposes[] = {(char *) "record-audio", NULL};
static char *adults[] = {(char *) "provider", (char *) "client", (char *) "guardian", NULL};
static char *europe[] = {(char *) "eu-central-1", NULL};

static ConsentReason
decide(const OrgConsent *consent, const ConsentSession *session)
{
    const OrgSettings org = {.id = (char *) "clinic-a", .consent = (OrgConsent *) consent};

    return org_policy_consent_decide(&org, session, "record-audio", NOW_US).reason;
}

/* Every field of the organisation's file reaches the decision: with it, another reason. */
static void
test_every_setting_counts(void)
{
    const ConsentRecord yes = {"record-audio",      "granted", NULL,  NULL,
                               NOW_US - 2 * DAY_US, 0,         false, NULL};
    const ConsentParticipant client = {
        .id = "p1", .role = "client", .consents = &yes, .n_consents = 1};
    const ConsentParticipant minor = {.id = "p1",
                                      .role = "client",
                                      .consents = &yes,
                                      .n_consents = 1,
                                      .is_minor = true,
                                      .has_age = true,
                                      .age = 13,
                                      .jurisdiction = "US-CA"};
    const ConsentParticipant silent = {.id = "p1", .role = "observer"};
    OrgMinorsRow row = {(char *) "US-CA", (char *) "sud", 13, ORG_MINORS_ALONE};
    OrgMinorsRow later_row = {(char *) "US-CA", (char *) "sud", 14, ORG_MINORS_ALONE};
    gpointer one[] = {&row}, later_one[] = {&later_row};
    GPtrArray by = {one, 1}, by_later = {later_one, 1};
    const struct {
        OrgConsent consent;
        const ConsentParticipant *participant;
        ConsentReason reason;
    } rows[] = {
        {{.is_enabled = true},                                                     &client, CONSENT_OK               },
        {{.is_enabled = false},                                                    &client, CONSENT_ORG_DISABLED     },
        {{.is_enabled = true, .is_invalid = true},                                 &client, CONSENT_POLICY_INVALID   },
        {{.is_enabled = true, .valid_until_us = NOW_US},                           &client, CONSENT_POLICY_STALE     },
        {{.is_enabled = true, .valid_until_us = NOW_US + 1},                       &client, CONSENT_OK               },
        {{.is_enabled = true, .text_version = (char *) "2"},                       &client, CONSENT_TEXT_STALE       },
        {{.is_enabled = true, .evidence_required = true},                          &client, CONSENT_EVIDENCE_MISSING },
        {{.is_enabled = true, .max_age_days = 2},                                  &client, CONSENT_EXPIRED          },
        {{.is_enabled = true, .max_age_days = 3},                                  &client, CONSENT_OK               },
        {{.is_enabled = true},                                                     &silent, CONSENT_MISSING          },
        {{.is_enabled = true, .roles = adults},                                    &silent, CONSENT_OK               },
        {{.is_enabled = true, .regions = europe},                                  &client, CONSENT_REGION_FORBIDDEN },
        {{.is_enabled = true},                                                     &minor,  CONSENT_CONSENTER_INVALID},
        {{.is_enabled = true, .minors = ORG_MINORS_ALONE},                         &minor,  CONSENT_OK               },
        {{.is_enabled = true, .minors = ORG_MINORS_GUARDIAN},                      &minor,  CONSENT_CONSENTER_INVALID},
        {{.is_enabled = true, .minors = ORG_MINORS_NEVER},                         &minor,  CONSENT_CONSENTER_INVALID},
        {{.is_enabled = true, .minors_by = &by},                                   &minor,  CONSENT_OK               },
        {{.is_enabled = true, .minors_by = &by_later},                             &minor,  CONSENT_CONSENTER_INVALID},
        {{.is_enabled = true, .minors = ORG_MINORS_ALONE, .minors_by = &by_later},
         &minor,
         CONSENT_OK                                                                                                  },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        const ConsentSession session = {.org = "clinic-a",
                                        .participants = rows[i].participant,
                                        .n_participants = 1,
                                        .region = "us-east-1",
                                        .service = "sud"};
        OrgConsent consent = rows[i].consent;

        consent.purposes = purposes;
        g_assert_cmpstr(consent_reason_text(decide(&consent, &session)), ==,
                        consent_reason_text(rows[i].reason));
    }
    g_assert_cmpint(
        org_policy_consent_decide(NULL, &(ConsentSession){.org = "x"}, "record-audio", NOW_US)
            .reason,
        ==, CONSENT_POLICY_MISSING);
}

static Settings *
load_with_consent(const SettingsFixture *fixture, const char *settings, GError **error)
{
    g_autofree char *good = settings_fixture_good_org();
    g_autofree char *text = settings_fixture_replace(good, "evidence_required = false;", settings);

    settings_fixture_write(fixture->org_path, text);
    return settings_load(fixture->path, error);
}

/* The words of the file are those of the decision: each comes back as it was written. */
static void
test_words_for_minors_come_back(SettingsFixture *fixture, gconstpointer unused)
{
    static const MinorsFacts facts[] = {
        {"US-CA", NULL, false, 0},
        {"GB",    NULL, false, 0}
    };

    for (unsigned who = 0; who <= CONSENT_MINORS_NEVER; who++) {
        const char *word = minors_text((ConsentMinors) who);
        const char *other = minors_text((ConsentMinors) (CONSENT_MINORS_NEVER - who));
        g_autofree char *text =
            g_strdup_printf("minors = \"%s\"; minors_by = [ \"US * 0: %s\" ];", other, word);
        g_autoptr(GError) error = NULL;
        g_autoptr(Settings) settings = load_with_consent(fixture, text, &error);
        ConsentMinors got[G_N_ELEMENTS(facts)];

        g_assert_no_error(error);
        org_policy_minors(settings_org(settings, "clinic-a"), facts, G_N_ELEMENTS(facts), got);
        g_assert_cmpstr(minors_text(got[0]), ==, word);
        g_assert_cmpstr(minors_text(got[1]), ==, other);
    }
}

/* Whether there is a minor for whom the second row decides. */
static bool
second_decides(const MinorsRow rows[2])
{
    static const char *const places[] = {"US-CA", "US-OR", "GB"};
    static const char *const services[] = {"sud", "dental"};
    static const unsigned ages[] = {11, 12};
    const MinorsRules rules = {rows, 2, CONSENT_MINORS_BOTH};
    bool decides = false;

    for (size_t i = 0; i < G_N_ELEMENTS(places); i++) {
        for (size_t j = 0; j < 4; j++) {
            const MinorsFacts facts = {places[i], services[j / 2], true, ages[j % 2]};

            decides |= minors_decide(&rules, &facts) == CONSENT_MINORS_GUARDIAN;
        }
    }
    return decides;
}

static const char *
word_or_any(const char *word)
{
    return word != NULL ? word : "*";
}

/* Who reads the file and who decides compare rows each for themselves, because neither may know the
 * other: an entry is refused exactly where no minor would come to it. */
static void
test_refuses_entries_that_decide_nothing(SettingsFixture *fixture, gconstpointer unused)
{
    static const char *const places[] = {NULL, "US", "US-CA", "GB"};
    enum { N_ROWS = 16 };
    unsigned n_refused = 0;

    for (unsigned i = 0; i < N_ROWS * N_ROWS; i++) {
        const unsigned first = i / N_ROWS, second = i % N_ROWS;
        const MinorsRow rows[] = {
            {places[first % 4],  (first & 4) != 0 ? "sud" : NULL,  (first & 8) != 0 ? 12 : 0,
             CONSENT_MINORS_ALONE   },
            {places[second % 4], (second & 4) != 0 ? "sud" : NULL, (second & 8) != 0 ? 12 : 0,
             CONSENT_MINORS_GUARDIAN},
        };
        g_autofree char *text = g_strdup_printf(
            "minors_by = [ \"%s %s %u: alone\", \"%s %s %u: guardian\" ];",
            word_or_any(rows[0].jurisdiction), word_or_any(rows[0].service), rows[0].from_age,
            word_or_any(rows[1].jurisdiction), word_or_any(rows[1].service), rows[1].from_age);
        g_autoptr(GError) error = NULL;
        g_autoptr(Settings) settings = load_with_consent(fixture, text, &error);

        g_test_message("%s", text);
        g_assert_true((settings != NULL) == second_decides(rows));
        if (settings == NULL)
            g_assert_nonnull(strstr(error->message, "entry 2 is never reached"));
        n_refused += settings == NULL;
    }
    g_assert_cmpuint(n_refused, >, 0);
    g_assert_cmpuint(n_refused, <, N_ROWS * N_ROWS);
}

/* Media go to every replica: one that stands elsewhere is asked about. */
static void
test_asks_about_the_store_that_stands_elsewhere(void)
{
    OrgConsent consent = {.regions = europe};
    const OrgSettings org = {.consent = &consent};
    StoreSettings here = {.region = (char *) "eu-central-1"};
    StoreSettings there = {.region = (char *) "us-east-1"};
    StoreSettings nowhere = {0};
    g_autoptr(GPtrArray) replicas = g_ptr_array_new();
    const StoreSettings store = {.region = (char *) "eu-central-1", .replicas = replicas};

    g_ptr_array_add(replicas, &here);
    g_assert_cmpstr(org_policy_region(&org, &store), ==, "eu-central-1");
    g_ptr_array_add(replicas, &there);
    g_assert_cmpstr(org_policy_region(&org, &store), ==, "us-east-1");
    replicas->pdata[1] = &nowhere;
    g_assert_null(org_policy_region(&org, &store));
}

/* The names in the files are those of the table of roles. */
static void
test_names_are_those_of_the_table(void)
{
    for (int role = 0; role < N_ACCESS_ROLES; role++) {
        g_assert_true(g_strv_contains(org_access_role_names, access_role_text((AccessRole) role)));
    }
    for (int action = 0; action < N_ACCESS_ACTIONS; action++) {
        g_assert_true(
            g_strv_contains(org_access_action_names, access_action_text((AccessAction) action)));
    }
    g_assert_cmpuint(g_strv_length((char **) org_access_role_names), ==, ORG_N_ROLES);
    g_assert_cmpuint(g_strv_length((char **) org_access_action_names), ==, N_ACCESS_ACTIONS);
}

static AccessReason
ask_settings(OrgAccess *access, OrgConsent *consent)
{
    const OrgSettings org = {.id = (char *) "clinic-a", .access = access, .consent = consent};
    const AccessPerson admin = {.id = "a",
                                .org = "clinic-a",
                                .roles = 1U << ACCESS_ROLE_ADMIN,
                                .has_mfa = true,
                                .mfa_at_us = NOW_US};
    const AccessRequest request = {.action = ACCESS_SETTINGS_CHANGE, .audit_is_ready = true};

    return org_policy_access_decide(&org, &admin, NULL, &request, NOW_US).reason;
}

static void
test_narrows_roles(void)
{
    OrgConsent consent = {.is_enabled = true};
    g_autoptr(GPtrArray) left = g_ptr_array_new();
    g_autoptr(GPtrArray) nobody = g_ptr_array_new();
    OrgAccess access = {.mfa_roles = nobody, .start_s = 300, .most_s = 3600, .idle_s = 300};

    g_assert_cmpint(ask_settings(&access, &consent), ==, ACCESS_OK);
    access.may[2] = left; /* admin */
    g_assert_cmpint(ask_settings(&access, &consent), ==, ACCESS_ROLE_FORBIDDEN);
    g_ptr_array_add(left, (char *) "settings-change");
    g_assert_cmpint(ask_settings(&access, &consent), ==, ACCESS_OK);
    consent.valid_until_us = NOW_US;
    g_assert_cmpint(ask_settings(&access, &consent), ==, ACCESS_POLICY_STALE);
    consent = (OrgConsent){.is_enabled = false};
    g_assert_cmpint(ask_settings(&access, &consent), ==, ACCESS_ORG_DISABLED);
    consent = (OrgConsent){.is_enabled = true, .is_invalid = true};
    g_assert_cmpint(ask_settings(&access, &consent), ==, ACCESS_ORG_DISABLED);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
    settings_fixture_start();
    g_test_add_func("/org-policy/every-setting-counts", test_every_setting_counts);
    settings_fixture_add("org-policy", "words-for-minors-come-back",
                         test_words_for_minors_come_back);
    settings_fixture_add("org-policy", "refuses-entries-that-decide-nothing",
                         test_refuses_entries_that_decide_nothing);
    g_test_add_func("/org-policy/asks-about-the-store-that-stands-elsewhere",
                    test_asks_about_the_store_that_stands_elsewhere);
    g_test_add_func("/org-policy/names-are-those-of-the-table", test_names_are_those_of_the_table);
    g_test_add_func("/org-policy/narrows-roles", test_narrows_roles);
    return g_test_run();
}
