#pragma once

#include "crypto/digest.h"
#include "crypto/secret.h"

#include <glib.h>
#include <stddef.h>

/* HMAC-SHA256 (RFC 2104) whose keys stay in locked memory. Thread: any. */

/* Returns: the code of `bytes` under `key`, which may be handed out (a signature). */
Digest hmac_of(const Secret *key, const void *bytes, size_t n_bytes);

/* Returns: the code of `text` under `key` as a key itself, owned by the caller.
 * Errors: CRYPTO_ERROR_NO_LOCKED_MEMORY. */
Secret *hmac_derive(const Secret *key, const char *text, GError **error) G_GNUC_WARN_UNUSED_RESULT;
