#pragma once

#include "crypto/age_key.h"
#include "storage/manifest.h"
#include "storage/object_store.h"

#include <glib.h>

/* The tracks' keys, out of the envelopes, checked against the signed manifest: a key counts only if
 * its public half is the recipient that the manifest names for the track, so a swapped envelope is
 * noticed. */
typedef struct RecoverKeys RecoverKeys;

/* Reads the identity files that open envelopes. A file that is itself sealed to a passphrase is
 * opened with the one asked for on the terminal. Returns: GPtrArray of AgeIdentity, owned. Errors:
 * CONFIG_ERROR of key_file_read(), which refuses a file that others may use; CRYPTO_ERROR, with the
 * path. */
GPtrArray *recover_keys_read_identities(char **paths, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Opens every envelope of the manifest's session. An envelope that can not be opened, or holds
 * another key than the manifest says, is an error only once a track lacks its key. Errors: the
 * store's. */
RecoverKeys *recover_keys_open(ObjectStore *store, const ManifestPart *manifest,
                               GPtrArray *identities, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Returns: GPtrArray of the one AgeIdentity, borrowed.
 * Errors: why no envelope gave the track's key. */
GPtrArray *recover_keys_track(const RecoverKeys *self, const char *track,
                              GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Returns: what was wrong with an envelope, one sentence, borrowed; NULL for nothing. */
const char *recover_keys_trouble(const RecoverKeys *self);
void recover_keys_free(RecoverKeys *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RecoverKeys, recover_keys_free)
