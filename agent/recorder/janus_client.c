#include "agent/recorder/janus_client.h"

#include "agent/service/http_fetch.h"

#include <stdint.h>
#include <string.h>

/* The order of a connection: create a session, attach to the plugin, long poll for events; each
 * request is a POST whose answer is its reply, or, where the reply is only an `ack`, an event with
 * the same transaction. Whatever breaks that order ends the connection; the next one is another
 * `epoch`, so that an answer which comes late is known as such. */

#define PLUGIN       "janus.plugin.videoroom"
#define MAX_BYTES    ((size_t) 1 << 20)
#define ASK_MS       5000
#define POLL_MS      45000 /* Janus answers after 30 s at the latest */
#define IDLE_POLL_MS 500
#define FIRST_WAIT_MS 500
#define LAST_WAIT_MS  10000
#define GOOD_AFTER_US (5 * G_TIME_SPAN_SECOND)

G_DEFINE_QUARK(sealtape_janus_error, janus_error)

typedef enum {
    CLIENT_DOWN,
    CLIENT_CONNECTING,
    CLIENT_UP,
    CLIENT_CLOSED,
} ClientState;

struct JanusClient {
    unsigned n_refs; /* its owner's, and one for each call */
    JanusClientOptions options;
    char *url, *api_secret;
    HttpFetch *http;
    ClientState state;
    unsigned epoch;
    json_int_t session, handle;
    uint64_t last_transaction;
    GHashTable *pending; /* transaction -> Call that Janus has acknowledged */
    unsigned n_asked;    /* calls of the owner without an answer */
    bool is_closing;
    guint timer; /* of the next attempt, or the next poll */
    unsigned wait_ms;
    int64_t up_since_us;
};

typedef struct Call Call;
struct Call {
    JanusClient *client;
    unsigned epoch;
    char *transaction;
    void (*on_reply)(Call *call, const json_t *reply); /* a checked one */
    JanusAnswerFunc on_answer;                         /* of the owner; NULL: our own request */
    void *user_data;
    guint deadline;
};

static void connect_again(JanusClient *self);
static void poll_events(JanusClient *self);
static void close_if_idle(JanusClient *self);

static void
unref(JanusClient *self)
{
    if (--self->n_refs > 0)
        return;
    g_hash_table_unref(self->pending);
    g_free(self->url);
    g_free(self->api_secret);
    g_free(self);
}

static void
end_call(Call *call)
{
    if (call->deadline != 0)
        g_source_remove(call->deadline);
    unref(call->client);
    g_free(call->transaction);
    g_free(call);
}

/* Tells the owner, and ends the call. */
static void
answer(Call *call, const json_t *data, const GError *error)
{
    JanusClient *self = call->client;

    if (call->on_answer != NULL) {
        self->n_asked--;
        call->on_answer(data, error, call->user_data);
        if (self->is_closing && self->state != CLIENT_CLOSED)
            close_if_idle(self);
    }
    end_call(call);
}

static void
set_timer(JanusClient *self, unsigned after_ms, GSourceFunc function)
{
    if (self->timer != 0)
        g_source_remove(self->timer);
    self->timer = g_timeout_add(after_ms, function, self);
}

static gboolean
on_try_again(gpointer data)
{
    JanusClient *self = data;

    self->timer = 0;
    connect_again(self);
    return G_SOURCE_REMOVE;
}

/* Those that wait for an event of a connection which is over. */
static void
fail_pending(JanusClient *self, const char *problem)
{
    g_autoptr(GHashTable) pending = g_steal_pointer(&self->pending);
    g_autoptr(GError) error = g_error_new_literal(G_IO_ERROR, G_IO_ERROR_CLOSED, problem);
    GHashTableIter iter;
    gpointer call = NULL;

    self->pending = g_hash_table_new(g_str_hash, g_str_equal);
    g_hash_table_iter_init(&iter, pending);
    while (g_hash_table_iter_next(&iter, NULL, &call))
        answer(call, NULL, error);
}

static void
finish_closing(JanusClient *self)
{
    self->state = CLIENT_CLOSED;
    self->epoch++;
    if (self->timer != 0)
        g_source_remove(self->timer);
    self->timer = 0;
    g_clear_pointer(&self->http, http_fetch_free);
    self->options.on_closed(self->options.user_data);
}

/* Ends the connection, tells why, and plans the next. */
static void
go_down(JanusClient *self, const char *problem)
{
    if (self->state == CLIENT_DOWN || self->state == CLIENT_CLOSED)
        return;
    if (self->state == CLIENT_UP && g_get_monotonic_time() - self->up_since_us > GOOD_AFTER_US)
        self->wait_ms = FIRST_WAIT_MS;
    self->state = CLIENT_DOWN;
    self->epoch++;
    self->n_refs++;
    g_clear_pointer(&self->http, http_fetch_free);
    fail_pending(self, problem);
    if (self->is_closing && self->state != CLIENT_CLOSED) {
        finish_closing(self);
    } else if (self->state == CLIENT_DOWN) {
        set_timer(self, self->wait_ms, on_try_again);
        self->wait_ms = MIN(self->wait_ms * 2, LAST_WAIT_MS);
        self->options.on_down(problem, self->options.user_data);
    }
    unref(self);
}

static GError *
refusal(int code, const char *reason)
{
    return g_error_new(JANUS_ERROR, code, "Janus refused: %s (%d)",
                       reason != NULL ? reason : "without a reason", code);
}

/* Returns: the refusal in what the plugin said, owned; NULL if there is none. */
static GError *
plugin_error(const json_t *data)
{
    const json_t *code = json_object_get(data, "error_code");

    if (code == NULL && json_object_get(data, "error") == NULL)
        return NULL;
    return refusal((int) json_integer_value(code), json_string_value(json_object_get(data, "error")));
}

static void
answer_with(Call *call, const json_t *reply)
{
    const json_t *data = json_object_get(json_object_get(reply, "plugindata"), "data");
    g_autoptr(GError) error = NULL;

    if (!json_is_object(data)) {
        error = g_error_new(G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                            "Janus talks nonsense: an answer without data of the plugin");
    } else {
        error = plugin_error(data);
    }
    answer(call, error == NULL ? data : NULL, error);
}

static gboolean
on_event_overdue(gpointer data)
{
    Call *call = data;
    g_autoptr(GError) error =
        g_error_new(G_IO_ERROR, G_IO_ERROR_TIMED_OUT, "Janus acknowledged and never answered");

    call->deadline = 0;
    g_hash_table_remove(call->client->pending, call->transaction);
    answer(call, NULL, error);
    return G_SOURCE_REMOVE;
}

/* Returns: what is wrong with the reply to `call`, owned; NULL if nothing is. */
static GError *
reply_fault(const Call *call, const json_t *reply)
{
    const char *kind = json_string_value(json_object_get(reply, "janus"));
    const char *transaction = json_string_value(json_object_get(reply, "transaction"));

    if (kind == NULL) {
        return g_error_new(G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                           "Janus talks nonsense: an answer without \"janus\"");
    }
    if (strcmp(kind, "error") == 0) {
        const json_t *error = json_object_get(reply, "error");

        return refusal((int) json_integer_value(json_object_get(error, "code")),
                       json_string_value(json_object_get(error, "reason")));
    }
    if (g_strcmp0(transaction, call->transaction) != 0) {
        return g_error_new(G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                           "Janus talks nonsense: an answer to a transaction nobody began");
    }
    if (strcmp(kind, "success") != 0 && (strcmp(kind, "ack") != 0 || call->on_answer == NULL)) {
        return g_error_new(G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                           "Janus talks nonsense: neither success nor an error");
    }
    return NULL;
}

static void
on_reply(const json_t *reply, const GError *error, void *user_data)
{
    Call *call = user_data;
    JanusClient *self = call->client;
    g_autoptr(GError) fault = error == NULL ? reply_fault(call, reply) : g_error_copy(error);
    const bool is_current = call->epoch == self->epoch;

    if (fault == NULL && is_current && call->on_reply != NULL) {
        call->on_reply(call, reply);
        end_call(call);
    } else if (fault == NULL && is_current &&
               g_strcmp0(json_string_value(json_object_get(reply, "janus")), "ack") == 0) {
        call->deadline = g_timeout_add(ASK_MS, on_event_overdue, call);
        g_hash_table_insert(self->pending, call->transaction, call);
    } else if (fault == NULL && is_current) {
        answer_with(call, reply);
    } else {
        /* What Janus itself refuses or garbles, not the plugin, ends the connection. */
        if (is_current)
            go_down(self, fault->message);
        if (fault == NULL)
            fault = g_error_new(G_IO_ERROR, G_IO_ERROR_CLOSED, "the connection to Janus is over");
        answer(call, NULL, fault);
    }
}

static Call *
new_call(JanusClient *self)
{
    Call *call = g_new0(Call, 1);

    self->n_refs++;
    call->client = self;
    call->epoch = self->epoch;
    call->transaction = g_strdup_printf("sealtape-%" G_GUINT64_FORMAT, ++self->last_transaction);
    return call;
}

/* Posts `message` (taken) to `path` below the URL. */
static void
post(JanusClient *self, Call *call, const char *path, json_t *message)
{
    g_autofree char *url = g_strconcat(self->url, path, NULL);

    json_object_set_new(message, "transaction", json_string(call->transaction));
    if (self->api_secret != NULL)
        json_object_set_new(message, "apisecret", json_string(self->api_secret));
    http_fetch_send(self->http, &(HttpFetchRequest){
                                    .url = url,
                                    .body = message,
                                    .timeout_ms = ASK_MS,
                                    .on_reply = on_reply,
                                    .user_data = call,
                                });
    json_decref(message);
}

/* Returns: data.id of a reply; 0 sets off a new attempt. */
static json_int_t
id_of(JanusClient *self, const json_t *reply)
{
    const json_int_t id = json_integer_value(json_object_get(json_object_get(reply, "data"), "id"));

    if (id <= 0)
        go_down(self, "Janus talks nonsense: an answer without an id");
    return MAX(id, 0);
}

static void
on_attached(Call *call, const json_t *reply)
{
    JanusClient *self = call->client;

    self->handle = id_of(self, reply);
    if (self->handle == 0)
        return;
    self->state = CLIENT_UP;
    self->up_since_us = g_get_monotonic_time();
    poll_events(self);
    self->options.on_up(self->options.user_data);
}

static void
on_created(Call *call, const json_t *reply)
{
    JanusClient *self = call->client;
    g_autofree char *path = NULL;
    Call *next = NULL;

    self->session = id_of(self, reply);
    if (self->session == 0)
        return;
    path = g_strdup_printf("/%" JSON_INTEGER_FORMAT, self->session);
    next = new_call(self);
    next->on_reply = on_attached;
    post(self, next, path, json_pack("{s:s, s:s}", "janus", "attach", "plugin", PLUGIN));
}

static void
connect_again(JanusClient *self)
{
    Call *call = NULL;

    self->state = CLIENT_CONNECTING;
    self->http = http_fetch_new(MAX_BYTES);
    call = new_call(self);
    call->on_reply = on_created;
    post(self, call, "", json_pack("{s:s}", "janus", "create"));
}

/* Returns: whether it was anything to us; false in `is_sane` if it was nonsense. */
static bool
take_event(JanusClient *self, const json_t *event, bool *is_sane)
{
    const char *kind = json_string_value(json_object_get(event, "janus"));
    const char *transaction = json_string_value(json_object_get(event, "transaction"));
    const json_t *data = json_object_get(json_object_get(event, "plugindata"), "data");
    Call *call = NULL;

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
    call = transaction != NULL ? g_hash_table_lookup(self->pending, transaction) : NULL;
    if (call != NULL) {
        g_hash_table_remove(self->pending, transaction);
        answer_with(call, event);
    } else if (json_is_object(data)) {
        self->options.on_event(data, self->options.user_data);
    }
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
        set_timer(self, IDLE_POLL_MS, on_poll_again);
    }
}

static void
on_events(const json_t *reply, const GError *error, void *user_data)
{
    Call *call = user_data;
    JanusClient *self = call->client;

    if (call->epoch == self->epoch && self->state == CLIENT_UP) {
        if (error != NULL) {
            go_down(self, error->message);
        } else {
            take_events(self, reply);
        }
    }
    end_call(call);
}

static void
poll_events(JanusClient *self)
{
    g_autofree char *secret =
        self->api_secret != NULL ? g_uri_escape_string(self->api_secret, NULL, FALSE) : NULL;
    g_autofree char *url =
        g_strdup_printf("%s/%" JSON_INTEGER_FORMAT "?maxev=10%s%s", self->url, self->session,
                        secret != NULL ? "&apisecret=" : "", secret != NULL ? secret : "");

    http_fetch_send(self->http, &(HttpFetchRequest){
                                    .url = url,
                                    .timeout_ms = POLL_MS,
                                    .on_reply = on_events,
                                    .user_data = new_call(self),
                                });
}

JanusClient *
janus_client_new(const JanusClientOptions *options)
{
    JanusClient *self = g_new0(JanusClient, 1);

    self->n_refs = 1;
    self->options = *options;
    self->url = g_strdup(options->url);
    self->api_secret = g_strdup(options->api_secret);
    self->pending = g_hash_table_new(g_str_hash, g_str_equal);
    self->wait_ms = FIRST_WAIT_MS;
    connect_again(self);
    return self;
}

bool
janus_client_is_up(const JanusClient *self)
{
    return self->state == CLIENT_UP;
}

void
janus_client_ask(JanusClient *self, json_t *body, JanusAnswerFunc on_answer, void *user_data)
{
    g_autofree char *path = NULL;
    Call *call = NULL;

    if (self->state != CLIENT_UP) {
        g_autoptr(GError) error =
            g_error_new(G_IO_ERROR, G_IO_ERROR_CLOSED, "there is no connection to Janus");

        json_decref(body);
        on_answer(NULL, error, user_data);
        return;
    }
    call = new_call(self);
    call->on_answer = on_answer;
    call->user_data = user_data;
    self->n_asked++;
    path = g_strdup_printf("/%" JSON_INTEGER_FORMAT "/%" JSON_INTEGER_FORMAT, self->session,
                           self->handle);
    post(self, call, path, json_pack("{s:s, s:o}", "janus", "message", "body", body));
}

void
janus_client_restart(JanusClient *self, const char *problem)
{
    go_down(self, problem);
}

static void
on_destroyed(const json_t *data, const GError *error, void *user_data)
{
    /* Whatever Janus says to it: answer() goes on from here. */
}

/* Gives the Janus session back once nothing is under way, and then is closed. */
static void
close_if_idle(JanusClient *self)
{
    g_autofree char *path = NULL;
    Call *call = NULL;

    if (self->n_asked > 0)
        return;
    if (self->state != CLIENT_UP || self->session == 0) {
        finish_closing(self);
        return;
    }
    path = g_strdup_printf("/%" JSON_INTEGER_FORMAT, self->session);
    self->session = 0;
    call = new_call(self);
    call->on_answer = on_destroyed;
    self->n_asked++;
    post(self, call, path, json_pack("{s:s}", "janus", "destroy"));
}

void
janus_client_close(JanusClient *self)
{
    if (self->is_closing)
        return;
    self->is_closing = true;
    if (self->timer != 0)
        g_source_remove(self->timer);
    self->timer = 0;
    close_if_idle(self);
}

void
janus_client_free(JanusClient *self)
{
    if (self == NULL)
        return;
    if (self->timer != 0)
        g_source_remove(self->timer);
    self->timer = 0;
    self->state = CLIENT_CLOSED;
    self->epoch++;
    g_clear_pointer(&self->http, http_fetch_free);
    fail_pending(self, "the connection to Janus is over");
    unref(self);
}
