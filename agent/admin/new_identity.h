#pragma once

#include <glib.h>

/* Draws an identity and writes it as age-keygen would, to the new file `path` that only its owner
 * may read, never over another. `meaning`: for the comment in it. Returns: its recipient, owned.
 * Errors: CONFLICT - there is a file; CRYPTO_ERROR, STORAGE_ERROR. */
char *new_identity_create(const char *path, const char *meaning,
                          GError **error) G_GNUC_WARN_UNUSED_RESULT;
