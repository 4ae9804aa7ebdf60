#include "agent/recorder/janus_client.h"

#include "agent/recorder/janus_calls.h"

#include <string.h>

/* The order of a connection: create a session, attach to the plugin, long poll for events, ask.
 * Whatever breaks that order ends the connection, and all that waits for it; the next one is
 * another `epoch`. */

#define PLUGIN        "janus.plugin.videoroom"
#define IDLE_POLL_MS  500
#define FIRST_WAIT_MS 500
#define LAST_WAIT_MS  10000

typedef enum {
    CLIENT_DOWN,
    CLIENT_CONNECTING,
    CLIENT_UP,
    CLIENT_CLOSED,
} ClientState;

struct JanusClient {
    unsigned n_refs; /* its owner's, and one for each request and poll under way */
    JanusClientOptions options;
    char *url, *ca_path, *api_secret;
    JanusCalls *calls;
    JanusWire *wire; /* of this connection */
    ClientState state;
    unsigned epoch;
    json_int_t session, handle;
    bool is_closing;
    guint timer; /* of the next attempt, or the next poll */
    unsigned wait_ms;
};

/* A request of the owner. */
typedef struct {
    JanusClient *client;
    JanusAnswerFunc on_answer;
    void *user_data;
} Ask;

typedef struct {
    JanusClient *client;
    unsigned epoch;
} Poll;

static void poll_events(JanusClient *self);

static void
unref(JanusClient *self)
{
    if (--self->n_refs > 0)
        return;
    janus_calls_free(self->calls);
    g_free(self->url);
    g_free(self->ca_path);
    g_free(self->api_secret);
    g_free(self);
}

static void
clear_timer(JanusClient *self)
{
    if (self->timer != 0)
        g_source_remove(self->timer);
    self->timer = 0;
}

/* Ends the connection, and all that waits for it. */
static void
disconnect(JanusClient *self, ClientState state, const char *problem)
{
    self->state = state;
    self->epoch++;
    clear_timer(self);
    g_clear_pointer(&self->wire, janus_wire_free);
    janus_calls_fail(self->calls, problem);
}

static void
finish_closing(JanusClient *self)
{
    if (self->state == CLIENT_CLOSED)
        return;
    disconnect(self, CLIENT_CLOSED, "the connection to Janus was closed");
    self->options.on_closed(self->options.user_data);
}

static gboolean on_try_again(gpointer data);

/* Ends the connection, tells why, and plans the next. */
static void
go_down(JanusClient *self, const char *problem)
{
    if (self->state == CLIENT_DOWN || self->state == CLIENT_CLOSED)
        return;
    self->n_refs++;
    disconnect(self, CLIENT_DOWN, problem);
    if (self->is_closing) {
        finish_closing(self);
    } else if (self->state == CLIENT_DOWN) {
        self->timer = g_timeout_add(self->wait_ms, on_try_again, self);
        self->wait_ms = MIN(self->wait_ms * 2, LAST_WAIT_MS);
        self->options.on_down(problem, self->options.user_data);
    }
    unref(self);
}

/* Returns: data.id of an answer, positive; 0 where there is none, and the connection has ended. */
static json_int_t
take_id(JanusClient *self, const json_t *answer, const GError *error)
{
    const json_int_t id =
        json_integer_value(json_object_get(json_object_get(answer, "data"), "id"));

    if (error != NULL) {
        go_down(self, error->message);
    } else if (id <= 0) {
        go_down(self, "Janus talks nonsense: an answer without an id");
    }
    return error == NULL ? MAX(id, 0) : 0;
}

static void
on_attached(const json_t *answer, const GError *error, void *user_data)
{
    JanusClient *self = user_data;

    self->handle = take_id(self, answer, error);
    if (self->handle != 0) {
        self->state = CLIENT_UP;
        poll_events(self);
        self->options.on_up(self->options.user_data);
    }
    unref(self);
}

static void
on_created(const json_t *answer, const GError *error, void *user_data)
{
    JanusClient *self = user_data;
    g_autofree char *path = NULL;

    self->session = take_id(self, answer, error);
    if (self->session == 0) {
        unref(self);
        return;
    }
    path = g_strdup_printf("/%" JSON_INTEGER_FORMAT, self->session);
    janus_calls_send(self->calls, self->wire,
                     &(JanusCall){path,
                                  json_pack("{s:s, s:s}", "janus", "attach", "plugin", PLUGIN),
                                  on_attached, self});
}

static void
connect_again(JanusClient *self)
{
    g_autoptr(GError) error = NULL;

    self->state = CLIENT_CONNECTING;
    self->wire = janus_wire_new(self->url, self->ca_path, self->api_secret, &error);
    if (self->wire == NULL) {
        go_down(self, error->message);
        return;
    }
    self->n_refs++;
    janus_calls_send(self->calls, self->wire,
                     &(JanusCall){"", json_pack("{s:s}", "janus", "create"), on_created, self});
}

static gboolean
on_try_again(gpointer data)
{
    JanusClient *self = data;

    self->timer = 0;
    connect_again(self);
    return G_SOURCE_REMOVE;
}

/* Returns: whether it was anything to us. `is_sane`: out; false: it was nonsense. */
static bool
take_event(JanusClient *self, const json_t *event, bool *is_sane)
{
    const char *kind = json_string_value(json_object_get(event, "janus"));
    const json_t *data = json_object_get(json_object_get(event, "plugindata"), "data");

    *is_sane = kind != NULL;
    if (kind == NULL)
        return false;
    if (strcmp(kind, "timeout") == 0 || strcmp(kind, "detached") == 0) {
        go_down(self, "Janus ended our session");
        return true;
    }
    if (strcmp(kind, "event") != 0 ||
        json_integer_value(json_object_get(event, "sender")) != self->handle)
        return false;
    if (!janus_calls_take_event(self->calls, event) && json_is_object(data))
        self->options.on_event(data, self->options.user_data);
    return true;
}

static gboolean
on_poll_again(gpointer data)
{
    JanusClient *self = data;

    self->timer = 0;
    poll_events(self);
    return G_SOURCE_REMOVE;
}

static void
take_events(JanusClient *self, const json_t *reply)
{
    const unsigned epoch = self->epoch;
    const size_t n_events = json_is_array(reply) ? json_array_size(reply) : 1;
    bool is_ours = false;
    bool is_sane = n_events > 0;

    for (size_t i = 0; i < n_events && is_sane && self->epoch == epoch; i++) {
        const json_t *event = json_is_array(reply) ? json_array_get(reply, i) : reply;

        is_ours = take_event(self, event, &is_sane) || is_ours;
    }
    if (self->epoch != epoch || self->state != CLIENT_UP)
        return;
    if (!is_sane) {
        go_down(self, "Janus talks nonsense: an event without \"janus\"");
    } else if (is_ours) {
        poll_events(self);
    } else {
        /* However fast a Janus says nothing, it is not asked in a circle. */
        self->timer = g_timeout_add(IDLE_POLL_MS, on_poll_again, self);
    }
}

static void
on_events(const json_t *reply, const GError *error, void *user_data)
{
    g_autofree Poll *poll = user_data;
    JanusClient *self = poll->client;

    if (poll->epoch == self->epoch && error != NULL) {
        go_down(self, error->message);
    } else if (poll->epoch == self->epoch) {
        take_events(self, reply);
    }
    unref(self);
}

static void
poll_events(JanusClient *self)
{
    Poll *poll = g_new0(Poll, 1);

    self->n_refs++;
    *poll = (Poll){self, self->epoch};
    janus_wire_poll(self->wire, self->session, on_events, poll);
}

JanusClient *
janus_client_new(const JanusClientOptions *options)
{
    JanusClient *self = g_new0(JanusClient, 1);

    self->n_refs = 1;
    self->options = *options;
    self->url = g_strdup(options->url);
    self->ca_path = g_strdup(options->ca_path);
    self->api_secret = g_strdup(options->api_secret);
    self->calls = janus_calls_new();
    self->wait_ms = FIRST_WAIT_MS;
    self->timer = g_idle_add(on_try_again, self);
    return self;
}

bool
janus_client_is_up(const JanusClient *self)
{
    return self->state == CLIENT_UP;
}

/* Whatever Janus says to it, that was the last word. */
static void
on_destroyed(const json_t *answer, const GError *error, void *user_data)
{
    JanusClient *self = user_data;

    finish_closing(self);
    unref(self);
}

/* Gives the Janus session back once nothing is under way. */
static void
close_if_idle(JanusClient *self)
{
    g_autofree char *path = NULL;

    if (self->state != CLIENT_UP) {
        finish_closing(self);
        return;
    }
    if (janus_calls_count(self->calls) > 0)
        return;
    path = g_strdup_printf("/%" JSON_INTEGER_FORMAT, self->session);
    self->n_refs++;
    janus_calls_send(
        self->calls, self->wire,
        &(JanusCall){path, json_pack("{s:s}", "janus", "destroy"), on_destroyed, self});
}

static void
on_asked(const json_t *answer, const GError *error, void *user_data)
{
    g_autofree Ask *ask = user_data;
    JanusClient *self = ask->client;
    const json_t *data = json_object_get(json_object_get(answer, "plugindata"), "data");
    g_autoptr(GError) fault = error != NULL ? g_error_copy(error) : janus_wire_refusal(data);

    /* What Janus itself refuses or garbles, not the plugin, ends the connection. */
    if (error != NULL)
        go_down(self, error->message);
    if (fault == NULL)
        self->wait_ms = FIRST_WAIT_MS; /* it makes sense again */
    ask->on_answer(fault == NULL ? data : NULL, fault, ask->user_data);
    if (self->is_closing)
        close_if_idle(self);
    unref(self);
}

void
janus_client_ask(JanusClient *self, json_t *body, JanusAnswerFunc on_answer, void *user_data)
{
    g_autofree char *path = NULL;
    Ask *ask = NULL;

    if (self->state != CLIENT_UP) {
        g_autoptr(GError) error =
            g_error_new(G_IO_ERROR, G_IO_ERROR_CLOSED, "there is no connection to Janus");

        json_decref(body);
        on_answer(NULL, error, user_data);
        return;
    }
    self->n_refs++;
    ask = g_new0(Ask, 1);
    *ask = (Ask){self, on_answer, user_data};
    path = g_strdup_printf("/%" JSON_INTEGER_FORMAT "/%" JSON_INTEGER_FORMAT, self->session,
                           self->handle);
    janus_calls_send(self->calls, self->wire,
                     &(JanusCall){path, json_pack("{s:s, s:o}", "janus", "message", "body", body),
                                  on_asked, ask});
}

void
janus_client_restart(JanusClient *self, const char *problem)
{
    go_down(self, problem);
}

void
janus_client_close(JanusClient *self)
{
    if (self->is_closing)
        return;
    self->is_closing = true;
    close_if_idle(self);
}

void
janus_client_free(JanusClient *self)
{
    if (self == NULL)
        return;
    self->is_closing = false;
    disconnect(self, CLIENT_CLOSED, "the connection to Janus is over");
    unref(self);
}
