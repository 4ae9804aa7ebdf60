#pragma once

#include "storage/manifest.h"
#include "storage/object_store.h"

#include <glib.h>

/* What each participant was in the session, out of its sealed metadata. Names and references stand
 * there as well and are not read.
 * `identities`: as track_keys_open(). `trouble`: set to one sentence, owned, if the metadata is
 * missing or does not open; then nobody's role is known.
 * Returns: GHashTable of participant id to role, owned. Errors: the store's. */
GHashTable *session_people_read(ObjectStore *store, const ManifestPart *manifest,
                                GPtrArray *identities, char **trouble,
                                GError **error) G_GNUC_WARN_UNUSED_RESULT;
