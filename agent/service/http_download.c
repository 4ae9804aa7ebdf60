#include "agent/service/http_download.h"

#include <gio/gunixsocketaddress.h>
#include <libsoup/soup.h>
#include <stdlib.h>
#include <string.h>

#define TIMEOUT_S      120
#define MAX_JSON_BYTES ((size_t) 16 << 20)

struct HttpDownload {
    SoupSession *session;
    SoupMessage *message;
    GInputStream *body;
};

static void
set_body(SoupMessage *message, const json_t *body)
{
    char *text = json_dumps(body, JSON_COMPACT);
    g_autoptr(GBytes) bytes = NULL;

    g_assert(text != NULL);
    bytes = g_bytes_new_with_free_func(text, strlen(text), free, text);
    soup_message_set_request_body_from_bytes(message, "application/json", bytes);
}

/* The library keeps a copy that nobody can wipe; the process ends soon. */
static void
set_token(SoupMessage *message, const Secret *token)
{
    g_autofree char *value = g_strdup_printf("Bearer %.*s", (int) secret_length(token),
                                             (const char *) secret_peek(token));

    soup_message_headers_replace(soup_message_get_request_headers(message), "Authorization", value);
    explicit_bzero(value, strlen(value));
}

HttpDownload *
http_download_open(const HttpDownloadOptions *options, GError **error)
{
    g_autoptr(HttpDownload) self = g_new0(HttpDownload, 1);
    g_autoptr(GSocketAddress) address = g_unix_socket_address_new(options->socket_path);
    g_auto(GStrv) words = g_strsplit(options->request, " ", 2);
    g_autofree char *url = g_strconcat("http://localhost", words[1], NULL);

    self->session =
        soup_session_new_with_options("remote-connectable", address, "timeout", TIMEOUT_S, NULL);
    self->message = soup_message_new(words[0], url);
    g_assert(self->message != NULL);
    if (options->body != NULL)
        set_body(self->message, options->body);
    if (options->token != NULL)
        set_token(self->message, options->token);
    self->body = soup_session_send(self->session, self->message, NULL, error);
    if (self->body == NULL) {
        g_prefix_error(error, "%s: ", options->socket_path);
        return NULL;
    }
    return g_steal_pointer(&self);
}

unsigned
http_download_status(const HttpDownload *self)
{
    return soup_message_get_status(self->message);
}

bool
http_download_read(void *self, uint8_t *buffer, size_t n_bytes, size_t *n_read, GError **error)
{
    HttpDownload *download = self;
    const gssize n = g_input_stream_read(download->body, buffer, n_bytes, NULL, error);

    *n_read = n > 0 ? (size_t) n : 0;
    return n >= 0;
}

json_t *
http_download_json(HttpDownload *self, GError **error)
{
    g_autoptr(GByteArray) text = g_byte_array_new();
    uint8_t buffer[4096];
    size_t n_read = 1;
    json_error_t fault;
    json_t *json = NULL;

    while (n_read > 0 && text->len <= MAX_JSON_BYTES) {
        if (!http_download_read(self, buffer, sizeof(buffer), &n_read, error))
            return NULL;
        g_byte_array_append(text, buffer, (guint) n_read);
    }
    if (text->len == 0)
        return json_null();
    json = json_loadb((const char *) text->data, text->len,
                      JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &fault);
    if (json == NULL) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                    "the answer is not JSON: line %d, column %d", fault.line, fault.column);
    }
    return json;
}

void
http_download_free(HttpDownload *self)
{
    if (self == NULL)
        return;
    g_clear_object(&self->body);
    g_clear_object(&self->message);
    g_clear_object(&self->session);
    g_free(self);
}
