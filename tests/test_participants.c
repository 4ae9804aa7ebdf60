#include "agent/recorder/participants.h"

#include <string.h>

static const char *const purposes[] = {"record-audio", "record-video", NULL};
static const ConsentPolicy policy = {.org = "clinic-a", .purposes = purposes};

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
    return participants_decide(participants, &policy, "clinic-a", purpose, NOW_US).reason;
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
        participants_decide(participants, &policy, "clinic-a", "record-audio", g_get_real_time())
            .reason,
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
    return g_test_run();
}
