#include "agent/service/http_tls.h"

#include "agent/service/http_accept.h"
#include "agent/service/http_request_private.h"

#define BACKLOG 128

struct HttpTls {
    GSocket *listening;
    GTlsCertificate *certificate;
    GTlsDatabase *authorities;
    HttpAccept *accept;
};

GSocket *
http_tls_listen(const char *address, GError **error)
{
    g_autoptr(GSocketConnectable) place = g_network_address_parse(address, 0, error);
    g_autoptr(GSocketAddress) parsed = NULL;
    g_autoptr(GSocket) listening = NULL;

    if (place == NULL)
        return NULL;
    parsed = g_inet_socket_address_new_from_string(
        g_network_address_get_hostname(G_NETWORK_ADDRESS(place)),
        g_network_address_get_port(G_NETWORK_ADDRESS(place)));
    if (parsed == NULL) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                    "%s: its host must be an address of this host, not a name", address);
        return NULL;
    }
    listening = g_socket_new(g_socket_address_get_family(parsed), G_SOCKET_TYPE_STREAM,
                             G_SOCKET_PROTOCOL_TCP, error);
    if (listening == NULL)
        return NULL;
    g_socket_set_listen_backlog(listening, BACKLOG);
    if (!g_socket_bind(listening, parsed, TRUE, error) || !g_socket_listen(listening, error)) {
        g_prefix_error(error, "%s: ", address);
        return NULL;
    }
    return g_steal_pointer(&listening);
}

static bool
read_files(HttpTls *self, const HttpTlsOptions *options, GError **error)
{
    self->certificate =
        g_tls_certificate_new_from_files(options->certificate_path, options->key_path, error);
    if (self->certificate == NULL) {
        g_prefix_error(error, "%s: ", options->certificate_path);
        return false;
    }
    self->authorities = g_tls_file_database_new(options->client_ca_path, error);
    if (self->authorities == NULL)
        g_prefix_error(error, "%s: ", options->client_ca_path);
    return self->authorities != NULL;
}

HttpTls *
http_tls_new(HttpService *service, GSocket *listening, const HttpTlsOptions *options,
             GError **error)
{
    g_autoptr(HttpTls) self = g_new0(HttpTls, 1);

    if (!read_files(self, options, error))
        return NULL;
    self->listening = g_object_ref(listening);
    self->accept = http_accept_new_tls(http_service_server(service), listening,
                                       &(HttpHandshakeOptions){.certificate = self->certificate,
                                                               .authorities = self->authorities,
                                                               .limit_ms = options->handshake_ms});
    return g_steal_pointer(&self);
}

void
http_tls_free(HttpTls *self)
{
    if (self == NULL)
        return;
    http_accept_free(self->accept);
    g_clear_object(&self->listening);
    g_clear_object(&self->certificate);
    g_clear_object(&self->authorities);
    g_free(self);
}
