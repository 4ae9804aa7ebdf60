#pragma once

#include "crypto/key_ring.h"

/* Reading key rings: one version, and a whole chain of them. */

/* How the values of the enumerations are written; static. */
extern const char *const key_ring_states[N_KEY_RING_STATES];
extern const char *const key_ring_roles[N_KEY_RING_ROLES];
extern const char *const key_ring_proofs[N_KEY_RING_PROOFS];

/* Strict: every line known and in its canonical form, so that writing what was read gives the same
 * bytes; two or more active keys. Errors: MALFORMED - names the line. */
KeyRing *key_ring_parse(const char *text, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Reads `notes` (GPtrArray of GBytes, version 1 first), each signed by one of `verifiers`
 * (GPtrArray of NoteVerifier) and following the one before: of the same organisation, naming its
 * digest, no key gone and none back from a later state.
 * Returns: the last version, owned. Errors: MALFORMED, AUTHENTICATION, NO_MATCH - signed by none of
 * these; the message names the version. */
KeyRing *key_ring_open(GPtrArray *notes, const char *org, GPtrArray *verifiers,
                       GError **error) G_GNUC_WARN_UNUSED_RESULT;
