#include "agent/service/http_stream.h"

#include "agent/service/http_request_private.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

/* The connection is taken from libsoup, whose main loop would copy each byte four times more. What
 * is sent lies in the kernel's buffer of the socket until the reader takes it, and nowhere else. */

#define MAX_PIECES 4
/* The kernel allows as much as its `net.core.wmem_max`, and that is as good. */
#define SOCKET_BYTES (1 << 20)

struct HttpStream {
    SoupServerMessage *message; /* counts as an open connection as long as it lives */
    GIOStream *connection;
    GSocket *socket;
    bool is_chunked; /* else its end is the end of the connection: HTTP/1.0 knows no other */
    bool has_chunk;  /* whose end is sent before what comes next */
    bool is_broken;
    _Atomic uint64_t n_sent;
};

/* Sends all of `pieces`, which it changes. The first of them frames the others, and does not count.
 */
static bool
send_all(HttpStream *self, GOutputVector *pieces, unsigned n_pieces, GError **error)
{
    const GOutputVector *frame = pieces;

    while (n_pieces > 0) {
        gssize n = g_socket_send_message(self->socket, NULL, pieces, (gint) n_pieces, NULL, 0, 0,
                                         NULL, error);

        if (n < 0) {
            self->is_broken = true;
            return false;
        }
        while (n_pieces > 0 && (n > 0 || pieces->size == 0)) {
            const gsize n_taken = MIN((gsize) n, pieces->size);

            if (pieces != frame)
                atomic_fetch_add(&self->n_sent, n_taken);
            pieces->buffer = (const uint8_t *) pieces->buffer + n_taken;
            pieces->size -= n_taken;
            n -= (gssize) n_taken;
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
    (void) send_all(self, &piece, 1, NULL);
}

HttpStream *
http_stream_new(HttpRequest *request, const char *content_type)
{
    HttpStream *self = g_new0(HttpStream, 1);

    self->message = http_request_take_message(request);
    self->is_chunked = soup_server_message_get_http_version(self->message) != SOUP_HTTP_1_0;
    self->socket = soup_server_message_get_socket(self->message);
    if (self->socket == NULL) {
        self->is_broken = true; /* gone while it was decided */
        return self;
    }
    g_object_ref(self->socket);
    self->connection = soup_server_message_steal_connection(self->message);
    g_socket_set_blocking(self->socket, TRUE);
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
    GOutputVector vectors[MAX_PIECES + 1] = {
        {"", 0}
    };
    char frame[32];
    size_t n_bytes = 0;

    g_assert(n_pieces <= MAX_PIECES);
    for (unsigned i = 0; i < n_pieces; i++) {
        vectors[i + 1] = (GOutputVector){pieces[i].iov_base, pieces[i].iov_len};
        n_bytes += pieces[i].iov_len;
    }
    if (n_bytes == 0) /* a chunk without content would be the end */
        return true;
    if (self->is_chunked) {
        (void) snprintf(frame, sizeof(frame), "%s%zx\r\n", self->has_chunk ? "\r\n" : "", n_bytes);
        vectors[0] = (GOutputVector){frame, strlen(frame)};
    }
    self->has_chunk = true;
    return is_there(self, error) && send_all(self, vectors, n_pieces + 1, error);
}

bool
http_stream_finish(HttpStream *self, GError **error)
{
    const char *end = self->has_chunk ? "\r\n0\r\n\r\n" : "0\r\n\r\n";
    GOutputVector frame = {end, strlen(end)};

    return is_there(self, error) && (!self->is_chunked || send_all(self, &frame, 1, error));
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

void
http_stream_free(HttpStream *self)
{
    if (self == NULL)
        return;
    if (self->connection != NULL)
        (void) g_io_stream_close(self->connection, NULL, NULL); /* nothing is buffered in it */
    g_clear_object(&self->connection);
    g_clear_object(&self->socket);
    g_object_unref(self->message);
    g_free(self);
}
