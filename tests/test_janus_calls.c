#include "agent/recorder/janus_calls.h"

#include <string.h>

/* Takes the place of janus_wire_post(): nothing is sent, and the test answers. The linker puts it
 * there (tests/meson.build). */
typedef struct {
    char *path, *transaction;
    HttpFetchFunc on_reply;
    void *user_data;
} Posted;

static Posted posted[4];
static unsigned n_posted;

void __wrap_janus_wire_post(JanusWire *self, const char *path, json_t *message,
                            HttpFetchFunc on_reply, void *user_data);

void
__wrap_janus_wire_post(JanusWire *self, const char *path, json_t *message, HttpFetchFunc on_reply,
                       void *user_data)
{
    const char *transaction = json_string_value(json_object_get(message, "transaction"));

    g_assert_cmpuint(n_posted, <, G_N_ELEMENTS(posted));
    g_assert_nonnull(transaction);
    posted[n_posted++] = (Posted){g_strdup(path), g_strdup(transaction), on_reply, user_data};
    json_decref(message);
}

/* A call's deadline comes soon here; `deadline` is the last. */
static guint deadline;

guint __wrap_g_timeout_add(guint interval_ms, GSourceFunc on_time, gpointer data);

guint
__wrap_g_timeout_add(guint interval_ms, GSourceFunc on_time, gpointer data)
{
    g_assert_cmpuint(interval_ms, ==, 5000);
    return deadline = g_timeout_add_full(G_PRIORITY_DEFAULT, 1, on_time, data, NULL);
}

/* What the callback was told. */
typedef struct {
    unsigned n_answers;
    char *text;
    GError *error;
} Answer;

typedef struct {
    JanusCalls *calls;
    Answer answer;
} Fixture;

static void
take_answer(const json_t *answer, const GError *error, void *user_data)
{
    Answer *self = user_data;

    self->n_answers++;
    self->text = answer != NULL ? json_dumps(answer, JSON_SORT_KEYS) : NULL;
    self->error = error != NULL ? g_error_copy(error) : NULL;
}

static void
send_one(Fixture *self)
{
    janus_calls_send(self->calls, NULL,
                     &(JanusCall){.path = "1/2",
                                  .message = json_pack("{s:s}", "janus", "message"),
                                  .on_answer = take_answer,
                                  .user_data = &self->answer});
}

static void
set_up(Fixture *self, gconstpointer data)
{
    n_posted = 0;
    self->calls = janus_calls_new();
    send_one(self);
    g_assert_cmpuint(n_posted, ==, 1);
    g_assert_cmpstr(posted[0].path, ==, "1/2");
    g_assert_cmpuint(self->answer.n_answers, ==, 0);
}

static void
tear_down(Fixture *self, gconstpointer data)
{
    g_assert_cmpuint(self->answer.n_answers, ==, 1);
    g_assert_cmpuint(janus_calls_count(self->calls), ==, 0);
    janus_calls_free(self->calls);
    free(self->answer.text);
    g_clear_error(&self->answer.error);
    for (unsigned i = 0; i < n_posted; i++) {
        g_free(posted[i].path);
        g_free(posted[i].transaction);
    }
}

/* Janus' HTTP reply to the call: of this kind, with its transaction or another. */
static void
reply(const char *kind, const char *transaction)
{
    json_t *form = json_pack("{s:s, s:s}", "janus", kind, "transaction", transaction);

    posted[0].on_reply(form, NULL, posted[0].user_data);
    json_decref(form);
}

static bool
give_event(const Fixture *self, const char *transaction)
{
    json_t *event = json_pack("{s:s, s:s*}", "janus", "event", "transaction", transaction);
    const bool is_taken = janus_calls_take_event(self->calls, event);

    json_decref(event);
    return is_taken;
}

static void
test_a_reply_answers(Fixture *self, gconstpointer data)
{
    reply("success", posted[0].transaction);

    g_assert_no_error(self->answer.error);
    g_assert_nonnull(strstr(self->answer.text, "success"));
    g_assert_false(give_event(self, posted[0].transaction));
}

static void
test_an_acknowledgement_waits_for_its_event(Fixture *self, gconstpointer data)
{
    reply("ack", posted[0].transaction);
    g_assert_cmpuint(self->answer.n_answers, ==, 0);
    g_assert_false(give_event(self, "sealtape-99"));
    g_assert_false(give_event(self, NULL));

    g_assert_true(give_event(self, posted[0].transaction));
    g_assert_nonnull(strstr(self->answer.text, "event"));
    g_assert_null(g_main_context_find_source_by_id(NULL, deadline));
}

static void
test_an_acknowledgement_alone_is_a_fault(Fixture *self, gconstpointer data)
{
    reply("ack", posted[0].transaction);
    while (self->answer.n_answers == 0)
        g_main_context_iteration(NULL, TRUE);

    g_assert_error(self->answer.error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
    g_assert_false(give_event(self, posted[0].transaction));
}

static void
test_an_acknowledgement_to_somebody_else_is_a_fault(Fixture *self, gconstpointer data)
{
    reply("ack", "sealtape-99");
    g_assert_error(self->answer.error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA);
}

/* The long poll may bring it before the reply to the message itself is here. */
static void
test_an_event_may_come_before_its_acknowledgement(Fixture *self, gconstpointer data)
{
    g_assert_true(give_event(self, posted[0].transaction));
    g_assert_cmpuint(self->answer.n_answers, ==, 1);

    reply("ack", posted[0].transaction);
}

static void
test_a_reply_to_somebody_else_is_a_fault(Fixture *self, gconstpointer data)
{
    reply("success", "sealtape-99");

    g_assert_nonnull(self->answer.error);
    g_assert_null(self->answer.text);
}

static void
test_a_broken_line_is_told(Fixture *self, gconstpointer data)
{
    g_autoptr(GError) error = g_error_new_literal(G_IO_ERROR, G_IO_ERROR_CONNECTION_REFUSED, "no");

    posted[0].on_reply(NULL, error, posted[0].user_data);

    g_assert_error(self->answer.error, G_IO_ERROR, G_IO_ERROR_CONNECTION_REFUSED);
}

/* Janus is given up while a reply is still under way; that comes later and finds nobody. */
static void
test_what_fails_is_told_once(Fixture *self, gconstpointer data)
{
    janus_calls_fail(self->calls, "Janus is gone");
    g_assert_error(self->answer.error, G_IO_ERROR, G_IO_ERROR_CLOSED);
    g_assert_cmpuint(janus_calls_count(self->calls), ==, 0);

    reply("success", posted[0].transaction);
}

/* Two calls never share a name, so that an answer finds its own. */
static void
test_each_has_a_transaction_of_its_own(Fixture *self, gconstpointer data)
{
    Fixture other = {.calls = self->calls};

    send_one(&other);
    g_assert_cmpstr(posted[0].transaction, !=, posted[1].transaction);
    g_assert_true(give_event(self, posted[1].transaction));
    g_assert_cmpuint(other.answer.n_answers, ==, 1);
    g_assert_cmpuint(self->answer.n_answers, ==, 0);
    posted[1].on_reply(NULL, NULL, posted[1].user_data);

    reply("success", posted[0].transaction);
    free(other.answer.text);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(path, test) g_test_add("/janus_calls/" path, Fixture, NULL, set_up, test, tear_down)
    ADD("a-reply-answers", test_a_reply_answers);
    ADD("an-acknowledgement-waits-for-its-event", test_an_acknowledgement_waits_for_its_event);
    ADD("an-acknowledgement-alone-is-a-fault", test_an_acknowledgement_alone_is_a_fault);
    ADD("an-acknowledgement-to-somebody-else-is-a-fault",
        test_an_acknowledgement_to_somebody_else_is_a_fault);
    ADD("an-event-may-come-before-its-acknowledgement",
        test_an_event_may_come_before_its_acknowledgement);
    ADD("a-reply-to-somebody-else-is-a-fault", test_a_reply_to_somebody_else_is_a_fault);
    ADD("a-broken-line-is-told", test_a_broken_line_is_told);
    ADD("what-fails-is-told-once", test_what_fails_is_told_once);
    ADD("each-has-a-transaction-of-its-own", test_each_has_a_transaction_of_its_own);
    return g_test_run();
}
