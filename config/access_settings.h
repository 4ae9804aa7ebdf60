#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* What the administrator wrote under `access`: the opener, sealtape-accessd. Whom it opens for and
 * for how long stands in the organisations' files. */
typedef struct {
    char *socket_path;       /* access.socket */
    char *signing_key_path;  /* access.signing_key: of its audit log */
    char *audit_path;        /* access.audit: of its audit logs; that of the recorder */
    char *state_path;        /* access.state: what outlives a restart, beside the audit logs */
    char **identity_paths;   /* access.identities: NULL-terminated; may be empty */
    char *passphrase_path;   /* access.passphrase_file: of sealed identity files; NULL: none */
    char *store_credentials; /* access.store_credentials: in place of the store's; NULL: those */
    uint32_t max_grants;     /* access.max_grants: alive at once */
    uint32_t max_streams;    /* access.max_streams: media being opened at once */
    uint32_t
        person_per_minute; /* access.max_person_requests: grants one person may ask for a minute */
    char *tls_address;     /* access.tls.listen: `host:port`; NULL: the socket alone */
    char *tls_certificate_path, *tls_key_path;
    char *tls_client_ca_path; /* who vouches for clients; a certificate is always demanded */
} AccessSettings;

void access_settings_free(AccessSettings *self);
