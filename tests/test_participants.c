#include "agent/recorder/participants.h"

#include <string.h>

static const char *const purposes[] = {"record-audio", "record-video", NULL};
static OrgConsent rules = {.is_enabled = true, .purposes = (char **) purposes};
static const OrgSettings org = {.id = (char *) "clinic-a", .consent = &rules};
static const ConsentSession session = {.org = "clinic-a"};

#define CONSENT(members) "{\"id\":\"p1\",\"role\":\"client\",\"consents\":[{" members "}]}"

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
        {"{\"id\":\"p1\",\"role\":\"docter\"}",                                                "\"role\" must be one of provider, client, "},
        {"{\"id\":\"p1\",\"role\":\"client\",\"minr\":true}",                                  "\"minr\" is not a known member"            },
        {"{\"id\":\"p1\",\"role\":\"client\",\"minor\":1}",                                    "\"minor\" must be true or false"           },
        {CONSENT("\"purpose\":\"record-audoi\",\"state\":\"granted\""),
         "consents[0] of participant p1: \"purpose\" must be one of record-audio, "                                                        },
        {CONSENT("\"purpose\":\"record-audio\",\"state\":\"grantd\""),
         "\"state\" must be one of granted, refused, withdrawn"                                                                            },
        {CONSENT("\"purpose\":\"record-audio\",\"state\":\"granted\",\"by\":\"aunt\""),
         "\"by\" must be one of self, guardian"                                                                                            },
        {CONSENT("\"purpose\":\"record-audio\",\"state\":\"granted\",\"evidence\":\"a\\nb\""),
         "\"evidence\" must be one line"                                                                                                   },
        {CONSENT("\"purpose\":\"record-audio\",\"state\":\"granted\",\"untill\":\"x\""),
         "\"untill\" is not a known member"                                                                                                },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(Participants) participants = participants_new();
        json_t *form = json_loads(rows[i].form, 0, NULL);
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
    return g_test_run();
}
