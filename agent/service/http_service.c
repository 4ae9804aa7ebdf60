#include "agent/service/http_service.h"

#include "agent/service/http_accept.h"
#include "agent/service/http_request_private.h"
#include "agent/service/http_route.h"
#include "agent/service/unix_listener.h"

#include <libsoup/soup.h>
#include <string.h>

/* The way of a request:
 *  1. on_request_started: a connection waits for a request; it has PATIENCE_S to arrive whole.
 *  2. on_headers: a body announced as too long is refused before it is read. One request for each
 *     connection: libsoup up to 3.2 never lets go of one that a client leaves after its answer.
 *  3. on_chunk: one that grows too long is no longer kept, and in the end the line is cut.
 *  4. on_request: route, media type, JSON; then the route's handler, which owns the HttpRequest.
 *  5. http_reply_*: answers, now or later; the client has PATIENCE_S to take the answer. */

#define MAX_BODY_BYTES ((goffset) 1 << 20)
#define HANG_UP_BYTES  (MAX_BODY_BYTES * 8) /* a client that goes on sending past its limit */
#define MAX_REQUESTS   512
#define PATIENCE_S     30

struct HttpService {
    SoupServer *server;
    UnixListener *listener;
    HttpAccept *accept;
    const HttpRoute *routes;
    void *user_data;
    unsigned
        *n_open; /* connections that wait, send or are answered; g_rc_box, shared with each Watch */
};

struct HttpRequest {
    SoupServerMessage *message;
    char **parameters;
    json_t *body;
    bool is_replied;
};

/* Watches over the patience with one message. Owned by the message. */
typedef struct {
    unsigned *n_open;
    SoupServerMessage *message; /* borrowed: its owner */
    guint timer;
    goffset n_body_bytes;
} Watch;

static const char watch_key[] = "sealtape-watch";

static void
hang_up(SoupServerMessage *message)
{
    GSocket *socket = http_accept_socket(message);

    if (socket != NULL)
        (void) g_socket_shutdown(socket, TRUE, TRUE, NULL); /* already gone is as good */
}

static gboolean
on_patience_ended(gpointer user_data)
{
    Watch *watch = user_data;

    watch->timer = 0;
    hang_up(watch->message);
    return G_SOURCE_REMOVE;
}

static void
watch_stop(Watch *watch)
{
    g_clear_handle_id(&watch->timer, g_source_remove);
}

static void
watch_restart(Watch *watch)
{
    watch_stop(watch);
    watch->timer = g_timeout_add_seconds(PATIENCE_S, on_patience_ended, watch);
}

static void
watch_free(gpointer data)
{
    Watch *watch = data;

    watch_stop(watch);
    --*watch->n_open;
    g_rc_box_release(watch->n_open);
    g_free(watch);
}

static Watch *
watch_of(SoupServerMessage *message)
{
    return g_object_get_data(G_OBJECT(message), watch_key);
}

static void
reply(SoupServerMessage *message, unsigned status, const char *content_type, char *text)
{
    SoupMessageHeaders *headers = soup_server_message_get_response_headers(message);

    soup_message_headers_replace(headers, "Cache-Control", "no-store");
    soup_server_message_set_status(message, status, NULL);
    soup_server_message_set_response(message, content_type, SOUP_MEMORY_TAKE, text, strlen(text));
}

static void
reply_with_json(SoupServerMessage *message, unsigned status, const char *content_type, json_t *body)
{
    char *text = json_dumps(body, JSON_COMPACT);

    json_decref(body);
    g_assert(text !=
             NULL); /* all our strings are UTF-8: jansson refuses others when they are made */
    reply(message, status, content_type, text);
}

static void
reply_with_problem(SoupServerMessage *message, unsigned status, const char *detail, json_t *extra)
{
    json_t *problem =
        json_pack("{s:s, s:s, s:i, s:s}", "type", "about:blank", "title",
                  soup_status_get_phrase(status), "status", (int) status, "detail", detail);

    g_assert(problem != NULL);
    if (extra != NULL) {
        (void) json_object_update_missing(problem, extra); /* fails only without memory */
        json_decref(extra);
    }
    reply_with_json(message, status, "application/problem+json", problem);
}

static void
on_got_body(SoupServerMessage *message, gpointer user_data)
{
    watch_stop(user_data);
}

static void
on_chunk(SoupServerMessage *message, GBytes *chunk, gpointer user_data)
{
    Watch *watch = user_data;
    SoupMessageBody *body = soup_server_message_get_request_body(message);

    watch->n_body_bytes += (goffset) g_bytes_get_size(chunk);
    if (watch->n_body_bytes <= MAX_BODY_BYTES)
        return;
    soup_message_body_set_accumulate(body, FALSE);
    soup_message_body_truncate(body);
    if (watch->n_body_bytes > HANG_UP_BYTES)
        hang_up(message);
}

static void
on_request_started(SoupServer *server, SoupServerMessage *message, gpointer user_data)
{
    HttpService *self = user_data;
    Watch *watch = g_new0(Watch, 1);

    watch->n_open = g_rc_box_acquire(self->n_open);
    watch->message = message;
    g_object_set_data_full(G_OBJECT(message), watch_key, watch, watch_free);
    g_signal_connect(message, "got-chunk", G_CALLBACK(on_chunk), watch);
    g_signal_connect(message, "got-body", G_CALLBACK(on_got_body), watch);
    watch_restart(watch);
    if (++*self->n_open > MAX_REQUESTS)
        hang_up(message);
}

static void
on_request_ended(SoupServer *server, SoupServerMessage *message, gpointer user_data)
{
    Watch *watch = watch_of(message);

    if (watch != NULL)
        watch_stop(watch);
}

static void
on_headers(SoupServer *server, SoupServerMessage *message, const char *path, GHashTable *query,
           gpointer user_data)
{
    SoupMessageHeaders *headers = soup_server_message_get_request_headers(message);

    soup_message_headers_replace(soup_server_message_get_response_headers(message), "Connection",
                                 "close");
    if (soup_message_headers_get_encoding(headers) != SOUP_ENCODING_CONTENT_LENGTH ||
        soup_message_headers_get_content_length(headers) <= MAX_BODY_BYTES)
        return;
    /* The rest of the request is not worth reading. */
    reply_with_problem(message, 413, "The body of a request has at most 1 MiB.", NULL);
}

/* Returns: the route, with its parameters in `parameters`; NULL has answered 404 or 405. */
static const HttpRoute *
find_route(HttpService *self, SoupServerMessage *message, char ***parameters)
{
    const char *method = soup_server_message_get_method(message);
    const char *path = g_uri_get_path(soup_server_message_get_uri(message));
    g_autoptr(GString) allowed = g_string_new(NULL);

    for (const HttpRoute *route = self->routes; route->method != NULL; route++) {
        g_auto(GStrv) taken = http_route_match(route->pattern, path);

        if (taken == NULL)
            continue;
        if (g_str_equal(method, route->method)) {
            *parameters = g_steal_pointer(&taken);
            return route;
        }
        g_string_append_printf(allowed, "%s%s", allowed->len > 0 ? ", " : "", route->method);
    }
    if (allowed->len == 0) {
        reply_with_problem(message, 404, "There is nothing at this path.", NULL);
        return NULL;
    }
    soup_message_headers_replace(soup_server_message_get_response_headers(message), "Allow",
                                 allowed->str);
    reply_with_problem(message, 405,
                       "This path does not take this method; Allow names those it takes.", NULL);
    return NULL;
}

/* Parses the body, if one was sent. Returns: false has answered. */
static bool
read_body(SoupServerMessage *message, json_t **body)
{
    SoupMessageHeaders *headers = soup_server_message_get_request_headers(message);
    const char *type = soup_message_headers_get_content_type(headers, NULL);
    g_autoptr(GBytes) bytes = NULL;
    json_error_t fault;
    g_autofree char *detail = NULL;

    if (watch_of(message)->n_body_bytes > MAX_BODY_BYTES) {
        reply_with_problem(message, 413, "The body of a request has at most 1 MiB.", NULL);
        return false;
    }
    bytes = soup_message_body_flatten(soup_server_message_get_request_body(message));
    if (bytes == NULL || g_bytes_get_size(bytes) == 0)
        return true;
    if (type == NULL || !g_str_equal(type, "application/json")) {
        reply_with_problem(message, 415, "The body must be of type application/json.", NULL);
        return false;
    }
    *body = json_loadb(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes),
                       JSON_REJECT_DUPLICATES, &fault);
    if (json_is_object(*body))
        return true;
    detail = *body != NULL ? g_strdup("The body must be a JSON object.")
                           : g_strdup_printf("The body is not JSON: line %d, column %d: %s.",
                                             fault.line, fault.column, fault.text);
    g_clear_pointer(body, json_decref);
    reply_with_problem(message, 400, detail, NULL);
    return false;
}

static void
http_request_free(HttpRequest *self)
{
    g_object_unref(self->message);
    g_strfreev(self->parameters);
    json_decref(self->body);
    g_free(self);
}

static void
on_request(SoupServer *server, SoupServerMessage *message, const char *path, GHashTable *query,
           gpointer user_data)
{
    HttpService *self = user_data;
    g_auto(GStrv) parameters = NULL;
    json_t *body = NULL;
    HttpRequest *request = NULL;
    const HttpRoute *route = NULL;

    if (soup_server_message_get_status(message) != 0)
        return; /* on_headers has answered */
    route = find_route(self, message, &parameters);
    if (route == NULL || !read_body(message, &body))
        return;
    request = g_new0(HttpRequest, 1);
    request->message = g_object_ref(message);
    request->parameters = g_steal_pointer(&parameters);
    request->body = body;
    soup_server_message_pause(message); /* until the reply, which may come within the next line */
    route->handle(request, self->user_data);
}

HttpService *
http_service_new(const char *socket_path, const HttpRoute *routes, void *user_data, GError **error)
{
    g_autoptr(HttpService) self = g_new0(HttpService, 1);

    self->n_open = g_rc_box_new0(unsigned);
    self->routes = routes;
    self->user_data = user_data;
    self->listener = unix_listener_open(socket_path, error);
    if (self->listener == NULL)
        return NULL;
    /* Raw paths, so that an encoded slash stays inside its segment. */
    self->server = soup_server_new("raw-paths", TRUE, NULL);
    g_signal_connect(self->server, "request-started", G_CALLBACK(on_request_started), self);
    g_signal_connect(self->server, "request-finished", G_CALLBACK(on_request_ended), self);
    g_signal_connect(self->server, "request-aborted", G_CALLBACK(on_request_ended), self);
    soup_server_add_early_handler(self->server, NULL, on_headers, self, NULL);
    soup_server_add_handler(self->server, NULL, on_request, self, NULL);
    self->accept = http_accept_new(self->server, unix_listener_socket(self->listener));
    return g_steal_pointer(&self);
}

const char *
http_request_parameter(const HttpRequest *self, unsigned position)
{
    g_assert(position < g_strv_length(self->parameters));
    return self->parameters[position];
}

json_t *
http_request_body(const HttpRequest *self)
{
    return self->body;
}

/* The answer is set: let libsoup write it. */
static void
finish(HttpRequest *self)
{
    watch_restart(watch_of(self->message));
    soup_server_message_unpause(self->message);
    http_request_free(self);
}

void
http_reply_json(HttpRequest *self, unsigned status, json_t *body)
{
    reply_with_json(self->message, status, "application/json", body);
    finish(self);
}

void
http_reply_problem(HttpRequest *self, unsigned status, const char *detail, json_t *extra)
{
    reply_with_problem(self->message, status, detail, extra);
    finish(self);
}

void
http_reply_text(HttpRequest *self, unsigned status, const char *content_type, const char *text)
{
    reply(self->message, status, content_type, g_strdup(text));
    finish(self);
}

SoupServerMessage *
http_request_message(const HttpRequest *self)
{
    return self->message;
}

SoupServer *
http_service_server(const HttpService *self)
{
    return self->server;
}

SoupServerMessage *
http_request_take_message(HttpRequest *self)
{
    SoupServerMessage *message = g_object_ref(self->message);

    watch_stop(watch_of(message));
    http_request_free(self);
    return message;
}

void
http_service_free(HttpService *self)
{
    if (self == NULL)
        return;
    http_accept_free(self->accept);
    if (self->server != NULL) {
        g_signal_handlers_disconnect_by_data(self->server, self);
        soup_server_disconnect(self->server);
        g_object_unref(self->server);
    }
    unix_listener_free(self->listener);
    g_rc_box_release(self->n_open);
    g_free(self);
}
