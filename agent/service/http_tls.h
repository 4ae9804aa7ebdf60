#pragma once

#include "agent/service/http_service.h"

#include <gio/gio.h>
#include <glib.h>

/* The same routes on an address, over TLS 1.2 or later, for clients with a certificate only: one
 * that an authority of `client_ca_path` vouches for, now and for this use. Main thread. */
typedef struct HttpTls HttpTls;

typedef struct {
    const char *certificate_path, *key_path;
    const char *client_ca_path;
    unsigned handshake_ms; /* how long a client may take to show it */
} HttpTlsOptions;

/* `address`: `host:port`, the host an address; `[...]` around one of IPv6.
 * Returns: a socket that listens there, owned. Errors: G_IO_ERROR, with the address. */
GSocket *http_tls_listen(const char *address, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Serves `service`, which outlives it, on `listening` (borrowed). Errors: G_TLS_ERROR and others of
 * GIO, with the file that is wrong. */
HttpTls *http_tls_new(HttpService *service, GSocket *listening, const HttpTlsOptions *options,
                      GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Connections whose handshake is done stay the service's; NULL is allowed. */
void http_tls_free(HttpTls *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HttpTls, http_tls_free)
