#pragma once

#include "crypto/age_key.h"

#include <glib.h>

/* An identity whose secret half lies in a token (PKCS#11), named by a URI of RFC 7512:
 *   pkcs11:token=LABEL;object=LABEL?pin-source=FILE[&module-path=FILE]
 * Without `module-path` the modules that p11-kit knows on the host are looked through.
 * `pin-source` is a file of its owner's alone, or `systemd:NAME` for a credential of the unit.
 * sealtape-keyhelper talks to the token, one process for each identity; it is killed if it hangs
 * and started again when it is needed. Thread: any; questions wait for each other. */

#define TOKEN_IDENTITY_PREFIX "pkcs11:"

/* Starts the helper and logs in. A wrong PIN is not tried again, by this process or another.
 * Returns: owned. Errors: CRYPTO_ERROR_MALFORMED - no such URI; CRYPTO_ERROR_TOKEN - what the
 * helper says is wrong, in one sentence; CONFIG_ERROR of key_file_read() for the PIN. Blocks, 10 s
 * at most. */
AgeIdentity *token_identity_open(const char *uri, GError **error) G_GNUC_WARN_UNUSED_RESULT;
