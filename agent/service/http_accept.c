#include "agent/service/http_accept.h"

#include <errno.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <unistd.h>

/* After a want of file descriptors or memory: there may be some again. */
#define PAUSE_MS 200

static const char socket_key[] = "sealtape-socket";

struct HttpAccept {
    SoupServer *server;
    GSocket *listening;
    GSource *source; /* NULL: in a pause */
    guint pause;
    HttpHandshakes *handshakes; /* NULL: no TLS */
};

static void listen_on(HttpAccept *self);

static void
stop_listening(HttpAccept *self)
{
    if (self->source == NULL)
        return;
    g_source_destroy(self->source);
    g_clear_pointer(&self->source, g_source_unref);
}

static gboolean
on_pause_ended(gpointer user_data)
{
    HttpAccept *self = user_data;

    self->pause = 0;
    listen_on(self);
    return G_SOURCE_REMOVE;
}

/* A connection given as a stream has no socket in libsoup's eyes; its address carries it. */
static void
hand_over(HttpAccept *self, GSocket *socket, GIOStream *connection)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GSocketAddress) local = g_socket_get_local_address(socket, &error);
    g_autoptr(GSocketAddress) remote =
        local != NULL ? g_socket_get_remote_address(socket, &error) : NULL;

    if (remote != NULL)
        g_object_set_data_full(G_OBJECT(remote), socket_key, g_object_ref(socket), g_object_unref);
    if (remote == NULL ||
        !soup_server_accept_iostream(self->server, connection, local, remote, &error))
        g_debug("a connection was gone once it was taken: %s", error->message);
}

static void
on_handshake_done(GSocket *socket, GIOStream *connection, void *user_data)
{
    hand_over(user_data, socket, connection);
}

/* `fd`: taken. */
static void
take(HttpAccept *self, int fd)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GSocket) socket = g_socket_new_from_fd(fd, &error);
    g_autoptr(GSocketConnection) connection = NULL;

    if (socket == NULL) {
        g_debug("a connection was gone once it was taken: %s", error->message);
        (void) close(fd); /* it is nobody's */
    } else if (self->handshakes != NULL) {
        http_handshakes_begin(self->handshakes, socket);
    } else {
        connection = g_socket_connection_factory_create_connection(socket);
        hand_over(self, socket, G_IO_STREAM(connection));
    }
}

/* Whether accept(2) failed for the sake of one peer, so that the next can be taken at once. All
 * else lasts for a while, like a want of file descriptors or memory. */
static bool
is_of_one_peer(int code)
{
    switch (code) {
    case ECONNABORTED:
    case EINTR:
    case EPERM:
    case EPROTO:
    case ENOPROTOOPT:
    case EOPNOTSUPP:
    case ENETDOWN:
    case ENETUNREACH:
    case EHOSTDOWN:
    case EHOSTUNREACH:
    case ENONET:
        return true;
    default:
        return false;
    }
}

static gboolean
on_readable(GSocket *listening, GIOCondition condition, gpointer user_data)
{
    HttpAccept *self = user_data;
    const int fd = accept4(g_socket_get_fd(listening), NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    const int code = errno;

    if (fd >= 0) {
        take(self, fd);
        return G_SOURCE_CONTINUE;
    }
    if (code == EAGAIN)
        return G_SOURCE_CONTINUE; /* it has left meanwhile */
    if (is_of_one_peer(code)) {
        g_debug("a connection was gone before it was taken: %s", g_strerror(code));
        return G_SOURCE_CONTINUE;
    }
    g_warning("a connection could not be taken: %s", g_strerror(code));
    stop_listening(self);
    self->pause = g_timeout_add(PAUSE_MS, on_pause_ended, self);
    return G_SOURCE_REMOVE;
}

static void
listen_on(HttpAccept *self)
{
    self->source = g_socket_create_source(self->listening, G_IO_IN, NULL);
    g_source_set_callback(self->source, G_SOURCE_FUNC(on_readable), self, NULL);
    g_source_attach(self->source, NULL);
}

HttpAccept *
http_accept_new(SoupServer *server, GSocket *listening)
{
    HttpAccept *self = g_new0(HttpAccept, 1);

    self->server = server;
    self->listening = listening;
    g_socket_set_blocking(listening, FALSE);
    listen_on(self);
    return self;
}

HttpAccept *
http_accept_new_tls(SoupServer *server, GSocket *listening, const HttpHandshakeOptions *options)
{
    HttpAccept *self = http_accept_new(server, listening);
    HttpHandshakeOptions own = *options;

    own.on_done = on_handshake_done;
    own.user_data = self;
    self->handshakes = http_handshakes_new(&own);
    return self;
}

GSocket *
http_accept_socket(SoupServerMessage *message)
{
    GSocket *socket = soup_server_message_get_socket(message);
    GSocketAddress *remote =
        socket == NULL ? soup_server_message_get_remote_address(message) : NULL;

    if (remote != NULL)
        socket = g_object_get_data(G_OBJECT(remote), socket_key);
    return socket != NULL && !g_socket_is_closed(socket) ? socket : NULL;
}

void
http_accept_free(HttpAccept *self)
{
    if (self == NULL)
        return;
    stop_listening(self);
    g_clear_handle_id(&self->pause, g_source_remove);
    http_handshakes_free(self->handshakes);
    g_free(self);
}
