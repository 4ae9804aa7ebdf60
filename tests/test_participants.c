#include "agent/recorder/participants.h"

#include <string.h>

static const char *const purposes[] = {"record-audio", "record-video", NULL};
static OrgConsent rules = {.is_enabled = true, .purposes = (char **) purposes};
static const OrgSettings org = {.id = (char *) "clinic-a", .consent = &rules};
static const ConsentSession session = {.org = "clinic-a"};

#define CONSENT(members) "{\"id\":\"p1\",\"role\":\"client\",\"consents\":[{" members "}]}"

#define CLIENT(members) "{\"id\":\"p1\",\"role\":\"client\"," members "}"

#define NOW_US (INT64_C(1800000000) * G_USEC_PER_SEC)

/* Adds a participant of `role` who said `state` about recording audio. */
static void
add(Participants *participants, const char *id, const char *state)
{
    json_t *form =
        json_pack("{s:s, s:s, s:[{s:s, s:s, s:s}]}", "id", id, "role", "client", "consents",
                  "purpose", "record-audio", "state", state, "at", "2026-11-21T17:00:00Z");
    g_autofree char *fault = participants_add(participants, form);

    json_decref(form);
    g_assert_cmpstr(fault, ==, NULL);
}

static ConsentReason
decide(const Participants *participants, const char *purpose)
{
    return participants_decide(participants, &org, &session, purpose, NOW_US).reason;
}

static void
test_everyone_present_decides(void)
{
    g_autoptr(Participants) participants = participants_new();

    g_assert_cmpint(decide(participants, "record-audio"), !=, CONSENT_OK);
    add(participants, "p1", "granted");
    g_assert_cmpint(decide(participants, "record-audio"), ==, CONSENT_OK);
    g_assert_cmpint(decide(participants, "record-video"), ==, CONSENT_MISSING);
    add(participants, "p2", "refused");
    g_assert_cmpint(decide(participants, "record-audio"), ==, CONSENT_REFUSED);
    g_assert_true(participants_remove(participants, "p2"));
    g_assert_cmpint(decide(participants, "record-audio"), ==, CONSENT_OK);
}

static void
test_what_is_said_last_counts(void)
{
    g_autoptr(Participants) participants = participants_new();
    json_t *form = json_pack("{s:s, s:s, s:s, s:s}", "participant", "p1", "purpose", "record-audio",
                             "state", "withdrawn", "at", "2026-11-21T17:05:00Z");
    g_autofree char *fault = NULL;

    add(participants, "p1", "granted");
    fault = participants_add_consent(participants, form);
    g_assert_cmpstr(fault, ==, NULL);
    g_assert_cmpint(decide(participants, "record-audio"), ==, CONSENT_WITHDRAWN);
    json_decref(form);
}

static void
test_a_consent_without_a_time_is_said_now(void)
{
    g_autoptr(Participants) participants = participants_new();
    json_t *form = json_pack("{s:s, s:s, s:s}", "participant", "p1", "purpose", "record-audio",
                             "state", "granted");
    g_autofree char *fault = NULL;

    add(participants, "p1", "refused");
    fault = participants_add_consent(participants, form);
    g_assert_cmpstr(fault, ==, NULL);
    g_assert_cmpint(
        participants_decide(participants, &org, &session, "record-audio", g_get_real_time()).reason,
        ==, CONSENT_OK);
    json_decref(form);
}

static void
test_refuses_a_stranger(void)
{
    g_autoptr(Participants) participants = participants_new();
    json_t *form = json_pack("{s:s, s:s, s:s}", "participant", "p9", "purpose", "record-audio",
                             "state", "granted");
    g_autofree char *fault = participants_add_consent(participants, form);

    g_assert_nonnull(strstr(fault, "no participant p9"));
    g_assert_false(participants_remove(participants, "p9"));
    json_decref(form);
}

static void
test_gives_back_what_was_said(void)
{
    g_autoptr(Participants) participants = participants_new();
    json_t *list = NULL;
    const json_t *consent = NULL;

    add(participants, "p1", "granted");
    list = participants_to_json(participants);
    consent = json_array_get(json_object_get(json_array_get(list, 0), "consents"), 0);
    g_assert_cmpstr(json_string_value(json_object_get(consent, "state")), ==, "granted");
    g_assert_cmpstr(json_string_value(json_object_get(consent, "at")), ==, "2026-11-21T17:00:00Z");
    json_decref(list);
}

/* Their recording stays, and must go on saying who they were. */
static void
test_remembers_who_left(void)
{
    g_autoptr(Participants) participants = participants_new();
    json_t *list = NULL;

    add(participants, "p1", "granted");
    add(participants, "p2", "refused");
    g_assert_true(participants_remove(participants, "p2"));
    list = participants_to_json(participants);
    g_assert_cmpuint(json_array_size(list), ==, 2);
    g_assert_null(json_object_get(json_array_get(list, 0), "left"));
    g_assert_cmpstr(json_string_value(json_object_get(json_array_get(list, 1), "role")), ==,
                    "client");
    g_assert_true(json_is_true(json_object_get(json_array_get(list, 1), "left")));
    json_decref(list);
    g_assert_cmpint(decide(participants, "record-audio"), ==, CONSENT_OK);

    add(participants, "p2", "granted");
    list = participants_to_json(participants);
    g_assert_cmpuint(json_array_size(list), ==, 2);
    g_assert_null(json_object_get(json_array_get(list, 1), "left"));
    json_decref(list);
}

/* A misspelt word must not pass for another one. */
static void
test_names_what_is_misspelt(void)
{
    static const struct {
        const char *form, *sentence;
    } rows[] = {
        {"{\"id\":\"p1\",\"role\":\"docter\"}",                                                "\"role\" must be one of provider, client, "          },
        {"{\"id\":\"p1\",\"role\":\"client\",\"minr\":true}",                                  "\"minr\" is not a known member"                      },
        {"{\"id\":\"p1\",\"role\":\"client\",\"minor\":1}",                                    "\"minor\" must be true or false"                     },
        {CLIENT("\"age\":13"),                                                                 "\"age\" is less than 18: then \"minor\" must be said"},
        {CLIENT("\"age\":13,\"minor\":false"),                                                 "nobody is of age then"                               },
        {CLIENT("\"age\":21,\"minor\":true"),                                                  "nobody is a minor at that age"                       },
        {CLIENT("\"age\":-1,\"minor\":true"),                                                  "\"age\" must be an integer from 0 to 130"            },
        {CLIENT("\"age\":131"),                                                                "\"age\" must be an integer from 0 to 130"            },
        {CLIENT("\"age\":13.5,\"minor\":true"),                                                "\"age\" must be an integer from 0 to 130"            },
        {CLIENT("\"age\":\"13\",\"minor\":true"),                                              "\"age\" must be an integer from 0 to 130"            },
        {CLIENT("\"jurisdiction\":\"UK\""),                                                    "\"jurisdiction\" must be the code of a country"      },
        {CLIENT("\"jurisdiction\":\"US-CA\\u0000\""),
         "\"jurisdiction\" must be the code of a country"                                                                                            },
        {CLIENT("\"jurisdiction\":7"),                                                         "\"jurisdiction\" must be the code of a country"      },
        {CLIENT("\"minor_rule\":\"alone\""),                                                   "\"minor_rule\" is not a known member"                },
        {CONSENT("\"purpose\":\"record-audoi\",\"state\":\"granted\""),
         "consents[0] of participant p1: \"purpose\" must be one of record-audio, "                                                                  },
        {CONSENT("\"purpose\":\"record-audio\",\"state\":\"grantd\""),
         "\"state\" must be one of granted, refused, withdrawn"                                                                                      },
        {CONSENT("\"purpose\":\"record-audio\",\"state\":\"granted\",\"by\":\"aunt\""),
         "\"by\" must be one of self, guardian"                                                                                                      },
        {CONSENT("\"purpose\":\"record-audio\",\"state\":\"granted\",\"evidence\":\"a\\nb\""),
         "\"evidence\" must be one line"                                                                                                             },
        {CONSENT("\"purpose\":\"record-audio\",\"state\":\"granted\",\"untill\":\"x\""),
         "\"untill\" is not a known member"                                                                                                          },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(Participants) participants = participants_new();
        json_t *form = json_loads(rows[i].form, JSON_ALLOW_NUL, NULL);
        g_autofree char *fault = participants_add(participants, form);

        json_decref(form);
        g_assert_nonnull(fault);
        g_assert_nonnull(strstr(fault, rows[i].sentence));
        g_assert_cmpuint(participants_count(participants), ==, 0);
    }
}

/* For a minor both must say yes, unless the organisation says otherwise. */
static void
test_a_guardian_consents_for_a_minor(void)
{
    g_autoptr(Participants) participants = participants_new();
    json_t *form =
        json_loads("{\"id\":\"p1\",\"role\":\"client\",\"minor\":true,\"consents\":[{\"purpose\":"
                   "\"record-audio\",\"state\":\"granted\",\"by\":\"guardian\",\"at\":"
                   "\"2026-11-21T17:00:00Z\"}]}",
                   0, NULL);
    g_autofree char *fault = participants_add(participants, form);
    json_t *list = participants_to_json(participants);
    const json_t *one = json_array_get(list, 0);

    g_assert_cmpstr(fault, ==, NULL);
    g_assert_cmpint(decide(participants, "record-audio"), ==, CONSENT_CONSENTER_INVALID);
    rules.minors = ORG_MINORS_GUARDIAN;
    g_assert_cmpint(decide(participants, "record-audio"), ==, CONSENT_OK);
    rules.minors = ORG_MINORS_BOTH;
    g_assert_true(json_is_true(json_object_get(one, "minor")));
    one = json_array_get(json_object_get(one, "consents"), 0);
    g_assert_cmpstr(json_string_value(json_object_get(one, "by")), ==, "guardian");
    json_decref(list);
    json_decref(form);
}

static Participants *
with_minor(const char *members)
{
    Participants *participants = participants_new();
    g_autofree char *text =
        g_strdup_printf("{\"id\":\"p1\",\"role\":\"client\",%s,\"consents\":[{\"purpose\":"
                        "\"record-audio\",\"state\":\"granted\",\"at\":"
                        "\"2026-11-21T17:00:00Z\"}]}",
                        members);
    json_t *form = json_loads(text, 0, NULL);
    g_autofree char *fault = participants_add(participants, form);

    g_assert_cmpstr(fault, ==, NULL);
    json_decref(form);
    return participants;
}

/* Returns: what is kept of who may consent for them, owned; NULL: nothing. */
static char *
rule_kept(const Participants *participants)
{
    json_t *list = participants_to_json(participants);
    char *rule =
        g_strdup(json_string_value(json_object_get(json_array_get(list, 0), "minor_rule")));

    json_decref(list);
    return rule;
}

static void
assert_rule_kept(const Participants *participants, const char *wanted)
{
    g_autofree char *rule = rule_kept(participants);

    g_assert_cmpstr(rule, ==, wanted);
}

/* Place, age and service choose the rule, and what is not said makes it no easier. */
static void
test_the_rule_is_of_place_age_and_service(void)
{
    OrgMinorsRow row = {(char *) "US-CA", (char *) "mental-health", 12, ORG_MINORS_ALONE};
    gpointer rows[] = {&row};
    GPtrArray table = {rows, 1};
    const struct {
        const char *members, *service;
        ConsentReason reason;
        const char *rule;
    } cases[] = {
        {"\"minor\":true,\"age\":13,\"jurisdiction\":\"US-CA\"", "mental-health", CONSENT_OK,
         "alone"                                                                                                   },
        {"\"minor\":true,\"age\":11,\"jurisdiction\":\"US-CA\"", "mental-health",
         CONSENT_CONSENTER_INVALID,                                                                          "both"},
        {"\"minor\":true,\"age\":13,\"jurisdiction\":\"US-CA\"", "dental",
         CONSENT_CONSENTER_INVALID,                                                                          "both"},
        {"\"minor\":true,\"age\":13,\"jurisdiction\":\"US-CA\"", NULL,            CONSENT_CONSENTER_INVALID,
         "both"                                                                                                    },
        {"\"minor\":true,\"age\":13,\"jurisdiction\":\"US-OR\"", "mental-health",
         CONSENT_CONSENTER_INVALID,                                                                          "both"},
        {"\"minor\":true,\"age\":13,\"jurisdiction\":\"US\"",    "mental-health",
         CONSENT_CONSENTER_INVALID,                                                                          "both"},
        {"\"minor\":true,\"age\":13",                            "mental-health", CONSENT_CONSENTER_INVALID, "both"},
        {"\"minor\":true,\"jurisdiction\":\"US-CA\"",            "mental-health", CONSENT_CONSENTER_INVALID,
         "both"                                                                                                    },
        {"\"minor\":false,\"age\":16",                           NULL,            CONSENT_OK,                NULL  },
        {"\"age\":18,\"jurisdiction\":\"GB\"",                   NULL,            CONSENT_OK,                NULL  },
    };

    rules.minors_by = &table;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Participants) participants = with_minor(cases[i].members);
        const ConsentSession asked = {.org = "clinic-a", .service = cases[i].service};

        g_test_message("case %zu", i);
        g_assert_cmpint(
            participants_decide(participants, &org, &asked, "record-audio", NOW_US).reason, ==,
            cases[i].reason);
        participants_note_minors(participants, &org, asked.service);
        assert_rule_kept(participants, cases[i].rule);
    }
    rules.minors_by = NULL;
}

/* What was recorded by a minor's own yes stays theirs, whatever the rules say after, and whether
 * they go and come back. */
static void
test_alone_stays_alone(void)
{
    g_autoptr(Participants) participants = with_minor("\"minor\":true");
    json_t *form = json_loads("{\"id\":\"p1\",\"role\":\"client\",\"minor\":true}", 0, NULL);
    g_autofree char *fault = NULL;

    assert_rule_kept(participants, NULL);
    rules.minors = ORG_MINORS_GUARDIAN;
    participants_note_minors(participants, &org, NULL);
    assert_rule_kept(participants, "guardian");
    rules.minors = ORG_MINORS_ALONE;
    participants_note_minors(participants, &org, NULL);
    rules.minors = ORG_MINORS_BOTH;
    participants_note_minors(participants, &org, NULL);
    assert_rule_kept(participants, "alone");
    g_assert_true(participants_remove(participants, "p1"));
    assert_rule_kept(participants, "alone");
    fault = participants_add(participants, form);
    g_assert_cmpstr(fault, ==, NULL);
    participants_note_minors(participants, &org, NULL);
    assert_rule_kept(participants, "alone");
    json_decref(form);
}

/* However many come and go after them. */
static void
test_a_minor_alone_is_never_forgotten(void)
{
    g_autoptr(Participants) participants = with_minor("\"minor\":true");
    json_t *list = NULL;

    rules.minors = ORG_MINORS_ALONE;
    participants_note_minors(participants, &org, NULL);
    rules.minors = ORG_MINORS_BOTH;
    g_assert_true(participants_remove(participants, "p1"));
    for (int i = 0; i < 300; i++) {
        g_autofree char *id = g_strdup_printf("guest-%d", i);

        add(participants, id, "granted");
        g_assert_true(participants_remove(participants, id));
    }
    assert_rule_kept(participants, "alone");
    list = participants_to_json(participants);
    g_assert_cmpuint(json_array_size(list), ==, 256);
    g_assert_cmpstr(json_string_value(json_object_get(json_array_get(list, 255), "id")), ==,
                    "guest-299");
    json_decref(list);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
    g_test_add_func("/participants/everyone-present-decides", test_everyone_present_decides);
    g_test_add_func("/participants/what-is-said-last-counts", test_what_is_said_last_counts);
    g_test_add_func("/participants/a-consent-without-a-time-is-said-now",
                    test_a_consent_without_a_time_is_said_now);
    g_test_add_func("/participants/refuses-a-stranger", test_refuses_a_stranger);
    g_test_add_func("/participants/gives-back-what-was-said", test_gives_back_what_was_said);
    g_test_add_func("/participants/remembers-who-left", test_remembers_who_left);
    g_test_add_func("/participants/names-what-is-misspelt", test_names_what_is_misspelt);
    g_test_add_func("/participants/a-guardian-consents-for-a-minor",
                    test_a_guardian_consents_for_a_minor);
    g_test_add_func("/participants/the-rule-is-of-place-age-and-service",
                    test_the_rule_is_of_place_age_and_service);
    g_test_add_func("/participants/alone-stays-alone", test_alone_stays_alone);
    g_test_add_func("/participants/a-minor-alone-is-never-forgotten",
                    test_a_minor_alone_is_never_forgotten);
    return g_test_run();
}
