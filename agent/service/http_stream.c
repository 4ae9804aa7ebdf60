#include "agent/service/http_stream.h"

#include "agent/service/http_accept.h"
#include "agent/service/http_request_private.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

/* The connection is taken from libsoup, whose main loop would copy each byte twice more. What is
 * sent lies in the kernel's buffer of the socket until the reader takes it, and nowhere else. Bytes
 * go through the connection, which may be TLS, and never past it into its socket. */

#define MAX_PIECES 4
/* The kernel allows as much as its `net.core.wmem_max`, and that is as good. */
#define SOCKET_BYTES (1 << 20)

struct HttpStream {
    SoupServerMessage *message; /* counts as an open connection as long as it lives */
    GIOStream *connection;      /* NULL: it was gone before the answer began */
    GSocket *socket;            /* that it lies on, to be shut down */
    bool is_chunked; /* else its end is the end of the connection: HTTP/1.0 knows no other */
    bool has_chunk;  /* whose end is sent before what comes next */
    bool is_broken;
    bool is_finished;
    _Atomic uint64_t n_sent;
};

/* Sends all of `pieces`, which it changes and none of which is empty. `frame`: the one that does
 * not count. */
static bool
send_all(HttpStream *self, GOutputVector *pieces, unsigned n_pieces, const GOutputVector *frame,
         GError **error)
{
    GOutputStream *out = g_io_stream_get_output_stream(self->connection);

    while (n_pieces > 0) {
        gsize n = 0;

        if (!g_output_stream_writev(out, pieces, n_pieces, &n, NULL, error)) {
            self->is_broken = true;
            return false;
        }
        while (n > 0 && n_pieces > 0) {
            const gsize n_taken = MIN(n, pieces->size);

            if (pieces != frame)
                atomic_fetch_add(&self->n_sent, n_taken);
            pieces->buffer = (const uint8_t *) pieces->buffer + n_taken;
            pieces->size -= n_taken;
            n -= n_taken;
            if (pieces->size == 0) {
                pieces++;
                n_pieces--;
            }
        }
    }
    return true;
}

static void
add_header(const char *name, const char *value, gpointer user_data)
{
    g_string_append_printf(user_data, "%s: %s\r\n", name, value);
}

static void
send_head(HttpStream *self, const char *content_type)
{
    SoupMessageHeaders *headers = soup_server_message_get_response_headers(self->message);
    g_autoptr(GString) head = g_string_new("HTTP/1.1 200 OK\r\n");
    GOutputVector piece;

    soup_message_headers_replace(headers, "Content-Type", content_type);
    soup_message_headers_replace(headers, "Cache-Control", "no-store");
    if (self->is_chunked)
        soup_message_headers_replace(headers, "Transfer-Encoding", "chunked");
    soup_message_headers_foreach(headers, add_header, head);
    g_string_append(head, "\r\n");
    piece = (GOutputVector){head->str, head->len};
    /* The first bytes of a connection find room; if the reader is gone, the writer will know. */
    (void) send_all(self, &piece, 1, &piece, NULL);
}

HttpStream *
http_stream_new(HttpRequest *request, const char *content_type)
{
    HttpStream *self = g_new0(HttpStream, 1);

    self->message = http_request_take_message(request);
    self->is_chunked = soup_server_message_get_http_version(self->message) != SOUP_HTTP_1_0;
    self->socket = http_accept_socket(self->message);
    if (self->socket == NULL) {
        self->is_broken = true; /* gone while it was decided */
        return self;
    }
    g_object_ref(self->socket);
    self->connection = soup_server_message_steal_connection(self->message);
    if (g_socket_get_family(self->socket) == G_SOCKET_FAMILY_UNIX) /* TCP finds its own */
        (void) g_socket_set_option(self->socket, SOL_SOCKET, SO_SNDBUF, SOCKET_BYTES, NULL);
    send_head(self, content_type);
    return self;
}

static bool
is_there(const HttpStream *self, GError **error)
{
    if (!self->is_broken)
        return true;
    g_set_error(error, G_IO_ERROR, G_IO_ERROR_BROKEN_PIPE, "the reader is gone");
    return false;
}

bool
http_stream_write(HttpStream *self, const struct iovec *pieces, unsigned n_pieces, GError **error)
{
    GOutputVector vectors[MAX_PIECES + 1];
    GOutputVector *content = vectors + 1;
    char frame[32];
    size_t n_bytes = 0;
    unsigned n_content = 0;

    g_assert(n_pieces <= MAX_PIECES);
    for (unsigned i = 0; i < n_pieces; i++) {
        if (pieces[i].iov_len > 0)
            content[n_content++] = (GOutputVector){pieces[i].iov_base, pieces[i].iov_len};
        n_bytes += pieces[i].iov_len;
    }
    if (n_bytes == 0) /* a chunk without content would be the end */
        return true;
    if (!is_there(self, error))
        return false;
    if (!self->is_chunked)
        return send_all(self, content, n_content, NULL, error);
    (void) snprintf(frame, sizeof(frame), "%s%zx\r\n", self->has_chunk ? "\r\n" : "", n_bytes);
    self->has_chunk = true;
    vectors[0] = (GOutputVector){frame, strlen(frame)};
    return send_all(self, vectors, n_content + 1, vectors, error);
}

bool
http_stream_finish(HttpStream *self, GError **error)
{
    const char *end = self->has_chunk ? "\r\n0\r\n\r\n" : "0\r\n\r\n";
    GOutputVector frame = {end, strlen(end)};

    self->is_finished =
        is_there(self, error) && (!self->is_chunked || send_all(self, &frame, 1, &frame, error));
    return self->is_finished;
}

void
http_stream_cut(HttpStream *self)
{
    if (self->socket != NULL)
        (void) g_socket_shutdown(self->socket, TRUE, TRUE, NULL); /* already gone is as good */
}

uint64_t
http_stream_sent(const HttpStream *self)
{
    return atomic_load(&self->n_sent);
}

bool
http_stream_has_reader(const HttpStream *self)
{
    return !self->is_broken;
}

static void
on_closed(GObject *connection, GAsyncResult *result, gpointer unused)
{
    (void) g_io_stream_close_finish(G_IO_STREAM(connection), result, NULL); /* it is gone anyway */
}

/* TLS says goodbye, for which a reader may let it wait; what was not finished ends without. */
void
http_stream_free(HttpStream *self)
{
    if (self == NULL)
        return;
    if (!self->is_finished)
        http_stream_cut(self);
    if (self->connection != NULL)
        g_io_stream_close_async(self->connection, G_PRIORITY_DEFAULT, NULL, on_closed, NULL);
    g_clear_object(&self->connection);
    g_clear_object(&self->socket);
    g_object_unref(self->message);
    g_free(self);
}
