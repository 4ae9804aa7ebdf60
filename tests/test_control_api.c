#include "agent/recorder/control_api.h"
#include "tests/fakes/http_fixture.h"
#include "tests/fakes/recorder_fixture.h"

#include <string.h>

typedef struct {
    RecorderFixture *recorder;
    HttpService *service;
    const char *path;
} Fixture;

static void
set_up(Fixture *self, gconstpointer data)
{
    g_autoptr(GError) error = NULL;

    self->recorder = recorder_fixture_new("    max_session_participants = 2;");
    self->path = self->recorder->settings->socket_path;
    self->service = control_api_new(self->recorder->recorder, self->path, &error);
    g_assert_no_error(error);
}

static void
tear_down(Fixture *self, gconstpointer data)
{
    http_service_free(self->service);
    recorder_fixture_free(self->recorder);
}

static char *
post(const Fixture *self, const char *target, const char *body)
{
    return http_fixture_post(self->path, target, "application/json", body);
}

static char *
session_form(const char *consents)
{
    return g_strdup_printf(
        "{\"org\":\"clinic-a\",\"reference\":\"visit-4711\",\"participants\":["
        "{\"id\":\"p1\",\"role\":\"provider\",\"consents\":" RECORDER_FIXTURE_CONSENTS
        "},{\"id\":\"p2\",\"role\":\"client\",\"consents\":%s}],\"tracks\":"
        "[" RECORDER_FIXTURE_TRACK("p1-audio", "p1") "]}",
        consents);
}

/* Returns: the path of a session that records, owned. */
static char *
begin(const Fixture *self)
{
    g_autofree char *form = session_form(RECORDER_FIXTURE_CONSENTS);
    g_autofree char *answer = post(self, "/v1/sessions", form);
    g_autoptr(GPtrArray) sessions = recorder_sessions(self->recorder->recorder);

    http_fixture_status(answer, 201);
    g_assert_cmpuint(sessions->len, ==, 1);
    return g_strconcat("/v1/sessions/", session_id(g_ptr_array_index(sessions, 0)), NULL);
}

static void
test_a_session_from_begin_to_end(Fixture *self, gconstpointer data)
{
    g_autofree char *path = begin(self);
    g_autofree char *stop = g_strconcat(path, "/stop", NULL);
    g_autofree char *shown = http_fixture_ask(self->path, "GET", path);
    g_autofree char *all = http_fixture_ask(self->path, "GET", "/v1/sessions");

    http_fixture_status(shown, 200);
    http_fixture_contains(shown, "\"state\":\"recording\"");
    http_fixture_contains(shown, "\"kernel_dropped\":0");
    http_fixture_contains(all, "\"sessions\":[{");

    g_autofree char *stopped = post(self, stop, "{}");
    g_autofree char *again = post(self, stop, "{}");
    http_fixture_status(stopped, 200);
    http_fixture_status(again, 200);
    http_fixture_contains(stopped, "\"state\":\"finalising\"");
}

static void
test_a_refusal_says_why_and_by_whom(Fixture *self, gconstpointer data)
{
    g_autofree char *form =
        session_form("[" RECORDER_FIXTURE_CONSENT("record-audio", "refused") "]");
    g_autofree char *answer = post(self, "/v1/sessions", form);

    http_fixture_problem(answer, 403, "recording is not permitted");
    http_fixture_contains(answer, "\"reason\":\"consent-refused\"");
    http_fixture_contains(answer, "p2");
}

/* The same for a track of a session that records other things. */
static void
test_a_refused_track_says_why(Fixture *self, gconstpointer data)
{
    g_autofree char *form =
        session_form("[" RECORDER_FIXTURE_CONSENT("record-audio", "granted") "]");
    g_autofree char *begun = post(self, "/v1/sessions", form);
    g_autoptr(GPtrArray) sessions = recorder_sessions(self->recorder->recorder);
    g_autofree char *tracks =
        g_strconcat("/v1/sessions/", session_id(g_ptr_array_index(sessions, 0)), "/tracks", NULL);
    g_autofree char *answer =
        post(self, tracks,
             "{\"id\":\"p1-video\",\"participant\":\"p1\",\"kind\":\"video\",\"codec\":\"vp8\","
             "\"payload_type\":96,\"clock_rate\":90000}");

    http_fixture_status(begun, 201);
    http_fixture_problem(answer, 403, "recording is not permitted");
    http_fixture_contains(answer, "\"reason\":\"consent-missing\"");
}

/* Each is answered with the status of its fault, and nothing is changed by it. */
static void
test_bad_requests_change_nothing(Fixture *self, gconstpointer data)
{
    static const char again[] = RECORDER_FIXTURE_TRACK("p1-audio", "p1");
    static const char of_nobody[] = RECORDER_FIXTURE_TRACK("p9-audio", "p9");
    static const char third[] = "{\"id\":\"p3\",\"role\":\"client\",\"consents\":[]}";
    static const struct {
        const char *below, *body;
        unsigned status;
        const char *detail;
    } rows[] = {
        {"/tracks",       again,                      409, "already"     },
        {"/tracks",       of_nobody,                  422, "participant" },
        {"/tracks",       "{}",                       422, "id"          },
        {"/tracks",       "[]",                       400, "object"      },
        {"/participants", third,                      429, "participants"},
        {"/consents",     "{\"participant\":\"p1\"}", 422, "purpose"     },
        {"/pause",        "{\"reason\":7}",           422, "reason"      },
        {"/pause",        "{\"reason\":\"Not One\"}", 422, "reason"      },
        {"/pause",        "{\"reason\":null}",        422, "reason"      },
    };
    g_autofree char *path = begin(self);
    g_autofree char *before = http_fixture_ask(self->path, "GET", path);

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *target = g_strconcat(path, rows[i].below, NULL);
        g_autofree char *answer = post(self, target, rows[i].body);

        g_test_message("%s %s", rows[i].below, rows[i].body);
        http_fixture_problem(answer, rows[i].status, rows[i].detail);
    }
    g_autofree char *after = http_fixture_ask(self->path, "GET", path);
    g_assert_cmpstr(strstr(before, "\"participants\""), ==, strstr(after, "\"participants\""));
    http_fixture_contains(after, "\"state\":\"recording\"");
}

static void
test_nobody_knows_other_sessions(Fixture *self, gconstpointer data)
{
    static const char *const below[] = {"/tracks", "/participants", "/consents",
                                        "/pause",  "/resume",       "/stop"};

    for (size_t i = 0; i < G_N_ELEMENTS(below); i++) {
        g_autofree char *target = g_strconcat("/v1/sessions/none", below[i], NULL);
        g_autofree char *answer = post(self, target, "{}");

        http_fixture_problem(answer, 404, "there is no such session");
    }
    g_autofree char *shown = http_fixture_ask(self->path, "GET", "/v1/sessions/none");
    g_autofree char *left =
        http_fixture_ask(self->path, "DELETE", "/v1/sessions/none/participants/p1");
    http_fixture_problem(shown, 404, "there is no such session");
    http_fixture_problem(left, 404, "there is no such session");
}

static void
test_a_pause_without_a_reason_is_by_request(Fixture *self, gconstpointer data)
{
    g_autofree char *path = begin(self);
    g_autofree char *pause = g_strconcat(path, "/pause", NULL);
    g_autofree char *resume = g_strconcat(path, "/resume", NULL);
    g_autofree char *paused = post(self, pause, "{}");
    g_autofree char *resumed = post(self, resume, "{}");

    http_fixture_status(paused, 200);
    http_fixture_contains(paused, "\"state\":\"paused\"");
    http_fixture_contains(paused, "\"by-request\"");
    http_fixture_status(resumed, 200);
    http_fixture_contains(resumed, "\"state\":\"recording\"");
}

static void
test_who_leaves_is_gone(Fixture *self, gconstpointer data)
{
    g_autofree char *path = begin(self);
    g_autofree char *person = g_strconcat(path, "/participants/p2", NULL);
    g_autofree char *gone = http_fixture_ask(self->path, "DELETE", person);
    g_autofree char *again = http_fixture_ask(self->path, "DELETE", person);

    http_fixture_status(gone, 200);
    http_fixture_problem(again, 422, "there is no participant");
}

static void
test_tells_how_it_is(Fixture *self, gconstpointer data)
{
    g_autofree char *path = begin(self);
    g_autofree char *health = http_fixture_ask(self->path, "GET", "/healthz");
    g_autofree char *ready = http_fixture_ask(self->path, "GET", "/readyz");
    g_autofree char *metrics = http_fixture_ask(self->path, "GET", "/metrics");

    http_fixture_status(health, 200);
    http_fixture_status(ready, 200);
    http_fixture_contains(ready, "\"status\":\"ready\"");
    http_fixture_contains(metrics, "Content-Type: text/plain; version=0.0.4\r\n");
    http_fixture_contains(metrics, "\nsealtape_tracks 1\n");
    http_fixture_contains(metrics, "\nsealtape_heap_used_bytes ");
    /* Ids of sessions and people are no metrics. */
    g_assert_null(strstr(metrics, path + strlen("/v1/sessions/")));
}

static void
on_stopped(void *user_data)
{
}

static void
test_begins_nothing_while_it_stops(Fixture *self, gconstpointer data)
{
    g_autofree char *path = begin(self);
    g_autofree char *tracks = g_strconcat(path, "/tracks", NULL);
    g_autofree char *form = session_form(RECORDER_FIXTURE_CONSENTS);

    recorder_stop(self->recorder->recorder, on_stopped, NULL);
    g_autofree char *session = post(self, "/v1/sessions", form);
    g_autofree char *track = post(self, tracks, RECORDER_FIXTURE_TRACK("late", "p1"));
    g_autofree char *ready = http_fixture_ask(self->path, "GET", "/readyz");

    http_fixture_problem(session, 503, "the recorder is stopping");
    http_fixture_problem(track, 503, "the recorder is stopping");
    http_fixture_problem(ready, 503, "the recorder is stopping");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
    recorder_fixture_start();
#define ADD(path, test) g_test_add("/control_api/" path, Fixture, NULL, set_up, test, tear_down)
    ADD("a-session-from-begin-to-end", test_a_session_from_begin_to_end);
    ADD("a-refusal-says-why-and-by-whom", test_a_refusal_says_why_and_by_whom);
    ADD("a-refused-track-says-why", test_a_refused_track_says_why);
    ADD("bad-requests-change-nothing", test_bad_requests_change_nothing);
    ADD("nobody-knows-other-sessions", test_nobody_knows_other_sessions);
    ADD("a-pause-without-a-reason-is-by-request", test_a_pause_without_a_reason_is_by_request);
    ADD("who-leaves-is-gone", test_who_leaves_is_gone);
    ADD("tells-how-it-is", test_tells_how_it_is);
    ADD("begins-nothing-while-it-stops", test_begins_nothing_while_it_stops);
    return g_test_run();
}
