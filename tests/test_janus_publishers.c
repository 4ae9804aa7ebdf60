#include "agent/recorder/janus_publishers.h"
#include "agent/recorder/session_tracks.h"
#include "tests/fakes/janus_desk.h"
#include "tests/fakes/recorder_fixture.h"

#include <string.h>

#define AUDIO "{\"type\":\"audio\",\"mid\":\"0\",\"codec\":\"opus\"}"
#define VIDEO "{\"type\":\"video\",\"mid\":\"1\",\"codec\":\"vp8\"}"

/* A session that records without tracks of its own, and the people of its room. */
typedef struct {
    RecorderFixture *recorder;
    Session *session;
    JanusRoom room;
    JanusPublishers *publishers;
} Fixture;

static void
set_up(Fixture *self, gconstpointer data)
{
    RecorderAnswer answer;

    self->recorder = recorder_fixture_new(NULL);
    recorder_fixture_begin(self->recorder, RECORDER_FIXTURE_CONSENTS,
                           "[" RECORDER_FIXTURE_TRACK("own", "p2") "]", &answer);
    g_assert_no_error(answer.error);
    g_free(answer.reason);
    self->session = answer.session;
    self->room =
        (JanusRoom){.id = json_integer(1234), .host = "127.0.0.1", .session = self->session};
    self->publishers = janus_publishers_new(&self->room);
    janus_desk_set_up(true);
}

static void
tear_down(Fixture *self, gconstpointer data)
{
    janus_publishers_free(self->publishers);
    while (janus_desk_count() > 0)
        janus_desk_answer(NULL);
    json_decref(self->room.id);
    recorder_fixture_free(self->recorder);
}

/* One publisher, or none if `streams` is NULL. */
static void
list(Fixture *self, const char *display, const char *streams)
{
    g_autofree char *text =
        streams != NULL
            ? g_strdup_printf("[{\"id\":5,\"display\":\"%s\",\"streams\":[%s]}]", display, streams)
            : g_strdup("[]");
    json_t *form = json_loads(text, 0, NULL);

    g_assert_true(janus_publishers_take(self->publishers, form, true));
    janus_publishers_update(self->publishers);
    json_decref(form);
}

static bool
is_asked(void *data)
{
    return janus_desk_count() > 0;
}

static void
assert_asked(const char *name)
{
    recorder_fixture_until(is_asked, NULL);
    g_autofree char *asked = janus_desk_peek("request");
    g_autofree char *room = janus_desk_peek("room");

    g_assert_cmpstr(asked, ==, name);
    g_assert_cmpstr(room, ==, "1234");
}

/* Says that stream 77 goes to the track's port. */
static void
confirm(const Fixture *self, const char *track)
{
    g_autofree char *text = g_strdup_printf("{\"publisher_id\":5,\"forwarders\":[{\"stream_id\":77,"
                                            "\"host\":\"127.0.0.1\",\"port\":%u}]}",
                                            session_track_port(self->session, track));

    janus_desk_answer(text);
}

/* Until the publisher's sound is forwarded to `track`. */
static void
forward(Fixture *self, const char *track)
{
    list(self, "p1", AUDIO);
    assert_asked("listforwarders");
    janus_desk_answer("{\"publishers\":[]}");
    assert_asked("rtp_forward");
    confirm(self, track);
}

static void
assert_shown(const Fixture *self, const char *wanted)
{
    json_t *form = janus_publishers_to_json(self->publishers);
    char *text = json_dumps(form, JSON_COMPACT);

    if (strstr(text, wanted) == NULL)
        g_error("`%s` is not in: %s", wanted, text);
    free(text);
    json_decref(form);
}

static void
test_forwards_whom_the_session_names(Fixture *self, gconstpointer data)
{
    list(self, "p1", AUDIO);
    assert_shown(self, "\"participant\":\"p1\"");
    assert_asked("listforwarders");
    janus_desk_answer("{\"publishers\":[]}");

    assert_asked("rtp_forward");
    g_autofree char *streams = janus_desk_peek("streams");
    g_autofree char *publisher = janus_desk_peek("publisher_id");
    g_autofree char *port =
        g_strdup_printf("\"port\":%u", session_track_port(self->session, "p1-audio"));
    g_assert_cmpstr(publisher, ==, "5");
    g_assert_nonnull(strstr(streams, port));
    g_assert_nonnull(strstr(streams, "\"mid\":\"0\""));
    confirm(self, "p1-audio");
    assert_shown(self, "\"state\":\"forwarded\"");
}

/* Nobody may be recorded of whom the session knows nothing. */
static void
test_forwards_nobody_else(Fixture *self, gconstpointer data)
{
    list(self, "stranger", AUDIO "," VIDEO);
    g_assert_cmpuint(janus_desk_count(), ==, 0);
    assert_shown(self, "\"problem\":\"not-in-session\"");

    /* Nor who takes another name on the way. */
    forward(self, "p1-audio");
    list(self, "stranger", AUDIO);
    assert_asked("stop_rtp_forward");
    assert_shown(self, "\"problem\":\"not-in-session\"");
}

static void
test_a_pause_stops_and_a_resume_begins_again(Fixture *self, gconstpointer data)
{
    g_autoptr(GError) error = NULL;

    forward(self, "p1-audio");
    g_autofree char *there = g_strdup_printf("{\"publisher_id\":5,\"forwarders\":[{\"stream_id\":"
                                             "77,\"host\":\"127.0.0.1\",\"port\":%u}]}",
                                             session_track_port(self->session, "p1-audio"));
    g_assert_true(session_pause(self->session, "by-request", &error));
    janus_publishers_update(self->publishers);
    assert_asked("stop_rtp_forward");
    g_autofree char *stream = janus_desk_peek("stream_id");
    g_assert_cmpstr(stream, ==, "77");
    janus_desk_answer("{}");
    janus_publishers_update(self->publishers);
    g_assert_cmpuint(janus_desk_count(), ==, 0);
    assert_shown(self, "\"state\":\"waiting\"");

    /* Janus has not stopped it: whoever looks again asks again. */
    json_t *listed = json_loads(there, 0, NULL);
    janus_publishers_check(self->publishers, listed, g_get_monotonic_time());
    json_decref(listed);
    assert_asked("stop_rtp_forward");
    janus_desk_answer("{}");

    g_assert_true(session_resume(self->session, &error));
    janus_publishers_update(self->publishers);
    assert_asked("listforwarders");
}

/* Janus was asked, and then it may not be any more: what it then says is stopped at once. */
static void
test_a_pause_while_janus_is_asked_counts(Fixture *self, gconstpointer data)
{
    g_autoptr(GError) error = NULL;

    list(self, "p1", AUDIO);
    assert_asked("listforwarders");
    janus_desk_answer("{\"publishers\":[]}");
    assert_asked("rtp_forward");
    g_autofree char *answer = g_strdup_printf("{\"publisher_id\":5,\"forwarders\":[{\"stream_id\":"
                                              "77,\"host\":\"127.0.0.1\",\"port\":%u}]}",
                                              session_track_port(self->session, "p1-audio"));
    g_assert_true(session_pause(self->session, "by-request", &error));
    janus_desk_answer(answer);

    assert_asked("stop_rtp_forward");
}

/* The same for who leaves in between: nobody would know the stream afterwards. */
static void
test_who_leaves_while_janus_is_asked_is_stopped(Fixture *self, gconstpointer data)
{
    list(self, "p1", AUDIO);
    assert_asked("listforwarders");
    janus_desk_answer("{\"publishers\":[]}");
    assert_asked("rtp_forward");
    g_autofree char *answer = g_strdup_printf("{\"publisher_id\":5,\"forwarders\":[{\"stream_id\":"
                                              "77,\"host\":\"127.0.0.1\",\"port\":%u}]}",
                                              session_track_port(self->session, "p1-audio"));
    list(self, "p1", NULL);
    janus_desk_answer(answer);

    assert_asked("stop_rtp_forward");
}

/* A person who only turns off the camera stays, and what was forwarded ends. */
static void
test_what_is_disabled_is_not_forwarded(Fixture *self, gconstpointer data)
{
    static const char off[] =
        "{\"type\":\"audio\",\"mid\":\"0\",\"codec\":\"opus\",\"disabled\":true}";

    list(self, "p1", off);
    g_assert_cmpuint(janus_desk_count(), ==, 0);
    assert_shown(self, "\"streams\":[]");
    forward(self, "p1-audio");
    list(self, "p1", off);
    assert_asked("stop_rtp_forward");
    assert_shown(self, "\"streams\":[]");
}

static void
test_who_returns_gets_a_new_track(Fixture *self, gconstpointer data)
{
    forward(self, "p1-audio");
    list(self, "p1", NULL);
    assert_asked("stop_rtp_forward");
    janus_desk_answer("{}");
    g_assert_cmpuint(session_track_port(self->session, "p1-audio"), ==, 0);

    list(self, "p1", AUDIO);
    assert_asked("listforwarders");
    g_assert_true(session_has_track(self->session, "p1-audio-2"));
}

/* Sent there by a recorder that ended in between, to either port: it is stopped before they are
 * used. */
static void
test_stops_strangers_at_its_port(Fixture *self, gconstpointer data)
{
    list(self, "p1", AUDIO);
    assert_asked("listforwarders");
    const unsigned port = session_track_port(self->session, "p1-audio");
    g_autofree char *listed =
        g_strdup_printf("{\"publishers\":[{\"publisher_id\":9,\"forwarders\":["
                        "{\"stream_id\":3,\"host\":\"127.0.0.1\",\"port\":%u},"
                        "{\"stream_id\":4,\"host\":\"10.0.0.1\",\"port\":%u},"
                        "{\"stream_id\":6,\"host\":\"127.0.0.1\",\"port\":%u}]}]}",
                        port, port, port + 1U);
    janus_desk_answer(listed);

    assert_asked("stop_rtp_forward");
    g_autofree char *publisher = janus_desk_peek("publisher_id");
    g_autofree char *stream = janus_desk_peek("stream_id");
    g_assert_cmpstr(publisher, ==, "9");
    g_assert_cmpstr(stream, ==, "3");
    janus_desk_answer("{}");
    assert_asked("stop_rtp_forward");
    g_autofree char *other = janus_desk_peek("stream_id");
    g_assert_cmpstr(other, ==, "6");
    janus_desk_answer("{}");
    assert_asked("rtp_forward");
    g_assert_cmpuint(janus_desk_count(), ==, 1);
}

/* After Janus has lost it, with a new track, for its numbers begin anew. */
static void
test_what_janus_lost_begins_again(Fixture *self, gconstpointer data)
{
    json_t *there = json_loads("{\"publisher_id\":5,\"forwarders\":[{\"stream_id\":77}]}", 0, NULL);
    json_t *gone = json_loads("{\"publishers\":[]}", 0, NULL);

    forward(self, "p1-audio");
    janus_publishers_check(self->publishers, there, g_get_monotonic_time());
    g_assert_cmpuint(janus_desk_count(), ==, 0);
    janus_publishers_check(self->publishers, gone, 0); /* asked before it was forwarded */
    g_assert_cmpuint(janus_desk_count(), ==, 0);

    janus_publishers_check(self->publishers, gone, g_get_monotonic_time());
    assert_asked("stop_rtp_forward");
    g_assert_true(session_has_track(self->session, "p1-audio-2"));
    json_decref(there);
    json_decref(gone);
}

static void
test_waits_for_janus(Fixture *self, gconstpointer data)
{
    janus_desk_set_up(false);
    list(self, "p1", AUDIO);
    while (session_track_port(self->session, "p1-audio") == 0)
        g_main_context_iteration(NULL, TRUE);
    janus_publishers_update(self->publishers);
    g_assert_cmpuint(janus_desk_count(), ==, 0);

    janus_desk_set_up(true);
    janus_publishers_update(self->publishers);
    assert_asked("listforwarders");
}

/* What makes sense in a list is taken, whatever stands beside it. */
static void
test_nonsense_in_a_list_is_told(Fixture *self, gconstpointer data)
{
    static const char *const rows[] = {
        "{}",
        "[{}]",
        "[{\"id\":5}]",
        "[{\"id\":[5],\"streams\":[]}]",
        "[{\"id\":5,\"streams\":{}}]",
        "[7,{\"id\":6,\"display\":\"p1\",\"streams\":[]}]",
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        json_t *form = json_loads(rows[i], 0, NULL);

        g_assert_false(janus_publishers_take(self->publishers, form, false));
        json_decref(form);
    }
    assert_shown(self, "\"id\":6");
    janus_publishers_remove(self->publishers, json_object_get(NULL, "x"));
    janus_publishers_clear(self->publishers);
    json_t *shown = janus_publishers_to_json(self->publishers);
    g_assert_cmpuint(json_array_size(shown), ==, 0);
    json_decref(shown);
}

/* Who is there stays, where Janus says nonsense instead of all who are. */
static void
test_nonsense_puts_nobody_out(Fixture *self, gconstpointer data)
{
    json_t *nonsense = json_object();

    forward(self, "p1-audio");
    g_assert_false(janus_publishers_take(self->publishers, nonsense, true));
    assert_shown(self, "\"state\":\"forwarded\"");
    json_decref(nonsense);
}

static void
test_streams_are_bounded(Fixture *self, gconstpointer data)
{
    g_autoptr(GString) streams = g_string_new(NULL);

    for (int i = 0; i < 20; i++) {
        g_string_append_printf(streams, "%s{\"type\":\"audio\",\"mid\":\"%d\",\"codec\":\"opus\"}",
                               i == 0 ? "" : ",", i);
    }
    list(self, "p1", streams->str);
    assert_shown(self, "\"track\":\"p1-audio-16\"");
    g_assert_false(session_has_track(self->session, "p1-audio-17"));
}

static void
test_a_list_is_bounded(Fixture *self, gconstpointer data)
{
    json_t *form = json_array();

    for (int i = 0; i < 300; i++)
        json_array_append_new(form, json_pack("{s:i, s:[]}", "id", i, "streams"));
    g_assert_false(janus_publishers_take(self->publishers, form, true));
    json_t *shown = janus_publishers_to_json(self->publishers);

    g_assert_cmpuint(json_array_size(shown), ==, 256);
    json_decref(shown);
    json_decref(form);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
    recorder_fixture_start();
#define ADD(path, test)                                                                            \
    g_test_add("/janus_publishers/" path, Fixture, NULL, set_up, test, tear_down)
    ADD("forwards-whom-the-session-names", test_forwards_whom_the_session_names);
    ADD("forwards-nobody-else", test_forwards_nobody_else);
    ADD("a-pause-stops-and-a-resume-begins-again", test_a_pause_stops_and_a_resume_begins_again);
    ADD("a-pause-while-janus-is-asked-counts", test_a_pause_while_janus_is_asked_counts);
    ADD("who-leaves-while-janus-is-asked-is-stopped",
        test_who_leaves_while_janus_is_asked_is_stopped);
    ADD("what-is-disabled-is-not-forwarded", test_what_is_disabled_is_not_forwarded);
    ADD("who-returns-gets-a-new-track", test_who_returns_gets_a_new_track);
    ADD("stops-strangers-at-its-port", test_stops_strangers_at_its_port);
    ADD("what-janus-lost-begins-again", test_what_janus_lost_begins_again);
    ADD("waits-for-janus", test_waits_for_janus);
    ADD("nonsense-in-a-list-is-told", test_nonsense_in_a_list_is_told);
    ADD("nonsense-puts-nobody-out", test_nonsense_puts_nobody_out);
    ADD("streams-are-bounded", test_streams_are_bounded);
    ADD("a-list-is-bounded", test_a_list_is_bounded);
    return g_test_run();
}
