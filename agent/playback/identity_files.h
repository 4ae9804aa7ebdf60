#pragma once

#include "crypto/age_key.h"

#include <glib.h>
#include <stdbool.h>

/* The identities that open envelopes and metadata, out of files, into locked memory. */

/* Gives the passphrase of the identity file at `path`, owned by who asked; NULL sets `error`. */
typedef Secret *(*IdentityFilesAsk)(const char *path, void *user_data, GError **error);

/* Reads `paths` (NULL-terminated): files, or the URI of a token
 * (token_identity.h) or of a Transit engine's key (transit_identity.h). `ask`: only
 * for a file that is sealed to a passphrase; NULL: such a file is an error. Returns: GPtrArray of
 * AgeIdentity, owned. Errors: CONFIG_ERROR of key_file_read(), which refuses a file that others may
 * use; CRYPTO_ERROR, with the path. */
GPtrArray *identity_files_read(const char *const *paths, IdentityFilesAsk ask, void *user_data,
                               GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Returns: whether `path` is no file, but names a key that lies elsewhere. */
bool identity_files_is_remote(const char *path);
