#include "agent/service/http_tls.h"

#include "agent/service/http_request_private.h"

/* Only what the authority of `client_ca` vouches for, now and for this use: every error refuses. */
static gboolean
on_certificate(SoupServerMessage *message, GTlsCertificate *certificate,
               GTlsCertificateFlags errors, gpointer user_data)
{
    return errors == 0;
}

/* A connection's first message is there before its handshake. */
static void
on_request_started(SoupServer *server, SoupServerMessage *message, gpointer user_data)
{
    g_signal_connect(message, "accept-certificate", G_CALLBACK(on_certificate), NULL);
}

bool
http_tls_listen(HttpService *service, const HttpTlsOptions *options, GError **error)
{
    SoupServer *server = http_service_server(service);
    g_autoptr(GSocketConnectable) place = g_network_address_parse(options->address, 0, error);
    g_autoptr(GTlsCertificate) certificate = NULL;
    g_autoptr(GTlsDatabase) authorities = NULL;
    g_autoptr(GSocketAddress) address = NULL;

    if (place == NULL)
        return false;
    certificate =
        g_tls_certificate_new_from_files(options->certificate_path, options->key_path, error);
    if (certificate == NULL) {
        g_prefix_error(error, "%s: ", options->certificate_path);
        return false;
    }
    authorities = g_tls_file_database_new(options->client_ca_path, error);
    if (authorities == NULL) {
        g_prefix_error(error, "%s: ", options->client_ca_path);
        return false;
    }
    address = g_inet_socket_address_new_from_string(
        g_network_address_get_hostname(G_NETWORK_ADDRESS(place)),
        g_network_address_get_port(G_NETWORK_ADDRESS(place)));
    if (address == NULL) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                    "%s: its host must be an address of this host, not a name", options->address);
        return false;
    }
    soup_server_set_tls_certificate(server, certificate);
    soup_server_set_tls_database(server, authorities);
    soup_server_set_tls_auth_mode(server, G_TLS_AUTHENTICATION_REQUIRED);
    g_signal_connect(server, "request-started", G_CALLBACK(on_request_started), NULL);
    return soup_server_listen(server, address, SOUP_SERVER_LISTEN_HTTPS, error);
}
