#include "agent/service/event_stream.h"

#include "agent/service/http_accept.h"
#include "agent/service/http_request_private.h"

#include <string.h>

#define KEEP_ALIVE_S 15
/* What may wait for a slow reader. */
#define MAX_WAITING_BYTES (256u << 10)

struct EventStream {
    SoupServerMessage *message;
    gulong on_wrote, on_finished;
    guint keep_alive;
    size_t n_waiting; /* bytes handed to libsoup and not yet written */
    void (*on_closed)(void *user_data);
    void *user_data;
};

static void
event_stream_free(EventStream *self)
{
    g_signal_handler_disconnect(self->message, self->on_wrote);
    g_signal_handler_disconnect(self->message, self->on_finished);
    g_source_remove(self->keep_alive);
    g_object_unref(self->message);
    g_free(self);
}

static void
cut_off(EventStream *self)
{
    GSocket *socket = http_accept_socket(self->message);

    if (socket != NULL)
        (void) g_socket_shutdown(socket, TRUE, TRUE, NULL); /* already gone is as good */
}

/* Takes `text`. */
static void
append(EventStream *self, char *text)
{
    const size_t n_bytes = strlen(text);

    if (self->n_waiting + n_bytes > MAX_WAITING_BYTES) {
        g_free(text);
        cut_off(self);
        return;
    }
    self->n_waiting += n_bytes;
    soup_message_body_append_take(soup_server_message_get_response_body(self->message),
                                  (guchar *) text, n_bytes);
    soup_server_message_unpause(self->message);
}

static void
on_wrote(SoupServerMessage *message, guint n_bytes, gpointer user_data)
{
    EventStream *self = user_data;

    self->n_waiting -= MIN(self->n_waiting, n_bytes);
}

static void
on_finished(SoupServerMessage *message, gpointer user_data)
{
    EventStream *self = user_data;

    self->on_closed(self->user_data);
    event_stream_free(self);
}

static gboolean
keep_alive(gpointer user_data)
{
    append(user_data, g_strdup(":\n\n"));
    return G_SOURCE_CONTINUE;
}

EventStream *
event_stream_new(HttpRequest *request, void (*on_closed)(void *user_data), void *user_data)
{
    EventStream *self = g_new0(EventStream, 1);
    SoupMessageHeaders *headers = NULL;

    self->message = http_request_take_message(request);
    self->on_closed = on_closed;
    self->user_data = user_data;
    headers = soup_server_message_get_response_headers(self->message);
    soup_message_headers_set_encoding(headers, SOUP_ENCODING_CHUNKED);
    soup_message_headers_replace(headers, "Content-Type", "text/event-stream");
    soup_message_headers_replace(headers, "Cache-Control", "no-store");
    soup_message_body_set_accumulate(soup_server_message_get_response_body(self->message), FALSE);
    soup_server_message_set_status(self->message, 200, NULL);
    self->on_wrote = g_signal_connect(self->message, "wrote-body-data", G_CALLBACK(on_wrote), self);
    self->on_finished = g_signal_connect(self->message, "finished", G_CALLBACK(on_finished), self);
    self->keep_alive = g_timeout_add_seconds(KEEP_ALIVE_S, keep_alive, self);
    append(self, g_strdup(":\n\n"));
    return self;
}

void
event_stream_send(EventStream *self, const char *name, const json_t *data)
{
    char *text = json_dumps(data, JSON_COMPACT);

    g_assert(text != NULL);
    append(self, g_strdup_printf("event: %s\ndata: %s\n\n", name, text));
    free(text);
}

void
event_stream_close(EventStream *self)
{
    soup_message_body_complete(soup_server_message_get_response_body(self->message));
    soup_server_message_unpause(self->message);
    event_stream_free(self);
}
