#pragma once

#include "config/settings.h"
#include "crypto/key_ring.h"

#include <glib.h>
#include <stdbool.h>

/* Where an organisation's key ring lies: `<orgs>/<org>.keys/<version>.note`, beside its file. */

/* Returns: that folder, owned. `orgs`: the folder of the organisations' files. */
char *org_key_ring_folder(const char *orgs, const char *org);

/* Reads every version. `verifiers`: GPtrArray of NoteVerifier, the admins.
 * `last`: out, the digest of the last version's whole note; may be NULL.
 * Returns: the ring, owned; NULL with no `error` where there is none.
 * Errors: CONFIG_ERROR_UNREADABLE; CONFIG_ERROR_INVALID - one is missing, changed, or signed by a
 * key that is not trusted. */
KeyRing *org_key_ring_read(const char *folder, const char *org, GPtrArray *verifiers, Digest *last,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* `admins`: char *, verifier keys. Puts the ring's active recipients into the place of those of the
 * file, if there is a ring; one of both has to be there. Inside config/ only. */
bool org_key_ring_apply(OrgSettings *org, const char *orgs, const GPtrArray *admins,
                        GError **error) G_GNUC_WARN_UNUSED_RESULT;
