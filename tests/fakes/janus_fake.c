#include "tests/fakes/janus_fake.h"

#include "agent/service/http_accept.h"

#include <libsoup/soup.h>
#include <string.h>

/* What it gives out; any number would do. */
#define SESSION "5273017381"
#define HANDLE  "8810446652"

typedef enum {
    RULE_TEXT,
    RULE_HANG,
    RULE_LATE,
} RuleKind;

typedef struct {
    RuleKind kind;
    char *text;
} Rule;

struct JanusFake {
    SoupServer *server; /* NULL: it is gone */
    GSocket *listening;
    HttpAccept *accept;
    unsigned port;
    char *url;
    GHashTable *rules;  /* word -> Rule */
    GHashTable *counts; /* word -> number */
    GHashTable *last;   /* word -> json_t */
    GQueue events;      /* texts that nobody has fetched */
    GPtrArray *polling; /* SoupServerMessage, paused */
    GPtrArray *hanging; /* the same, for good */
};

static void
rule_free(void *data)
{
    Rule *self = data;

    g_free(self->text);
    g_free(self);
}

static void
reply(SoupServerMessage *message, const char *text)
{
    soup_server_message_set_status(message, 200, NULL);
    soup_server_message_set_response(message, "application/json", SOUP_MEMORY_COPY, text,
                                     strlen(text));
}

/* Returns: `text` with what it leaves open, owned. `asked`: NULL for a poll. */
static char *
filled_in(const char *text, const json_t *asked)
{
    g_autoptr(GString) filled = g_string_new(text);
    const char *transaction = json_string_value(json_object_get(asked, "transaction"));
    const json_t *streams = json_object_get(json_object_get(asked, "body"), "streams");
    const json_t *port = json_object_get(json_array_get(streams, 0), "port");
    g_autofree char *number = g_strdup_printf("%" JSON_INTEGER_FORMAT, json_integer_value(port));

    (void) g_string_replace(filled, "%T", transaction != NULL ? transaction : "", 0);
    (void) g_string_replace(filled, "%H", HANDLE, 0);
    (void) g_string_replace(filled, "%P", number, 0);
    return g_string_free(g_steal_pointer(&filled), FALSE);
}

static char *
event_text(const char *data, const char *transaction)
{
    g_autofree char *member = transaction != NULL
                                  ? g_strdup_printf("\"transaction\":\"%s\",", transaction)
                                  : g_strdup("");

    return g_strdup_printf("{\"janus\":\"event\",\"session_id\":" SESSION ",%s\"sender\":" HANDLE
                           ",\"plugindata\":{\"plugin\":\"janus.plugin.videoroom\",\"data\":%s}}",
                           member, data);
}

static void
give_events(JanusFake *self, SoupServerMessage *message)
{
    g_autoptr(GString) all = g_string_new("[");

    while (!g_queue_is_empty(&self->events)) {
        g_autofree char *event = g_queue_pop_head(&self->events);

        g_string_append_printf(all, "%s%s", all->len > 1 ? "," : "", event);
    }
    g_string_append_c(all, ']');
    reply(message, all->str);
}

static void
add_event(JanusFake *self, char *event)
{
    g_queue_push_tail(&self->events, event);
    if (self->polling->len > 0) {
        SoupServerMessage *message = g_ptr_array_steal_index(self->polling, 0);

        give_events(self, message);
        soup_server_message_unpause(message);
        g_object_unref(message);
    }
}

static void
note(JanusFake *self, const char *word, const json_t *body)
{
    g_hash_table_replace(self->counts, g_strdup(word),
                         GUINT_TO_POINTER(janus_fake_count(self, word) + 1));
    if (body != NULL)
        g_hash_table_replace(self->last, g_strdup(word), json_deep_copy(body));
}

/* What a Janus says that has nothing else to say. */
static const char *
usual_reply(const char *word)
{
    if (strcmp(word, "create") == 0)
        return "{\"janus\":\"success\",\"transaction\":\"%T\",\"data\":{\"id\":" SESSION "}}";
    if (strcmp(word, "attach") == 0)
        return "{\"janus\":\"success\",\"session_id\":" SESSION
               ",\"transaction\":\"%T\",\"data\":{\"id\":%H}}";
    if (strcmp(word, "destroy") == 0)
        return "{\"janus\":\"success\",\"session_id\":" SESSION ",\"transaction\":\"%T\"}";
    if (strcmp(word, "rtp_forward") == 0)
        return "{\"janus\":\"success\",\"session_id\":" SESSION
               ",\"transaction\":\"%T\",\"sender\":%H,\"plugindata\":{\"plugin\":"
               "\"janus.plugin.videoroom\",\"data\":{\"videoroom\":\"rtp_forward\",\"room\":1234,"
               "\"publisher_id\":5,\"forwarders\":[{\"stream_id\":77,\"type\":\"audio\","
               "\"host\":\"127.0.0.1\",\"port\":%P}]}}}";
    return "{\"janus\":\"success\",\"session_id\":" SESSION
           ",\"transaction\":\"%T\",\"sender\":%H,\"plugindata\":{\"plugin\":"
           "\"janus.plugin.videoroom\",\"data\":{\"videoroom\":\"success\"}}}";
}

static void
answer(JanusFake *self, SoupServerMessage *message, const char *word, const json_t *asked)
{
    const Rule *rule = g_hash_table_lookup(self->rules, word);
    g_autofree char *text = NULL;

    if (rule != NULL && rule->kind == RULE_HANG) {
        soup_server_message_pause(message);
        g_ptr_array_add(self->hanging, g_object_ref(message));
        return;
    }
    if (rule != NULL && rule->kind == RULE_LATE) {
        text = filled_in("{\"janus\":\"ack\",\"session_id\":" SESSION ",\"transaction\":\"%T\"}",
                         asked);
        reply(message, text);
        add_event(self,
                  event_text(rule->text, json_string_value(json_object_get(asked, "transaction"))));
        return;
    }
    text = filled_in(rule != NULL ? rule->text : usual_reply(word), asked);
    reply(message, text);
}

static void
on_poll(JanusFake *self, SoupServerMessage *message, GHashTable *query)
{
    json_t *asked = json_pack("{s:s*}", "apisecret",
                              query != NULL ? g_hash_table_lookup(query, "apisecret") : NULL);

    note(self, "poll", asked);
    json_decref(asked);
    if (g_hash_table_contains(self->rules, "poll")) {
        answer(self, message, "poll", NULL);
    } else if (!g_queue_is_empty(&self->events)) {
        give_events(self, message);
    } else {
        soup_server_message_pause(message);
        g_ptr_array_add(self->polling, g_object_ref(message));
    }
}

static void
on_request(SoupServer *server, SoupServerMessage *message, const char *path, GHashTable *query,
           gpointer user_data)
{
    JanusFake *self = user_data;
    SoupMessageBody *body = soup_server_message_get_request_body(message);
    json_t *asked = NULL;
    const json_t *inner = NULL;
    const char *word = NULL;

    if (strcmp(soup_server_message_get_method(message), "GET") == 0) {
        on_poll(self, message, query);
        return;
    }
    asked = json_loadb(body->data, (size_t) body->length, 0, NULL);
    g_assert_nonnull(asked);
    inner = json_object_get(asked, "body");
    word = json_string_value(inner != NULL ? json_object_get(inner, "request")
                                           : json_object_get(asked, "janus"));
    g_assert_nonnull(word);
    note(self, word, inner != NULL ? inner : asked);
    answer(self, message, word, asked);
    json_decref(asked);
}

/* libsoup's own listener would leak each connection's socket. */
static GSocket *
listen_at(unsigned *port)
{
    g_autoptr(GInetAddress) loopback = g_inet_address_new_loopback(G_SOCKET_FAMILY_IPV4);
    g_autoptr(GSocketAddress) address = g_inet_socket_address_new(loopback, (guint16) *port);
    g_autoptr(GSocketAddress) bound = NULL;
    g_autoptr(GError) error = NULL;
    GSocket *socket =
        g_socket_new(G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, &error);

    g_assert_no_error(error);
    g_assert_true(g_socket_bind(socket, address, TRUE, &error));
    g_assert_true(g_socket_listen(socket, &error));
    bound = g_socket_get_local_address(socket, &error);
    g_assert_no_error(error);
    *port = g_inet_socket_address_get_port(G_INET_SOCKET_ADDRESS(bound));
    return socket;
}

void
janus_fake_start(JanusFake *self)
{
    g_assert_null(self->server);
    self->server = soup_server_new(NULL, NULL);
    soup_server_add_handler(self->server, "/janus", on_request, self, NULL);
    self->listening = listen_at(&self->port);
    self->accept = http_accept_new(self->server, self->listening);
}

void
janus_fake_stop(JanusFake *self)
{
    if (self->server == NULL)
        return;
    g_clear_pointer(&self->accept, http_accept_free);
    (void) g_socket_close(self->listening, NULL);
    g_clear_object(&self->listening);
    soup_server_disconnect(self->server);
    g_ptr_array_set_size(self->polling, 0);
    g_ptr_array_set_size(self->hanging, 0);
    g_queue_clear_full(&self->events, g_free);
    g_clear_object(&self->server);
}

static void
form_free(void *form)
{
    json_decref(form);
}

JanusFake *
janus_fake_new(void)
{
    JanusFake *self = g_new0(JanusFake, 1);

    g_queue_init(&self->events);
    self->rules = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, rule_free);
    self->counts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    self->last = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, form_free);
    self->polling = g_ptr_array_new_with_free_func(g_object_unref);
    self->hanging = g_ptr_array_new_with_free_func(g_object_unref);
    janus_fake_start(self);
    self->url = g_strdup_printf("http://127.0.0.1:%u/janus", self->port);
    return self;
}

const char *
janus_fake_url(const JanusFake *self)
{
    return self->url;
}

static void
set_rule(JanusFake *self, const char *word, RuleKind kind, const char *text)
{
    Rule *rule = g_new0(Rule, 1);

    *rule = (Rule){kind, g_strdup(text)};
    g_hash_table_replace(self->rules, g_strdup(word), rule);
}

void
janus_fake_script(JanusFake *self, const char *word, const char *text)
{
    if (text == NULL) {
        (void) g_hash_table_remove(self->rules, word); /* it need not be there */
    } else {
        set_rule(self, word, RULE_TEXT, text);
    }
}

void
janus_fake_hang(JanusFake *self, const char *word)
{
    set_rule(self, word, RULE_HANG, NULL);
}

void
janus_fake_answer_late(JanusFake *self, const char *word, const char *data)
{
    set_rule(self, word, RULE_LATE, data);
}

void
janus_fake_tell(JanusFake *self, const char *text, bool is_whole)
{
    add_event(self, is_whole ? g_strdup(text) : event_text(text, NULL));
}

unsigned
janus_fake_count(const JanusFake *self, const char *word)
{
    return GPOINTER_TO_UINT(g_hash_table_lookup(self->counts, word));
}

char *
janus_fake_last(const JanusFake *self, const char *word, const char *name)
{
    const json_t *member = json_object_get(g_hash_table_lookup(self->last, word), name);
    char *dumped = json_is_string(member) ? NULL : json_dumps(member, JSON_ENCODE_ANY);
    char *text = dumped != NULL ? g_strdup(dumped) : g_strdup(json_string_value(member));

    free(dumped);
    return text;
}

void
janus_fake_free(JanusFake *self)
{
    janus_fake_stop(self);
    g_hash_table_unref(self->rules);
    g_hash_table_unref(self->counts);
    g_hash_table_unref(self->last);
    g_ptr_array_unref(self->polling);
    g_ptr_array_unref(self->hanging);
    g_free(self->url);
    g_free(self);
}
