#include "agent/recorder/janus_client.h"
#include "agent/recorder/janus_wire.h"
#include "tests/fakes/janus_fake.h"
#include "tests/fakes/recorder_fixture.h"

#include <gio/gio.h>
#include <string.h>

/* A client, the Janus that it talks to, and what it told its owner. */
typedef struct {
    JanusFake *janus;
    JanusClient *client;
    unsigned n_up, n_down, n_closed, n_answers;
    GString *events;      /* data of the events, as text */
    char *problem;        /* the last */
    char *answer;         /* the last, as text; NULL: an error */
    GError *answer_error; /* the last */
} Fixture;

static void
on_up(void *user_data)
{
    ((Fixture *) user_data)->n_up++;
}

static void
on_down(const char *problem, void *user_data)
{
    Fixture *self = user_data;

    self->n_down++;
    g_free(self->problem);
    self->problem = g_strdup(problem);
}

static void
on_event(const json_t *data, void *user_data)
{
    char *text = json_dumps(data, JSON_COMPACT);

    g_string_append(((Fixture *) user_data)->events, text);
    free(text);
}

static void
on_closed(void *user_data)
{
    ((Fixture *) user_data)->n_closed++;
}

static void
on_answer(const json_t *data, const GError *error, void *user_data)
{
    Fixture *self = user_data;
    char *text = data != NULL ? json_dumps(data, JSON_COMPACT) : NULL;

    g_assert_true((data == NULL) != (error == NULL));
    self->n_answers++;
    g_free(self->answer);
    self->answer = g_strdup(text);
    free(text);
    g_clear_error(&self->answer_error);
    self->answer_error = error != NULL ? g_error_copy(error) : NULL;
}

static void
set_up(Fixture *self, gconstpointer data)
{
    *self = (Fixture){.janus = janus_fake_new(), .events = g_string_new(NULL)};
}

static void
tear_down(Fixture *self, gconstpointer data)
{
    janus_client_free(self->client);
    janus_fake_free(self->janus);
    g_string_free(self->events, TRUE);
    g_free(self->problem);
    g_free(self->answer);
    g_clear_error(&self->answer_error);
}

static void
connect_client(Fixture *self, const char *api_secret)
{
    self->client = janus_client_new(&(JanusClientOptions){
        .url = janus_fake_url(self->janus),
        .api_secret = api_secret,
        .on_up = on_up,
        .on_down = on_down,
        .on_event = on_event,
        .on_closed = on_closed,
        .user_data = self,
    });
}

static bool
is_there(void *data)
{
    return *(const unsigned *) data > 0;
}

/* Until `counter` is not 0, which it is again then. */
static void
wait_for(unsigned *counter)
{
    recorder_fixture_until(is_there, counter);
    *counter = 0;
}

static bool
is_polling(void *data)
{
    const Fixture *self = data;

    return janus_fake_count(self->janus, "poll") > 0;
}

static void
come_up(Fixture *self)
{
    connect_client(self, NULL);
    wait_for(&self->n_up);
    recorder_fixture_until(is_polling, self);
    g_assert_true(janus_client_is_up(self->client));
}

static void
ask(Fixture *self, const char *request)
{
    janus_client_ask(self->client, json_pack("{s:s}", "request", request), on_answer, self);
}

static void
test_makes_a_handle_and_asks_with_it(Fixture *self, gconstpointer data)
{
    g_autofree char *plugin = NULL;
    g_autofree char *secret = NULL;
    g_autofree char *polled_with = NULL;

    connect_client(self, "open sesame");
    g_assert_false(janus_client_is_up(self->client));
    wait_for(&self->n_up);
    plugin = janus_fake_last(self->janus, "attach", "plugin");
    secret = janus_fake_last(self->janus, "attach", "apisecret");
    g_assert_cmpstr(plugin, ==, "janus.plugin.videoroom");
    g_assert_cmpstr(secret, ==, "open sesame");

    ask(self, "list");
    wait_for(&self->n_answers);
    polled_with = janus_fake_last(self->janus, "poll", "apisecret");
    g_assert_cmpstr(polled_with, ==, "open sesame");
    g_assert_cmpstr(self->answer, ==, "{\"videoroom\":\"success\"}");
    g_assert_cmpuint(self->n_down, ==, 0);
}

/* As joining a room is answered: acknowledged, and then an event, which is nobody else's. */
static void
test_waits_for_the_event_behind_an_acknowledgement(Fixture *self, gconstpointer data)
{
    janus_fake_answer_late(self->janus, "join", "{\"videoroom\":\"joined\",\"publishers\":[]}");
    come_up(self);

    ask(self, "join");
    wait_for(&self->n_answers);
    g_assert_nonnull(strstr(self->answer, "\"joined\""));
    janus_fake_tell(self->janus, "{\"videoroom\":\"event\",\"leaving\":5}", false);
    while (self->events->len == 0)
        g_main_context_iteration(NULL, TRUE);
    g_assert_cmpstr(self->events->str, ==, "{\"videoroom\":\"event\",\"leaving\":5}");
}

/* A refusal of the plugin is an answer; the connection goes on. */
static void
test_a_refusal_of_the_plugin_is_an_answer(Fixture *self, gconstpointer data)
{
    janus_fake_script(self->janus, "join",
                      "{\"janus\":\"success\",\"transaction\":\"%T\",\"sender\":%H,\"plugindata\":"
                      "{\"plugin\":\"janus.plugin.videoroom\",\"data\":{\"videoroom\":\"event\","
                      "\"error_code\":426,\"error\":\"No such room\"}}}");
    come_up(self);

    ask(self, "join");
    wait_for(&self->n_answers);
    g_assert_error(self->answer_error, JANUS_ERROR, 426);
    g_assert_nonnull(strstr(self->answer_error->message, "No such room"));
    g_assert_true(janus_client_is_up(self->client));
    g_assert_cmpuint(self->n_down, ==, 0);
}

/* What no Janus says: to what, what, and what is told. */
typedef struct {
    const char *name, *word, *text, *problem;
} Nonsense;

static const Nonsense nonsense[] = {
    {"no-json",              "create", "<html>",                                              "JSON"                      },
    {"half-json",            "attach", "{\"janus\":\"succ",                                   "JSON"                      },
    {"empty",                "create", "",                                                    ""                          },
    {"no-id",                "create", "{\"janus\":\"success\",\"transaction\":\"%T\"}",      "without an id"             },
    {"an-id-of-text",        "attach",
     "{\"janus\":\"success\",\"transaction\":\"%T\",\"data\":{\"id\":\"7\"}}",                "without an id"             },
    {"a-negative-id",        "create",
     "{\"janus\":\"success\",\"transaction\":\"%T\",\"data\":{\"id\":-7}}",                   "without an id"             },
    {"anothers-transaction", "attach",
     "{\"janus\":\"success\",\"transaction\":\"other\",\"data\":{\"id\":7}}",                 "a transaction nobody began"},
    {"a-refusal",            "create",
     "{\"janus\":\"error\",\"transaction\":\"%T\",\"error\":{\"code\":403,\"reason\":"
     "\"Unauthorized request\"}}",                                                            "Unauthorized request"      },
    {"an-event-of-nothing",  "poll",   "[{}]",                                                "an event without \"janus\""},
    {"no-events",            "poll",   "[]",                                                  "an event without \"janus\""},
    {"an-ended-session",     "poll",   "[{\"janus\":\"timeout\",\"session_id\":5273017381}]",
     "ended our session"                                                                                                  },
};

static void
test_nonsense_ends_the_connection(Fixture *self, gconstpointer data)
{
    const Nonsense *row = data;

    janus_fake_script(self->janus, row->word, row->text);
    connect_client(self, NULL);
    wait_for(&self->n_down);
    g_assert_nonnull(strstr(self->problem, row->problem));
    g_assert_false(janus_client_is_up(self->client));
}

/* It is well again as soon as Janus is. */
static void
test_sense_begins_another(Fixture *self, gconstpointer data)
{
    janus_fake_script(self->janus, "attach", "{\"janus\":\"succ");
    connect_client(self, NULL);
    wait_for(&self->n_down);
    janus_fake_script(self->janus, "attach", NULL);
    wait_for(&self->n_up);
    ask(self, "list");
    wait_for(&self->n_answers);
    g_assert_no_error(self->answer_error);
    g_assert_cmpuint(self->n_down, ==, 0);
}

/* Its own session and handle are gone with Janus: what waits is told, and all is made anew. */
static void
test_survives_a_restart_of_janus(Fixture *self, gconstpointer data)
{
    come_up(self);
    janus_fake_hang(self->janus, "list");
    ask(self, "list");
    while (janus_fake_count(self->janus, "list") == 0)
        g_main_context_iteration(NULL, TRUE);
    janus_fake_stop(self->janus);
    wait_for(&self->n_answers);
    g_assert_nonnull(self->answer_error);
    recorder_fixture_until(is_there, &self->n_down);
    ask(self, "list");
    wait_for(&self->n_answers);
    g_assert_error(self->answer_error, G_IO_ERROR, G_IO_ERROR_CLOSED);

    janus_fake_script(self->janus, "list", NULL);
    janus_fake_start(self->janus);
    wait_for(&self->n_up);
    g_assert_cmpuint(janus_fake_count(self->janus, "create"), ==, 2);
    ask(self, "list");
    wait_for(&self->n_answers);
    g_assert_no_error(self->answer_error);
}

/* The one test here that waits for a deadline, five seconds. */
static void
test_a_janus_that_hangs_is_given_up(Fixture *self, gconstpointer data)
{
    janus_fake_hang(self->janus, "attach");
    connect_client(self, NULL);
    wait_for(&self->n_down);
    g_assert_cmpuint(self->n_up, ==, 0);

    janus_fake_script(self->janus, "attach", NULL);
    wait_for(&self->n_up);
}

/* One that has much to say of nobody we know is not asked in a circle. */
static void
test_foreign_events_are_passed_over(Fixture *self, gconstpointer data)
{
    janus_fake_script(self->janus, "poll",
                      "[{\"janus\":\"event\",\"sender\":1,\"plugindata\":"
                      "{\"data\":{\"videoroom\":\"destroyed\"}}}]");
    come_up(self);
    ask(self, "list");
    wait_for(&self->n_answers);
    g_assert_cmpuint(janus_fake_count(self->janus, "poll"), <=, 2);
    g_assert_cmpuint(self->events->len, ==, 0);
    g_assert_cmpuint(self->n_down, ==, 0);
}

static void
test_closing_waits_for_answers_and_gives_the_session_back(Fixture *self, gconstpointer data)
{
    come_up(self);
    ask(self, "list");
    janus_client_close(self->client);
    g_assert_cmpuint(self->n_closed, ==, 0);
    wait_for(&self->n_closed);
    g_assert_cmpuint(self->n_answers, ==, 1);
    g_assert_cmpuint(janus_fake_count(self->janus, "destroy"), ==, 1);
    g_assert_cmpuint(self->n_down, ==, 0);
    janus_client_close(self->client);
    g_assert_cmpuint(self->n_closed, ==, 0);
}

/* Whoever closes while Janus is away need not wait for it. */
static void
test_closing_without_a_janus_is_done_at_once(Fixture *self, gconstpointer data)
{
    janus_fake_stop(self->janus);
    connect_client(self, NULL);
    wait_for(&self->n_down);
    janus_client_close(self->client);
    g_assert_cmpuint(self->n_closed, ==, 1);
}

/* Every answer is told, if only that there is none. */
static void
test_freeing_tells_what_is_under_way(Fixture *self, gconstpointer data)
{
    come_up(self);
    janus_fake_hang(self->janus, "list");
    ask(self, "list");
    g_clear_pointer(&self->client, janus_client_free);
    g_assert_cmpuint(self->n_answers, ==, 1);
    g_assert_error(self->answer_error, G_IO_ERROR, G_IO_ERROR_CLOSED);
    g_assert_cmpuint(self->n_closed, ==, 0);
    while (g_main_context_iteration(NULL, FALSE))
        continue;
}

static void
test_its_owner_can_begin_anew(Fixture *self, gconstpointer data)
{
    come_up(self);
    janus_client_restart(self->client, "nobody says who is in the room");
    g_assert_cmpstr(self->problem, ==, "nobody says who is in the room");
    g_assert_false(janus_client_is_up(self->client));
    wait_for(&self->n_up);
    g_assert_cmpuint(janus_fake_count(self->janus, "attach"), ==, 2);
}

#define ADD(name, function)                                                                        \
    g_test_add("/janus-client/" name, Fixture, NULL, set_up, function, tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
    ADD("makes-a-handle-and-asks-with-it", test_makes_a_handle_and_asks_with_it);
    ADD("waits-for-the-event-behind-an-acknowledgement",
        test_waits_for_the_event_behind_an_acknowledgement);
    ADD("a-refusal-of-the-plugin-is-an-answer", test_a_refusal_of_the_plugin_is_an_answer);
    for (size_t i = 0; i < G_N_ELEMENTS(nonsense); i++) {
        g_autofree char *path = g_strconcat("/janus-client/nonsense/", nonsense[i].name, NULL);

        g_test_add(path, Fixture, &nonsense[i], set_up, test_nonsense_ends_the_connection,
                   tear_down);
    }
    ADD("sense-begins-another", test_sense_begins_another);
    ADD("survives-a-restart-of-janus", test_survives_a_restart_of_janus);
    ADD("a-janus-that-hangs-is-given-up", test_a_janus_that_hangs_is_given_up);
    ADD("foreign-events-are-passed-over", test_foreign_events_are_passed_over);
    ADD("closing-waits-for-answers-and-gives-the-session-back",
        test_closing_waits_for_answers_and_gives_the_session_back);
    ADD("closing-without-a-janus-is-done-at-once", test_closing_without_a_janus_is_done_at_once);
    ADD("freeing-tells-what-is-under-way", test_freeing_tells_what_is_under_way);
    ADD("its-owner-can-begin-anew", test_its_owner_can_begin_anew);
    return g_test_run();
}
