#pragma once

#include <glib.h>

/* Identities whose secret halves a Transit engine keeps (HashiCorp Vault, OpenBao), named by
 *   transit:https://HOST[:PORT]/MOUNT/KEY?token-source=FILE[&ca-file=FILE][&namespace=NAME]
 * KEY is of type rsa-3072 or rsa-4096. `token-source` is a file of its owner's alone, or
 * `systemd:NAME` for a credential of the unit; it is read for each question, so that an agent may
 * renew it. The certificate is verified, against `ca-file` or the system's authorities.
 * Thread: any. */

#define TRANSIT_IDENTITY_PREFIX "transit:"

/* Reads the key's public halves. Returns: GPtrArray of AgeIdentity, owned: one for each version
 * that the service may decrypt with, the newest last. Errors: CRYPTO_ERROR_MALFORMED - no such URI;
 * CRYPTO_ERROR_TOKEN - what is wrong with the service, in one sentence; CONFIG_ERROR of
 * key_file_read() for the token. Blocks, 10 s at most. */
GPtrArray *transit_identities_open(const char *uri, GError **error) G_GNUC_WARN_UNUSED_RESULT;
