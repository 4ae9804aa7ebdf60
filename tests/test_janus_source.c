#include "agent/recorder/janus_source.h"
#include "agent/recorder/session_tracks.h"
#include "tests/fakes/janus_fake.h"
#include "tests/fakes/recorder_fixture.h"

#include <glib/gstdio.h>
#include <string.h>

#define P1    "{\"id\":5,\"display\":\"p1\",\"streams\":[" AUDIO "]}"
#define AUDIO "{\"type\":\"audio\",\"mindex\":0,\"mid\":\"0\",\"codec\":\"opus\"}"

/* What a VideoRoom answers to who joins; `people`: who publishes there. */
#define JOINED(people)                                                                             \
    "{\"videoroom\":\"joined\",\"room\":1234,\"id\":1,\"private_id\":2,\"publishers\":[" people "]}"
#define NO_ROOM "{\"videoroom\":\"event\",\"error_code\":426,\"error\":\"No such room (1234)\"}"

/* A session that records, a Janus, and what follows its room for the session. */
typedef struct {
    RecorderFixture *recorder;
    Session *session;
    JanusFake *janus;
    JanusSettings janus_settings;
    Settings settings;
    SourceRequest request;
    JanusSource *source;
    const char *wanted;
} Fixture;

/* What is in trouble warns, which here is meant to happen; any other warning is an error. */
static void
on_warning(const char *domain, GLogLevelFlags level, const char *message, gpointer user_data)
{
    if (strstr(message, "the Janus room can not be followed") == NULL)
        g_error("%s", message);
}

static void
set_up(Fixture *self, gconstpointer data)
{
    RecorderAnswer answer;

    *self = (Fixture){.recorder = recorder_fixture_new(NULL), .janus = janus_fake_new()};
    recorder_fixture_begin(self->recorder, RECORDER_FIXTURE_CONSENTS,
                           "[" RECORDER_FIXTURE_TRACK("own", "p2") "]", &answer);
    g_assert_no_error(answer.error);
    g_free(answer.reason);
    self->session = answer.session;
    self->janus_settings = (JanusSettings){
        .url = (char *) janus_fake_url(self->janus),
        .rtp_host = (char *) "127.0.0.1",
    };
    self->settings = *self->recorder->settings;
    self->settings.janus = &self->janus_settings;
    self->request.room = json_integer(1234);
    janus_fake_answer_late(self->janus, "join", JOINED(P1));
}

static bool
shows(void *data)
{
    const Fixture *self = data;
    json_t *form = janus_source_to_json(self->source);
    char *text = json_dumps(form, JSON_COMPACT);
    const bool is_so = strstr(text, self->wanted) != NULL;

    free(text);
    json_decref(form);
    return is_so;
}

/* Until the published form contains `wanted`. */
static void
wait_until(Fixture *self, const char *wanted)
{
    self->wanted = wanted;
    recorder_fixture_until(shows, self);
}

/* A source is let go of once its session has ended and the room was left. */
static void
tear_down(Fixture *self, gconstpointer data)
{
    (void) session_stop(self->session); /* false: it has ended already */
    wait_until(self, "\"state\":\"ended\"");
    janus_source_free(self->source);
    recorder_fixture_free(self->recorder);
    janus_fake_free(self->janus);
    json_decref(self->request.room);
}

static void
begin(Fixture *self)
{
    self->source = janus_source_new(self->session, &self->settings, &self->request);
    session_tell(self->session);
}

static void
follow(Fixture *self)
{
    begin(self);
    wait_until(self, "\"state\":\"following\"");
    wait_until(self, "\"track\":\"p1-audio\",\"kind\":\"audio\",\"state\":\"forwarded\"");
}

/* Until `word` was asked `n` times. */
static void
wait_asked(const Fixture *self, const char *word, unsigned n)
{
    while (janus_fake_count(self->janus, word) < n)
        g_main_context_iteration(NULL, TRUE);
}

static void
test_follows_who_is_there(Fixture *self, gconstpointer data)
{
    g_autofree char *publisher = NULL;

    begin(self);
    g_assert_true(shows((self->wanted = "\"state\":\"starting\"", self)));
    g_assert_true(janus_source_follows(self->source, self->request.room));
    wait_until(self, "\"state\":\"forwarded\"");
    publisher = janus_fake_last(self->janus, "rtp_forward", "publisher_id");
    g_assert_cmpstr(publisher, ==, "5");
    g_assert_cmpuint(session_track_port(self->session, "p1-audio"), !=, 0);
}

static void
test_follows_who_comes_and_goes(Fixture *self, gconstpointer data)
{
    janus_fake_answer_late(self->janus, "join", JOINED(""));
    begin(self);
    wait_until(self, "\"state\":\"following\",\"publishers\":[]");

    janus_fake_tell(self->janus, "{\"videoroom\":\"event\",\"room\":1234,\"publishers\":[" P1 "]}",
                    false);
    wait_until(self, "\"state\":\"forwarded\"");
    janus_fake_tell(self->janus, "{\"videoroom\":\"event\",\"room\":1234,\"unpublished\":5}",
                    false);
    wait_until(self, "\"publishers\":[]");
    wait_asked(self, "stop_rtp_forward", 1);
    g_assert_cmpuint(session_track_port(self->session, "p1-audio"), ==, 0);

    /* Who comes back has another track. */
    janus_fake_tell(self->janus, "{\"videoroom\":\"event\",\"room\":1234,\"publishers\":[" P1 "]}",
                    false);
    wait_until(self, "\"track\":\"p1-audio-2\",\"kind\":\"audio\",\"state\":\"forwarded\"");
    janus_fake_tell(self->janus, "{\"videoroom\":\"event\",\"room\":1234,\"leaving\":5}", false);
    wait_until(self, "\"publishers\":[]");
    g_assert_cmpint(session_state(self->session), ==, SESSION_STATE_RECORDING);
}

/* One is not there yet, or not any more: it says so, and comes when it is. */
static void
test_waits_for_a_room_that_is_not_there(Fixture *self, gconstpointer data)
{
    janus_fake_answer_late(self->janus, "join", NO_ROOM);
    begin(self);
    wait_until(self, "No such room");
    g_assert_true(shows((self->wanted = "\"state\":\"trouble\"", self)));

    janus_fake_answer_late(self->janus, "join", JOINED(P1));
    wait_until(self, "\"state\":\"forwarded\"");
    g_assert_false(shows((self->wanted = "\"problem\"", self)));
}

static void
test_ends_with_its_room_if_it_shall(Fixture *self, gconstpointer data)
{
    self->request.ends_with_room = true;
    follow(self);
    janus_fake_tell(self->janus, "{\"videoroom\":\"destroyed\",\"room\":1234}", false);
    wait_until(self, "\"state\":\"ended\"");
    recorder_fixture_until_state(self->session, SESSION_STATE_STORED);
}

static void
test_outlives_its_room_otherwise(Fixture *self, gconstpointer data)
{
    follow(self);
    janus_fake_answer_late(self->janus, "join", NO_ROOM);
    janus_fake_tell(self->janus, "{\"videoroom\":\"destroyed\",\"room\":1234}", false);
    wait_until(self, "No such room");
    wait_until(self, "\"publishers\":[]");
    g_assert_cmpint(session_state(self->session), ==, SESSION_STATE_RECORDING);
}

/* What came of a room that makes no sense, or puts us out: it is joined again. */
static const char *const setbacks[] = {
    "{\"videoroom\":\"event\",\"room\":1234,\"leaving\":\"ok\",\"reason\":\"kicked\"}",
    "{\"videoroom\":\"event\",\"room\":1234,\"publishers\":\"many\"}",
    "{\"videoroom\":\"event\",\"room\":1234,\"publishers\":[{\"id\":5}]}",
    "{\"videoroom\":\"event\",\"room\":1234,\"publishers\":[{\"id\":{},\"streams\":[]}]}",
};

static void
test_joins_again_after_a_setback(Fixture *self, gconstpointer data)
{
    follow(self);
    janus_fake_tell(self->janus, data, false);
    wait_until(self, "\"state\":\"trouble\"");
    wait_until(self, "\"state\":\"following\"");
    g_assert_cmpuint(janus_fake_count(self->janus, "join"), ==, 2);
}

/* An answer to joining that does not say who is in the room is none. */
static void
test_a_garbled_room_is_trouble(Fixture *self, gconstpointer data)
{
    janus_fake_answer_late(self->janus, "join", "{\"videoroom\":\"joined\"}");
    begin(self);
    wait_until(self, "it does not say who is in the room");
    janus_fake_answer_late(self->janus, "join", JOINED(P1));
    wait_until(self, "\"state\":\"forwarded\"");
}

/* A Janus that was restarted forwards nothing any more: that begins anew, on another track. */
static void
test_comes_back_after_a_restart_of_janus(Fixture *self, gconstpointer data)
{
    follow(self);
    janus_fake_stop(self->janus);
    wait_until(self, "\"state\":\"trouble\"");
    janus_fake_start(self->janus);
    wait_until(self, "\"track\":\"p1-audio-2\",\"kind\":\"audio\",\"state\":\"forwarded\"");
    g_assert_cmpuint(session_track_port(self->session, "p1-audio"), ==, 0);
    g_assert_cmpuint(session_track_port(self->session, "p1-audio-2"), !=, 0);
}

static void
test_leaves_with_its_session(Fixture *self, gconstpointer data)
{
    g_autofree char *stream = NULL;

    follow(self);
    g_assert_true(session_stop(self->session));
    wait_until(self, "\"state\":\"ended\"");
    stream = janus_fake_last(self->janus, "stop_rtp_forward", "stream_id");
    g_assert_cmpstr(stream, ==, "77");
    g_assert_cmpuint(janus_fake_count(self->janus, "destroy"), ==, 1);
    recorder_fixture_until_state(self->session, SESSION_STATE_STORED);
}

/* A session that ends while Janus is away does not wait for it. */
static void
test_leaves_without_a_janus(Fixture *self, gconstpointer data)
{
    janus_fake_stop(self->janus);
    begin(self);
    wait_until(self, "\"state\":\"trouble\"");
    g_assert_true(session_stop(self->session));
    wait_until(self, "\"state\":\"ended\"");
}

static void
test_says_that_a_secret_can_not_be_read(Fixture *self, gconstpointer data)
{
    g_autofree char *path = g_build_filename(self->recorder->folder, "absent", NULL);

    self->janus_settings.room_secret_path = path;
    begin(self);
    wait_until(self, path);
    g_assert_true(shows((self->wanted = "\"state\":\"trouble\"", self)));
    g_assert_cmpuint(janus_fake_count(self->janus, "create"), ==, 0);
    g_assert_true(session_stop(self->session));
    wait_until(self, "\"state\":\"ended\"");
}

#define ADD(name, function)                                                                        \
    g_test_add("/janus-source/" name, Fixture, NULL, set_up, function, tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
    recorder_fixture_start();
    (void) g_log_set_always_fatal(G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL);
    (void) g_log_set_handler("sealtape-recorder", G_LOG_LEVEL_WARNING, on_warning, NULL);
    ADD("follows-who-is-there", test_follows_who_is_there);
    ADD("follows-who-comes-and-goes", test_follows_who_comes_and_goes);
    ADD("waits-for-a-room-that-is-not-there", test_waits_for_a_room_that_is_not_there);
    ADD("ends-with-its-room-if-it-shall", test_ends_with_its_room_if_it_shall);
    ADD("outlives-its-room-otherwise", test_outlives_its_room_otherwise);
    for (size_t i = 0; i < G_N_ELEMENTS(setbacks); i++) {
        g_autofree char *path = g_strdup_printf("/janus-source/setback-%zu", i + 1);

        g_test_add(path, Fixture, setbacks[i], set_up, test_joins_again_after_a_setback, tear_down);
    }
    ADD("a-garbled-room-is-trouble", test_a_garbled_room_is_trouble);
    ADD("comes-back-after-a-restart-of-janus", test_comes_back_after_a_restart_of_janus);
    ADD("leaves-with-its-session", test_leaves_with_its_session);
    ADD("leaves-without-a-janus", test_leaves_without_a_janus);
    ADD("says-that-a-secret-can-not-be-read", test_says_that_a_secret_can_not_be_read);
    return g_test_run();
}
