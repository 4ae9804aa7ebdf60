#pragma once

#include "agent/service/http_service.h"

#include <glib.h>
#include <stdbool.h>

/* The same routes on an address, over TLS 1.2 or later, for clients with a certificate only. */

typedef struct {
    const char *address; /* `host:port`, the host an address; `[...]` around one of IPv6 */
    const char *certificate_path, *key_path;
    const char *client_ca_path;
} HttpTlsOptions;

/* Errors: G_IO_ERROR, G_TLS_ERROR, with the file or address that is wrong. */
bool http_tls_listen(HttpService *service, const HttpTlsOptions *options,
                     GError **error) G_GNUC_WARN_UNUSED_RESULT;
