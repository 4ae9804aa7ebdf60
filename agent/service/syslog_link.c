#include "agent/service/syslog_link.h"

#include <gio/gio.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

enum { LOOK_MS = 5 };

struct SyslogLink {
    GSocketConnection *base;
    GIOStream *stream; /* with TLS or without: what is written to */
    GCancellable *cancellable;
    char *fault; /* of the receiver's certificate; NULL: none */
    int64_t timeout_us;
};

static const struct {
    GTlsCertificateFlags flag;
    const char *sentence;
} faults[] = {
    {G_TLS_CERTIFICATE_UNKNOWN_CA,    "is not vouched for by the authorities in ca_file"     },
    {G_TLS_CERTIFICATE_BAD_IDENTITY,  "names another server"                                 },
    {G_TLS_CERTIFICATE_NOT_ACTIVATED, "is not valid yet"                                     },
    {G_TLS_CERTIFICATE_EXPIRED,       "has expired"                                          },
    {G_TLS_CERTIFICATE_REVOKED,       "is revoked"                                           },
    {G_TLS_CERTIFICATE_INSECURE,      "is made with an algorithm that is not secure any more"},
};

/* Remembers why, for GIO's own sentence does not say. */
static gboolean
on_certificate(GTlsConnection *connection, GTlsCertificate *certificate, GTlsCertificateFlags flags,
               gpointer user_data)
{
    SyslogLink *self = user_data;

    g_clear_pointer(&self->fault, g_free);
    for (size_t i = 0; i < G_N_ELEMENTS(faults) && self->fault == NULL; i++) {
        if ((flags & faults[i].flag) != 0)
            self->fault = g_strdup_printf("the receiver's certificate %s", faults[i].sentence);
    }
    return FALSE;
}

static GTlsCertificate *
read_certificate(const SyslogLinkOptions *options, GError **error)
{
    GTlsCertificate *certificate =
        g_tls_certificate_new_from_files(options->certificate_path, options->key_path, error);

    if (certificate == NULL)
        g_prefix_error(error, "%s, %s: ", options->certificate_path, options->key_path);
    return certificate;
}

static GIOStream *
make_tls(SyslogLink *self, const SyslogLinkOptions *options, GError **error)
{
    g_autoptr(GSocketConnectable) server =
        g_network_address_new(options->server_name, options->port);
    g_autoptr(GTlsCertificate) certificate = read_certificate(options, error);
    g_autoptr(GTlsDatabase) authorities = NULL;
    GIOStream *stream = NULL;

    if (certificate == NULL)
        return NULL;
    authorities = g_tls_file_database_new(options->ca_path, error);
    if (authorities == NULL) {
        g_prefix_error(error, "%s: ", options->ca_path);
        return NULL;
    }
    stream = g_tls_client_connection_new(G_IO_STREAM(self->base), server, error);
    if (stream == NULL)
        return NULL;
    g_tls_connection_set_database(G_TLS_CONNECTION(stream), authorities);
    g_tls_connection_set_certificate(G_TLS_CONNECTION(stream), certificate);
    g_tls_connection_set_require_close_notify(G_TLS_CONNECTION(stream), FALSE);
    g_signal_connect(stream, "accept-certificate", G_CALLBACK(on_certificate), self);
    return stream;
}

/* Puts what is known of the receiver's certificate in the place of a general sentence. */
static bool
fail(const SyslogLink *self, GError **error)
{
    if (self->fault == NULL || error == NULL)
        return false;
    g_clear_error(error);
    g_set_error_literal(error, G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE, self->fault);
    return false;
}

static GSocketConnection *
connect_to(const SyslogLinkOptions *options, GError **error)
{
    g_autoptr(GSocketClient) client = g_socket_client_new();
    GSocketConnection *connection = NULL;

    g_socket_client_set_enable_proxy(client, FALSE);
    g_socket_client_set_timeout(client, (options->timeout_ms + 999) / 1000);
    connection = g_socket_client_connect_to_host(client, options->address, options->port,
                                                 options->cancellable, error);
    if (connection != NULL) {
        /* GIO counts in seconds, which is as near as a stalled receiver needs. */
        g_socket_set_timeout(g_socket_connection_get_socket(connection),
                             (options->timeout_ms + 999) / 1000);
    }
    return connection;
}

SyslogLink *
syslog_link_open(const SyslogLinkOptions *options, GError **error)
{
    g_autoptr(SyslogLink) self = g_new0(SyslogLink, 1);

    self->timeout_us = (int64_t) options->timeout_ms * 1000;
    if (options->cancellable != NULL)
        self->cancellable = g_object_ref(options->cancellable);
    self->base = connect_to(options, error);
    if (self->base == NULL)
        return NULL;
    if (options->ca_path == NULL) {
        self->stream = g_object_ref(G_IO_STREAM(self->base));
        return g_steal_pointer(&self);
    }
    self->stream = make_tls(self, options, error);
    if (self->stream == NULL)
        return NULL;
    if (!g_tls_connection_handshake(G_TLS_CONNECTION(self->stream), self->cancellable, error)) {
        (void) fail(self, error);
        return NULL;
    }
    return g_steal_pointer(&self);
}

bool
syslog_link_send(SyslogLink *self, const char *frame, GError **error)
{
    return g_output_stream_write_all(g_io_stream_get_output_stream(self->stream), frame,
                                     strlen(frame), NULL, self->cancellable, error) ||
           fail(self, error);
}

/* Reads to the receiver's end. It has nothing to say; what it says all the same does not count. */
static bool
await_end(SyslogLink *self, GError **error)
{
    const int64_t until_us = g_get_monotonic_time() + self->timeout_us;
    char word[256];

    while (g_get_monotonic_time() < until_us) {
        const gssize n = g_input_stream_read(g_io_stream_get_input_stream(self->stream), word,
                                             sizeof word, self->cancellable, error);

        if (n <= 0)
            return n == 0;
    }
    g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT,
                        "it talks, and does not come to an end");
    return false;
}

/* No event tells of TCP's states, so they are looked at. */
static void
wait_to_look(SyslogLink *self)
{
    GPollFD cancelled = {0};
    const bool has_fd = g_cancellable_make_pollfd(self->cancellable, &cancelled);

    (void) g_poll(&cancelled, has_fd ? 1 : 0, LOOK_MS);
    if (has_fd)
        g_cancellable_release_fd(self->cancellable);
}

/* The receiver has closed. Waits for its system's word about what we sent last: acknowledged, or
 * a reset. */
static bool
await_word(SyslogLink *self, GError **error)
{
    GSocket *socket = g_socket_connection_get_socket(self->base);
    const int64_t until_us = g_get_monotonic_time() + self->timeout_us;
    struct tcp_info info = {0};
    socklen_t size = sizeof info;

    while (getsockopt(g_socket_get_fd(socket), IPPROTO_TCP, TCP_INFO, &info, &size) == 0 &&
           info.tcpi_state != TCP_CLOSE) {
        if (g_cancellable_set_error_if_cancelled(self->cancellable, error))
            return false;
        if (g_get_monotonic_time() >= until_us) {
            g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT,
                                "it has closed, and does not say that it got everything");
            return false;
        }
        wait_to_look(self);
    }
    return g_socket_check_connect_result(socket, error);
}

bool
syslog_link_finish(SyslogLink *self, GError **error)
{
    GSocket *socket = g_socket_connection_get_socket(self->base);

    /* Of TLS this is its close_notify, and of TCP nothing yet. */
    if (!g_output_stream_close(g_io_stream_get_output_stream(self->stream), self->cancellable,
                               error))
        return false;
    if (!g_socket_shutdown(socket, FALSE, TRUE, error))
        return false;
    if (await_end(self, error) && await_word(self, error))
        return true;
    g_prefix_error(error, "it did not read to the end: ");
    return false;
}

void
syslog_link_free(SyslogLink *self)
{
    if (self == NULL)
        return;
    /* Not g_io_stream_close() over TLS, which would wait for a receiver that stalls. */
    if (self->base != NULL)
        (void) g_socket_close(g_socket_connection_get_socket(self->base), NULL);
    g_clear_object(&self->stream);
    g_clear_object(&self->base);
    g_clear_object(&self->cancellable);
    g_free(self->fault);
    g_free(self);
}
