#include "agent/service/http_handshake.h"

#include <stdbool.h>

/* The way of a handshake:
 *  1. quiet: the peer has connected and said nothing. It costs a file descriptor, no thread.
 *  2. ready: it has begun to speak, and waits for its turn.
 *  3. led: in a thread of GIO's pool, which has ten and gets more only slowly. After TURN_MS it is
 *     given up as soon as one is ready that can not be led.
 * All three together may take as long as the limit. */

#define MAX_LED 8
#define TURN_MS 1000

typedef struct {
    HttpHandshakes *owner; /* NULL: gone, while this was led */
    GSocket *socket;
    GIOStream *connection; /* TLS; once it is led */
    GQueue *place;         /* of the owner's three */
    GSource *first_bytes;
    guint limit, turn;
    bool is_given_up; /* led, and no longer wanted */
} Handshake;

struct HttpHandshakes {
    HttpHandshakeOptions options;
    GQueue quiet, ready, led; /* Handshake, the oldest first */
};

static void
handshake_stop(Handshake *handshake)
{
    g_clear_handle_id(&handshake->limit, g_source_remove);
    g_clear_handle_id(&handshake->turn, g_source_remove);
    if (handshake->first_bytes != NULL)
        g_source_destroy(handshake->first_bytes);
    g_clear_pointer(&handshake->first_bytes, g_source_unref);
}

static void
handshake_free(Handshake *handshake)
{
    handshake_stop(handshake);
    g_clear_object(&handshake->connection);
    g_object_unref(handshake->socket);
    g_free(handshake);
}

static void
move_to(Handshake *handshake, GQueue *place)
{
    if (handshake->place != NULL)
        (void) g_queue_remove(handshake->place, handshake);
    handshake->place = place;
    if (place != NULL)
        g_queue_push_tail(place, handshake);
}

/* The thread of one that is led finds its socket shut, and its end is told as ever. */
static void
give_up(Handshake *handshake)
{
    if (handshake->place == &handshake->owner->led) {
        handshake->is_given_up = true;
        (void) g_socket_shutdown(handshake->socket, TRUE, TRUE, NULL); /* gone is as good */
        return;
    }
    move_to(handshake, NULL);
    handshake_free(handshake);
}

static gboolean
on_limit(gpointer user_data)
{
    Handshake *handshake = user_data;

    handshake->limit = 0;
    give_up(handshake);
    return G_SOURCE_REMOVE;
}

static gboolean
on_turn_over(gpointer user_data)
{
    Handshake *handshake = user_data;

    handshake->turn = 0;
    if (!g_queue_is_empty(&handshake->owner->ready))
        give_up(handshake);
    return G_SOURCE_REMOVE;
}

static void lead_next(HttpHandshakes *self);

static void
on_handshake(GObject *connection, GAsyncResult *result, gpointer user_data)
{
    Handshake *handshake = user_data;
    HttpHandshakes *self = handshake->owner;
    g_autoptr(GError) error = NULL;
    const bool is_done =
        g_tls_connection_handshake_finish(G_TLS_CONNECTION(connection), result, &error);

    if (self != NULL) {
        move_to(handshake, NULL);
        if (!is_done) {
            g_debug("a TLS handshake failed: %s", error->message);
        } else if (!handshake->is_given_up) {
            self->options.on_done(handshake->socket, handshake->connection,
                                  self->options.user_data);
        }
        lead_next(self);
    }
    handshake_free(handshake);
}

/* Any fault refuses. A server is asked even where there is none. */
static gboolean
on_certificate(GTlsConnection *connection, GTlsCertificate *certificate,
               GTlsCertificateFlags errors, gpointer unused)
{
    return errors == 0;
}

static void
lead(Handshake *handshake)
{
    const HttpHandshakeOptions *options = &handshake->owner->options;
    g_autoptr(GSocketConnection) base =
        g_socket_connection_factory_create_connection(handshake->socket);
    g_autoptr(GError) error = NULL;

    handshake->connection =
        g_tls_server_connection_new(G_IO_STREAM(base), options->certificate, &error);
    if (handshake->connection == NULL) {
        g_warning("no TLS handshake can be led: %s", error->message);
        give_up(handshake);
        return;
    }
    g_tls_connection_set_database(G_TLS_CONNECTION(handshake->connection), options->authorities);
    g_object_set(handshake->connection, "authentication-mode", G_TLS_AUTHENTICATION_REQUIRED,
                 "require-close-notify", FALSE, NULL);
    g_signal_connect(handshake->connection, "accept-certificate", G_CALLBACK(on_certificate), NULL);
    move_to(handshake, &handshake->owner->led);
    handshake->turn = g_timeout_add(TURN_MS, on_turn_over, handshake);
    g_tls_connection_handshake_async(G_TLS_CONNECTION(handshake->connection), G_PRIORITY_DEFAULT,
                                     NULL, on_handshake, handshake);
}

/* Leads as many as may be; for the next the oldest that has had its turn gives way. */
static void
lead_next(HttpHandshakes *self)
{
    while (!g_queue_is_empty(&self->ready) && self->led.length < MAX_LED)
        lead(g_queue_peek_head(&self->ready));
    if (g_queue_is_empty(&self->ready))
        return;
    for (GList *item = self->led.head; item != NULL; item = item->next) {
        Handshake *handshake = item->data;

        if (handshake->turn == 0 && !handshake->is_given_up) {
            give_up(handshake);
            return;
        }
    }
}

static gboolean
on_first_bytes(GSocket *socket, GIOCondition condition, gpointer user_data)
{
    Handshake *handshake = user_data;
    HttpHandshakes *self = handshake->owner;

    g_clear_pointer(&handshake->first_bytes, g_source_unref);
    move_to(handshake, &self->ready);
    lead_next(self);
    return G_SOURCE_REMOVE;
}

HttpHandshakes *
http_handshakes_new(const HttpHandshakeOptions *options)
{
    HttpHandshakes *self = g_new0(HttpHandshakes, 1);

    self->options = *options;
    return self;
}

void
http_handshakes_begin(HttpHandshakes *self, GSocket *socket)
{
    Handshake *handshake = g_new0(Handshake, 1);

    if (self->quiet.length + self->ready.length >= HTTP_HANDSHAKES_WAITING)
        give_up(g_queue_peek_head(g_queue_is_empty(&self->quiet) ? &self->ready : &self->quiet));
    handshake->owner = self;
    handshake->socket = g_object_ref(socket);
    handshake->limit = g_timeout_add(self->options.limit_ms, on_limit, handshake);
    handshake->first_bytes = g_socket_create_source(socket, G_IO_IN, NULL);
    g_source_set_callback(handshake->first_bytes, G_SOURCE_FUNC(on_first_bytes), handshake, NULL);
    g_source_attach(handshake->first_bytes, NULL);
    move_to(handshake, &self->quiet);
}

void
http_handshakes_free(HttpHandshakes *self)
{
    Handshake *handshake = NULL;

    if (self == NULL)
        return;
    while ((handshake = g_queue_peek_head(&self->quiet)) != NULL ||
           (handshake = g_queue_peek_head(&self->ready)) != NULL)
        give_up(handshake);
    while ((handshake = g_queue_peek_head(&self->led)) != NULL) {
        give_up(handshake);
        handshake_stop(handshake);
        move_to(handshake, NULL);
        handshake->owner = NULL; /* its end frees it */
    }
    g_free(self);
}
