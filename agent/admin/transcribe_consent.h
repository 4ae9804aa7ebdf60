#pragma once

#include "config/settings.h"
#include "storage/manifest.h"
#include "storage/object_store.h"

#include <glib.h>
#include <stdbool.h>

/* All borrowed. */
typedef struct {
    ObjectStore *store;
    const ManifestPart *manifest;
    const OrgSettings *org;
    const StoreSettings *place; /* of `store` */
    GPtrArray *identities;      /* AgeIdentity: open the session's metadata */
    GPtrArray *verifiers;       /* NoteVerifier: whose annotations are believed */
} TranscribeCase;

/* Whether a session may be written down: everyone who was in it has consented to `transcribe`, as
 * the organisation's settings want it, and nothing said after the session stands against it. What
 * can not be read is a no.
 * Errors: G_IO_ERROR_PERMISSION_DENIED - the sentence has the reason's code; the store's. */
bool transcribe_consent_check(const TranscribeCase *self, GError **error) G_GNUC_WARN_UNUSED_RESULT;
