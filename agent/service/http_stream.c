#include "agent/service/http_stream.h"

#include "agent/service/http_request_private.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <string.h>
#include <unistd.h>

/* The way of a byte: the pipe is read only while less than may_wait() waits for the reader; then
 * the pipe fills up, and who writes into it waits. The more waits, the less often a reader that
 * takes several answers in turn has to wait itself; so a few answers have much each, and many share
 * a bounded room. */

#define CHUNK_BYTES       (128u << 10)
#define ROOM_BYTES        ((size_t) 48 << 20) /* of all answers together */
#define MAX_WAITING_BYTES ((size_t) 1 << 20)
#define MIN_WAITING_BYTES ((size_t) 256 << 10)

static unsigned n_answers; /* that are open; main thread */

struct HttpStream {
    SoupServerMessage *message;
    gulong on_wrote, on_finished;
    int fd;      /* -1: read to its end, or given up */
    guint watch; /* 0: not looking, because the reader is behind */
    size_t n_waiting;
    uint64_t n_sent;
    bool is_ending;
    bool is_whole; /* what went in, and what was sent of it */
    void (*on_closed)(bool is_whole, void *user_data);
    void *user_data;
};

static bool
may_wait(const HttpStream *self)
{
    return self->n_waiting <
           CLAMP(ROOM_BYTES / MAX(n_answers, 1), MIN_WAITING_BYTES, MAX_WAITING_BYTES);
}

static void
stop_reading(HttpStream *self)
{
    g_clear_handle_id(&self->watch, g_source_remove);
    if (self->fd >= 0)
        (void) close(self->fd); /* only read from; the writer gets EPIPE */
    self->fd = -1;
}

static void
on_finished(SoupServerMessage *message, gpointer user_data)
{
    HttpStream *self = user_data;
    const bool is_whole = self->is_ending && self->is_whole && self->n_waiting == 0;

    stop_reading(self);
    g_signal_handler_disconnect(self->message, self->on_wrote);
    g_signal_handler_disconnect(self->message, self->on_finished);
    n_answers--;
    self->on_closed(is_whole, self->user_data);
    g_object_unref(self->message);
    g_free(self);
}

static void
cut_off(HttpStream *self)
{
    GSocket *socket = soup_server_message_get_socket(self->message);

    if (socket != NULL)
        (void) g_socket_shutdown(socket, TRUE, TRUE, NULL); /* already gone is as good */
    soup_server_message_unpause(self->message);             /* so that it notices */
}

typedef struct {
    size_t n_bytes;
    uint8_t bytes[];
} Chunk;

static void
chunk_free(gpointer data)
{
    Chunk *self = data;

    explicit_bzero(self->bytes, self->n_bytes);
    g_free(self);
}

/* Returns: bytes read; 0 at the end, or where nothing can be read any more. */
static size_t
take_chunk(HttpStream *self)
{
    Chunk *chunk = g_malloc(sizeof(*chunk) + CHUNK_BYTES);
    ssize_t n = read(self->fd, chunk->bytes, CHUNK_BYTES);
    g_autoptr(GBytes) bytes = NULL;

    chunk->n_bytes = n > 0 ? (size_t) n : 0;
    bytes = g_bytes_new_with_free_func(chunk->bytes, chunk->n_bytes, chunk_free, chunk);
    if (n <= 0)
        return 0;
    self->n_waiting += (size_t) n;
    soup_message_body_append_bytes(soup_server_message_get_response_body(self->message), bytes);
    soup_server_message_unpause(self->message);
    return (size_t) n;
}

static gboolean
on_readable(gint fd, GIOCondition condition, gpointer user_data)
{
    HttpStream *self = user_data;
    const bool has_more = take_chunk(self) > 0;

    if (has_more && may_wait(self))
        return G_SOURCE_CONTINUE;
    self->watch = 0;
    if (!may_wait(self))
        return G_SOURCE_REMOVE; /* on_wrote looks again */
    stop_reading(self);
    if (self->is_ending) {
        soup_message_body_complete(soup_server_message_get_response_body(self->message));
        soup_server_message_unpause(self->message);
    }
    return G_SOURCE_REMOVE;
}

static void
look_again(HttpStream *self)
{
    if (self->fd >= 0 && self->watch == 0 && may_wait(self))
        self->watch = g_unix_fd_add(self->fd, G_IO_IN | G_IO_HUP | G_IO_ERR, on_readable, self);
}

static void
on_wrote(SoupServerMessage *message, guint n_bytes, gpointer user_data)
{
    HttpStream *self = user_data;

    self->n_waiting -= MIN(self->n_waiting, n_bytes);
    self->n_sent += n_bytes;
    look_again(self);
}

HttpStream *
http_stream_new(HttpRequest *request, const char *content_type, int fd,
                void (*on_closed)(bool is_whole, void *user_data), void *user_data)
{
    HttpStream *self = g_new0(HttpStream, 1);
    SoupMessageHeaders *headers = NULL;

    n_answers++;
    self->message = http_request_take_message(request);
    self->fd = fd;
    self->on_closed = on_closed;
    self->user_data = user_data;
    headers = soup_server_message_get_response_headers(self->message);
    soup_message_headers_set_encoding(headers, SOUP_ENCODING_CHUNKED);
    soup_message_headers_replace(headers, "Content-Type", content_type);
    soup_message_headers_replace(headers, "Cache-Control", "no-store");
    soup_message_body_set_accumulate(soup_server_message_get_response_body(self->message), FALSE);
    soup_server_message_set_status(self->message, 200, NULL);
    self->on_wrote = g_signal_connect(self->message, "wrote-body-data", G_CALLBACK(on_wrote), self);
    self->on_finished = g_signal_connect(self->message, "finished", G_CALLBACK(on_finished), self);
    soup_server_message_unpause(self->message); /* the head goes out at once */
    look_again(self);
    return self;
}

void
http_stream_end(HttpStream *self, bool is_whole)
{
    self->is_ending = true;
    self->is_whole = is_whole;
    if (!is_whole) {
        stop_reading(self);
        cut_off(self);
    } else if (self->fd < 0) {
        soup_message_body_complete(soup_server_message_get_response_body(self->message));
        soup_server_message_unpause(self->message);
    }
}

uint64_t
http_stream_sent(const HttpStream *self)
{
    return self->n_sent;
}
