#include "tests/fakes/recorder_fixture.h"
#include "tests/fakes/track_watch.h"

#include <string.h>

#define BOTH_TRACKS                                                                                \
    "[" RECORDER_FIXTURE_TRACK("p1-audio", "p1") "," RECORDER_FIXTURE_TRACK("p2-audio", "p2") "]"

static json_t *
parsed(const char *text)
{
    json_t *form = json_loads(text, 0, NULL);

    g_assert_nonnull(form);
    return form;
}

static void
assert_track(const Session *session, const char *id, const char *state, const char *reason)
{
    json_t *is_in = track_watch_member(session, id, "state");
    json_t *for_reason = track_watch_member(session, id, "reason");

    g_assert_cmpstr(json_string_value(is_in), ==, state);
    g_assert_cmpstr(json_string_value(for_reason), ==, reason);
    json_decref(is_in);
    json_decref(for_reason);
}

/* Begins what everybody consents to. */
static Session *
begin(RecorderFixture *fixture)
{
    RecorderAnswer answer;

    recorder_fixture_begin(fixture, RECORDER_FIXTURE_CONSENTS, BOTH_TRACKS, &answer);
    g_assert_no_error(answer.error);
    g_free(answer.reason);
    return answer.session;
}

static void
test_records_and_is_stored(void)
{
    g_autoptr(RecorderFixture) fixture = recorder_fixture_new(NULL);
    Session *session = begin(fixture);

    g_assert_cmpint(session_state(session), ==, SESSION_STATE_RECORDING);
    assert_track(session, "p1-audio", "recording", NULL);
    recorder_fixture_send((uint16_t) track_watch_count(session, "p1-audio", "port"), 20);
    track_watch_until(session, "p1-audio", "packets", 20);

    g_assert_true(session_stop(session));
    g_assert_false(session_stop(session));
    recorder_fixture_until_state(session, SESSION_STATE_STORED);
    g_assert_true(session_has_ended(session));
    g_assert_true(session_is_over(session));
}

static void
test_without_consent_there_is_no_session(void)
{
    g_autoptr(RecorderFixture) fixture = recorder_fixture_new(NULL);
    RecorderAnswer answer;

    recorder_fixture_begin(fixture, "[" RECORDER_FIXTURE_CONSENT("record-audio", "refused") "]",
                           BOTH_TRACKS, &answer);

    g_assert_error(answer.error, RECORDER_ERROR, RECORDER_ERROR_REFUSED);
    g_assert_cmpstr(answer.reason, ==, "consent-refused");
    g_assert_nonnull(strstr(answer.error->message, "p2"));
    g_autoptr(GPtrArray) sessions = recorder_sessions(fixture->recorder);
    g_assert_cmpuint(sessions->len, ==, 0);
    recorder_answer_clear(&answer);
}

/* What is said while it records counts from that moment on: both are paused, for both would hear.
 */
static void
test_a_withdrawal_pauses_and_a_consent_resumes(void)
{
    g_autoptr(RecorderFixture) fixture = recorder_fixture_new(NULL);
    Session *session = begin(fixture);
    g_autoptr(GError) error = NULL;
    json_t *withdrawn =
        parsed("{\"participant\":\"p2\",\"purpose\":\"record-audio\",\"state\":\"withdrawn\","
               "\"text_version\":\"1\",\"at\":\"2026-11-21T17:10:00Z\"}");
    json_t *granted =
        parsed("{\"participant\":\"p2\",\"purpose\":\"record-audio\",\"state\":\"granted\","
               "\"text_version\":\"1\",\"at\":\"2026-11-21T17:20:00Z\"}");

    g_assert_true(session_add_consent(session, withdrawn, &error));
    g_assert_cmpint(session_state(session), ==, SESSION_STATE_PAUSED);
    assert_track(session, "p1-audio", "paused", "consent-withdrawn");
    assert_track(session, "p2-audio", "paused", "consent-withdrawn");
    const json_int_t n_sent = track_watch_send_until_paused(session, "p1-audio");
    const json_int_t n_taken = track_watch_count(session, "p1-audio", "packets");

    recorder_fixture_send((uint16_t) track_watch_count(session, "p1-audio", "port"), 40);
    track_watch_until_seen(session, "p1-audio", n_sent + 40);
    g_assert_cmpint(track_watch_count(session, "p1-audio", "packets"), ==, n_taken);

    g_assert_true(session_add_consent(session, granted, &error));
    g_assert_cmpint(session_state(session), ==, SESSION_STATE_RECORDING);
    assert_track(session, "p1-audio", "recording", NULL);
    json_decref(withdrawn);
    json_decref(granted);
}

/* Who joins has said nothing yet. */
static void
test_who_joins_without_consent_pauses(void)
{
    g_autoptr(RecorderFixture) fixture = recorder_fixture_new(NULL);
    Session *session = begin(fixture);
    g_autoptr(GError) error = NULL;
    json_t *third = parsed("{\"id\":\"p3\",\"role\":\"client\",\"consents\":[]}");

    g_assert_true(session_add_participant(session, third, &error));
    g_assert_cmpint(session_state(session), ==, SESSION_STATE_PAUSED);
    assert_track(session, "p1-audio", "paused", "consent-missing");

    g_assert_false(session_add_participant(session, third, &error));
    g_assert_error(error, RECORDER_ERROR, RECORDER_ERROR_INVALID);
    g_clear_error(&error);

    g_assert_true(session_remove_participant(session, "p3", &error));
    g_assert_cmpint(session_state(session), ==, SESSION_STATE_RECORDING);
    g_assert_false(session_remove_participant(session, "p3", &error));
    g_assert_error(error, RECORDER_ERROR, RECORDER_ERROR_INVALID);
    json_decref(third);
}

#define LONG_ID "-0123456789-0123456789-0123456789-0123456789"

/* Sealed, they show only their length. */
static size_t
count_metadata_bytes(const RecorderFixture *fixture, const Session *session)
{
    g_autofree char *path = g_build_filename(fixture->folder, "store", "clinic-a",
                                             session_id(session), "meta.age", NULL);
    g_autofree char *sealed = NULL;
    size_t n_bytes = 0;

    g_assert_true(g_file_get_contents(path, &sealed, &n_bytes, NULL));
    return n_bytes;
}

static size_t
count_bytes_of_two_people(RecorderFixture *fixture)
{
    Session *session = begin(fixture);

    g_assert_true(session_stop(session));
    recorder_fixture_until_state(session, SESSION_STATE_STORED);
    return count_metadata_bytes(fixture, session);
}

/* Who comes in the moment of the end goes into the store the way that the first ones did: behind
 * them, never past them, which would keep the session from being stored. */
static void
test_ends_with_its_newest_metadata(void)
{
    enum { N_SESSIONS = 24 };
    g_autoptr(RecorderFixture) fixture = recorder_fixture_new(NULL);
    const size_t n_least = count_bytes_of_two_people(fixture) + 2 * strlen(LONG_ID);
    json_t *third = parsed("{\"id\":\"p3" LONG_ID "\",\"role\":\"client\",\"consents\":[]}");
    json_t *fourth = parsed("{\"id\":\"p4" LONG_ID "\",\"role\":\"client\",\"consents\":[]}");
    Session *sessions[N_SESSIONS];

    for (unsigned i = 0; i < N_SESSIONS; i++) {
        sessions[i] = begin(fixture);
        g_assert_true(session_add_participant(sessions[i], third, NULL));
        g_assert_true(session_add_participant(sessions[i], fourth, NULL));
        g_assert_true(session_stop(sessions[i]));
    }
    for (unsigned i = 0; i < N_SESSIONS; i++) {
        recorder_fixture_until_state(sessions[i], SESSION_STATE_STORED);
        g_assert_cmpuint(count_metadata_bytes(fixture, sessions[i]), >, n_least);
    }
    json_decref(third);
    json_decref(fourth);
}

/* The backend's pause does not end with a consent, nor consent's with a resume. */
static void
test_a_pause_by_request_is_another(void)
{
    g_autoptr(RecorderFixture) fixture = recorder_fixture_new(NULL);
    Session *session = begin(fixture);
    g_autoptr(GError) error = NULL;
    json_t *third = parsed("{\"id\":\"p3\",\"role\":\"client\",\"consents\":[]}");

    g_assert_true(session_pause(session, "private-talk", &error));
    assert_track(session, "p1-audio", "paused", "private-talk");
    g_assert_true(session_add_participant(session, third, &error));
    g_assert_true(session_resume(session, &error));
    g_assert_cmpint(session_state(session), ==, SESSION_STATE_PAUSED);
    assert_track(session, "p1-audio", "paused", "consent-missing");

    g_assert_true(session_pause(session, "by-request", &error));
    g_assert_true(session_remove_participant(session, "p3", &error));
    g_assert_cmpint(session_state(session), ==, SESSION_STATE_PAUSED);
    g_assert_true(session_resume(session, &error));
    g_assert_cmpint(session_state(session), ==, SESSION_STATE_RECORDING);
    json_decref(third);
}

static void
test_a_reason_is_one_plain_word(void)
{
    static const char *const bad[] = {"", "Two words", "grün", "a\nb", "A", "x1", NULL};
    g_autoptr(RecorderFixture) fixture = recorder_fixture_new(NULL);
    Session *session = begin(fixture);

    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;

        g_assert_false(session_pause(session, bad[i], &error));
        g_assert_error(error, RECORDER_ERROR, RECORDER_ERROR_INVALID);
        g_assert_cmpint(session_state(session), ==, SESSION_STATE_RECORDING);
    }
}

static void
add_track(Session *session, const char *text, RecorderAnswer *answer)
{
    json_t *form = parsed(text);
    char *fault = NULL;
    TrackRequest *request = session_parse_track(session, form, &fault);

    g_assert_cmpstr(fault, ==, NULL);
    *answer = (RecorderAnswer){0};
    session_add_track(session, request, recorder_answer_take, answer);
    json_decref(form);
}

static bool
is_answered(void *data)
{
    const RecorderAnswer *answer = data;

    return answer->is_answered;
}

static void
test_a_track_comes_later_and_once(void)
{
    g_autoptr(RecorderFixture) fixture = recorder_fixture_new(NULL);
    Session *session = begin(fixture);
    RecorderAnswer added, twice;

    add_track(session, RECORDER_FIXTURE_TRACK("p1-second", "p1"), &added);
    add_track(session, RECORDER_FIXTURE_TRACK("p1-second", "p1"), &twice);
    g_assert_false(added.is_answered); /* later, as every answer */
    recorder_fixture_until(is_answered, &added);
    recorder_fixture_until(is_answered, &twice);

    g_assert_no_error(added.error);
    g_assert_cmpuint((uint16_t) track_watch_count(session, "p1-second", "port"), !=, 0);
    g_assert_error(twice.error, RECORDER_ERROR, RECORDER_ERROR_CONFLICT);
    recorder_answer_clear(&added);
    recorder_answer_clear(&twice);
}

/* Its purpose is not permitted yet: it is known, has no port, and begins with the consent. */
static void
test_a_track_waits_for_its_consent(void)
{
    static const char video[] =
        "{\"id\":\"p1-video\",\"participant\":\"p1\",\"kind\":\"video\",\"codec\":\"vp8\","
        "\"payload_type\":96,\"clock_rate\":90000}";
    g_autoptr(RecorderFixture) fixture = recorder_fixture_new(NULL);
    g_autoptr(GError) error = NULL;
    json_t *granted =
        parsed("{\"participant\":\"p2\",\"purpose\":\"record-video\",\"state\":\"granted\","
               "\"text_version\":\"1\",\"at\":\"2026-11-21T17:20:00Z\"}");
    RecorderAnswer begun, added;

    recorder_fixture_begin(fixture, "[" RECORDER_FIXTURE_CONSENT("record-audio", "granted") "]",
                           BOTH_TRACKS, &begun);
    g_assert_no_error(begun.error);
    add_track(begun.session, video, &added);
    recorder_fixture_until(is_answered, &added);
    g_assert_error(added.error, RECORDER_ERROR, RECORDER_ERROR_REFUSED);
    g_assert_cmpstr(added.reason, ==, "consent-missing");
    assert_track(begun.session, "p1-video", "not-recorded", "consent-missing");
    g_assert_cmpint(track_watch_count(begun.session, "p1-video", "port"), ==, 0);

    g_assert_true(session_add_consent(begun.session, granted, &error));
    assert_track(begun.session, "p1-video", "starting", NULL);
    while (track_watch_count(begun.session, "p1-video", "port") == 0)
        g_main_context_iteration(NULL, TRUE);
    assert_track(begun.session, "p1-video", "recording", NULL);
    json_decref(granted);
    recorder_answer_clear(&begun);
    recorder_answer_clear(&added);
}

static void
test_what_has_ended_changes_no_more(void)
{
    g_autoptr(RecorderFixture) fixture = recorder_fixture_new(NULL);
    Session *session = begin(fixture);
    json_t *third = parsed("{\"id\":\"p3\",\"role\":\"client\",\"consents\":[]}");
    RecorderAnswer added;
    GError *errors[4] = {NULL};

    g_assert_true(session_stop(session));
    g_assert_false(session_pause(session, "by-request", &errors[0]));
    g_assert_false(session_resume(session, &errors[1]));
    g_assert_false(session_add_participant(session, third, &errors[2]));
    g_assert_false(session_remove_participant(session, "p1", &errors[3]));
    add_track(session, RECORDER_FIXTURE_TRACK("p1-late", "p1"), &added);
    recorder_fixture_until(is_answered, &added);

    g_assert_error(added.error, RECORDER_ERROR, RECORDER_ERROR_CONFLICT);
    for (size_t i = 0; i < G_N_ELEMENTS(errors); i++) {
        g_assert_error(errors[i], RECORDER_ERROR, RECORDER_ERROR_CONFLICT);
        g_clear_error(&errors[i]);
    }
    recorder_fixture_until_state(session, SESSION_STATE_STORED);
    json_decref(third);
    recorder_answer_clear(&added);
}

static void
test_limits_refuse_with_their_name(void)
{
    g_autoptr(RecorderFixture) fixture =
        recorder_fixture_new("    max_session_tracks = 2;\n    max_session_participants = 2;");
    Session *session = begin(fixture);
    json_t *third = parsed("{\"id\":\"p3\",\"role\":\"client\",\"consents\":[]}");
    g_autoptr(GError) error = NULL;
    RecorderAnswer added;

    add_track(session, RECORDER_FIXTURE_TRACK("p1-third", "p1"), &added);
    recorder_fixture_until(is_answered, &added);
    g_assert_cmpuint(added.error->domain, ==, SESSION_LIMIT_ERROR);
    g_assert_false(session_add_participant(session, third, &error));
    g_assert_cmpuint(error->domain, ==, SESSION_LIMIT_ERROR);

    g_assert_cmpint(session_state(session), ==, SESSION_STATE_RECORDING);
    json_decref(third);
    recorder_answer_clear(&added);
}

static void
note_state(const Session *session, void *user_data)
{
    GString *states = user_data;

    g_string_append_printf(states, "%s ", session_state_text(session_state(session)));
}

static void
test_who_watches_is_told_of_each_state(void)
{
    g_autoptr(RecorderFixture) fixture = recorder_fixture_new(NULL);
    Session *session = begin(fixture);
    g_autoptr(GString) states = g_string_new(NULL);
    g_autoptr(GError) error = NULL;
    const unsigned watch = session_watch(session, note_state, states);

    g_assert_true(session_pause(session, "by-request", &error));
    g_assert_true(session_resume(session, &error));
    g_assert_true(session_stop(session));
    g_assert_false(session_is_over(session));
    recorder_fixture_until_state(session, SESSION_STATE_STORED);
    g_assert_cmpstr(states->str, ==, "paused recording finalising stored ");
    g_assert_false(session_is_over(session)); /* as long as somebody watches */
    session_unwatch(session, watch);
    g_assert_true(session_is_over(session));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
    recorder_fixture_start();
#define ADD(path, test) g_test_add_func("/session/" path, test)
    ADD("records-and-is-stored", test_records_and_is_stored);
    ADD("without-consent-there-is-no-session", test_without_consent_there_is_no_session);
    ADD("a-withdrawal-pauses-and-a-consent-resumes",
        test_a_withdrawal_pauses_and_a_consent_resumes);
    ADD("who-joins-without-consent-pauses", test_who_joins_without_consent_pauses);
    ADD("ends-with-its-newest-metadata", test_ends_with_its_newest_metadata);
    ADD("a-pause-by-request-is-another", test_a_pause_by_request_is_another);
    ADD("a-reason-is-one-plain-word", test_a_reason_is_one_plain_word);
    ADD("a-track-comes-later-and-once", test_a_track_comes_later_and_once);
    ADD("a-track-waits-for-its-consent", test_a_track_waits_for_its_consent);
    ADD("what-has-ended-changes-no-more", test_what_has_ended_changes_no_more);
    ADD("limits-refuse-with-their-name", test_limits_refuse_with_their_name);
    ADD("who-watches-is-told-of-each-state", test_who_watches_is_told_of_each_state);
    return g_test_run();
}
