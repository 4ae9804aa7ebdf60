#pragma once

#include "crypto/age_key.h"
#include "storage/manifest.h"
#include "storage/object_store.h"

#include <glib.h>

/* The tracks' keys, out of the envelopes, checked against the signed manifest: a key counts only if
 * its public half is the recipient that the manifest names for the track, so a swapped envelope is
 * noticed. */
typedef struct TrackKeys TrackKeys;

/* Opens every envelope of the manifest's session. An envelope that can not be opened, or holds
 * another key than the manifest says, is an error only once a track lacks its key. Errors: the
 * store's. */
TrackKeys *track_keys_open(ObjectStore *store, const ManifestPart *manifest, GPtrArray *identities,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Returns: GPtrArray of the one AgeIdentity, borrowed.
 * Errors: why no envelope gave the track's key. */
GPtrArray *track_keys_of(const TrackKeys *self, const char *track,
                         GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Returns: what was wrong with an envelope, one sentence, borrowed; NULL for nothing. */
const char *track_keys_trouble(const TrackKeys *self);
void track_keys_free(TrackKeys *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(TrackKeys, track_keys_free)
