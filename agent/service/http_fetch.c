#include "agent/service/http_fetch.h"

#include <libsoup/soup.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK_BYTES        16384
#define MAX_CONNECTIONS    4
#define FIRST_ERROR_STATUS 300

struct HttpFetch {
    SoupSession *session;
    GCancellable *cancellable;
    size_t max_bytes;
};

/* One request under way. */
typedef struct {
    SoupSession *session;
    SoupMessage *message;
    GCancellable *cancellable; /* its own: the deadline's, and chained to the HttpFetch's */
    GCancellable *parent;
    gulong chain;
    guint deadline;
    bool is_late;
    size_t max_bytes;
    GByteArray *bytes;
    GInputStream *stream;
    HttpFetchFunc on_reply;
    void *user_data;
} Fetch;

static void
fetch_free(Fetch *self)
{
    if (self->deadline != 0)
        g_source_remove(self->deadline);
    g_cancellable_disconnect(self->parent, self->chain);
    g_object_unref(self->parent);
    g_object_unref(self->cancellable);
    g_clear_object(&self->stream);
    g_byte_array_unref(self->bytes);
    g_object_unref(self->message);
    g_object_unref(self->session);
    g_free(self);
}

/* libsoup says only that the certificate is unacceptable. */
static GError *
certificate_error(SoupMessage *message)
{
    static const struct {
        GTlsCertificateFlags flag;
        const char *text;
    } faults[] = {
        {G_TLS_CERTIFICATE_UNKNOWN_CA,    "no authority that is trusted here vouches for it"},
        {G_TLS_CERTIFICATE_BAD_IDENTITY,  "it is for another host"                          },
        {G_TLS_CERTIFICATE_NOT_ACTIVATED, "it is not valid yet"                             },
        {G_TLS_CERTIFICATE_EXPIRED,       "it has expired"                                  },
        {G_TLS_CERTIFICATE_REVOKED,       "it was revoked"                                  },
        {G_TLS_CERTIFICATE_INSECURE,      "its algorithm is insecure"                       },
    };
    const GTlsCertificateFlags flags = soup_message_get_tls_peer_certificate_errors(message);
    const char *text = "it can not be used";

    for (size_t i = 0; i < G_N_ELEMENTS(faults); i++) {
        if ((flags & faults[i].flag) != 0) {
            text = faults[i].text;
            break;
        }
    }
    return g_error_new(G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE,
                       "the server's certificate is refused: %s", text);
}

/* Ends `self`. `error` (taken): NULL for a reply that is to be parsed. */
static void
finish(Fetch *self, GError *error)
{
    json_error_t fault;
    json_t *reply = NULL;
    const unsigned status = soup_message_get_status(self->message);

    if (error != NULL && self->is_late) {
        g_clear_error(&error);
        error = g_error_new(G_IO_ERROR, G_IO_ERROR_TIMED_OUT, "no answer in time");
    } else if (g_error_matches(error, G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE)) {
        g_clear_error(&error);
        error = certificate_error(self->message);
    } else if (error == NULL && status >= FIRST_ERROR_STATUS) {
        error = g_error_new(G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "HTTP status %u", status);
    } else if (error == NULL) {
        reply = json_loadb((const char *) self->bytes->data, self->bytes->len,
                           JSON_REJECT_DUPLICATES, &fault);
        if (reply == NULL) {
            error =
                g_error_new(G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                            "the answer is not JSON: line %d, column %d", fault.line, fault.column);
        }
    }
    self->on_reply(reply, error, self->user_data);
    json_decref(reply);
    g_clear_error(&error);
    fetch_free(self);
}

static void
on_read(GObject *source, GAsyncResult *result, gpointer data)
{
    Fetch *self = data;
    GError *error = NULL;
    g_autoptr(GBytes) chunk = g_input_stream_read_bytes_finish(self->stream, result, &error);

    if (chunk == NULL || g_bytes_get_size(chunk) == 0) {
        finish(self, error);
        return;
    }
    if (self->bytes->len + g_bytes_get_size(chunk) > self->max_bytes) {
        finish(self, g_error_new(G_IO_ERROR, G_IO_ERROR_MESSAGE_TOO_LARGE,
                                 "the answer is longer than %zu bytes", self->max_bytes));
        return;
    }
    g_byte_array_append(self->bytes, g_bytes_get_data(chunk, NULL),
                        (guint) g_bytes_get_size(chunk));
    g_input_stream_read_bytes_async(self->stream, CHUNK_BYTES, G_PRIORITY_DEFAULT,
                                    self->cancellable, on_read, self);
}

static void
on_sent(GObject *source, GAsyncResult *result, gpointer data)
{
    Fetch *self = data;
    GError *error = NULL;

    self->stream = soup_session_send_finish(self->session, result, &error);
    if (self->stream == NULL) {
        finish(self, error);
        return;
    }
    g_input_stream_read_bytes_async(self->stream, CHUNK_BYTES, G_PRIORITY_DEFAULT,
                                    self->cancellable, on_read, self);
}

static gboolean
on_deadline(gpointer data)
{
    Fetch *self = data;

    self->deadline = 0;
    self->is_late = true;
    g_cancellable_cancel(self->cancellable);
    return G_SOURCE_REMOVE;
}

static void
on_parent_cancelled(GCancellable *parent, gpointer child)
{
    g_cancellable_cancel(child);
}

bool
http_fetch_url_is_valid(const char *url)
{
    g_autoptr(GUri) uri = g_uri_parse(url, SOUP_HTTP_URI_FLAGS, NULL);
    const char *scheme = uri != NULL ? g_uri_get_scheme(uri) : NULL;

    return uri != NULL && g_uri_get_host(uri) != NULL && *g_uri_get_host(uri) != '\0' &&
           (strcmp(scheme, "http") == 0 || strcmp(scheme, "https") == 0);
}

HttpFetch *
http_fetch_new(size_t max_bytes, const char *ca_path, GError **error)
{
    g_autoptr(GTlsDatabase) authorities = NULL;
    HttpFetch *self = NULL;

    if (ca_path != NULL) {
        authorities = g_tls_file_database_new(ca_path, error);
        if (authorities == NULL)
            return NULL;
    }
    self = g_new0(HttpFetch, 1);
    self->session = soup_session_new_with_options("max-conns-per-host", MAX_CONNECTIONS,
                                                  "proxy-resolver", NULL, NULL);
    if (authorities != NULL)
        soup_session_set_tls_database(self->session, authorities);
    self->cancellable = g_cancellable_new();
    self->max_bytes = max_bytes;
    return self;
}

static void
set_body(SoupMessage *message, const json_t *body)
{
    char *text = json_dumps(body, JSON_COMPACT);
    g_autoptr(GBytes) bytes = NULL;

    g_assert(text != NULL);
    bytes = g_bytes_new_with_free_func(text, strlen(text), free, text);
    soup_message_set_request_body_from_bytes(message, "application/json", bytes);
}

void
http_fetch_send(HttpFetch *self, const HttpFetchRequest *request)
{
    Fetch *fetch = g_new0(Fetch, 1);

    fetch->session = g_object_ref(self->session);
    fetch->message = soup_message_new(request->body != NULL ? "POST" : "GET", request->url);
    g_assert(fetch->message != NULL);
    soup_message_add_flags(fetch->message, SOUP_MESSAGE_NO_REDIRECT);
    if (request->body != NULL)
        set_body(fetch->message, request->body);
    fetch->max_bytes = self->max_bytes;
    fetch->bytes = g_byte_array_new();
    fetch->on_reply = request->on_reply;
    fetch->user_data = request->user_data;
    fetch->cancellable = g_cancellable_new();
    fetch->parent = g_object_ref(self->cancellable);
    fetch->chain = g_cancellable_connect(self->cancellable, G_CALLBACK(on_parent_cancelled),
                                         g_object_ref(fetch->cancellable), g_object_unref);
    fetch->deadline = g_timeout_add(request->timeout_ms, on_deadline, fetch);
    soup_session_send_async(self->session, fetch->message, G_PRIORITY_DEFAULT, fetch->cancellable,
                            on_sent, fetch);
}

void
http_fetch_free(HttpFetch *self)
{
    if (self == NULL)
        return;
    g_cancellable_cancel(self->cancellable);
    g_object_unref(self->cancellable);
    g_object_unref(self->session);
    g_free(self);
}
