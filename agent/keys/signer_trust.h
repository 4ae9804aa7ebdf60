#pragma once

#include "agent/keys/signed_list.h"
#include "crypto/key_ring.h"
#include "storage/object_store.h"

#include <glib.h>
#include <stdbool.h>

/* How far an organisation believes the programs that its key ring enrols: until one is revoked all
 * it signs, and then what it had signed by its place in the log. A ring that enrols nobody leaves
 * that to the settings. */
typedef struct SignerTrust SignerTrust;

/* `folder`: of the ring, with the lists. Errors: STORAGE_ERROR, CRYPTO_ERROR - a list is missing or
 * is not the one that the ring names. */
SignerTrust *signer_trust_open(const char *folder, const KeyRing *ring,
                               GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Looks at each manifest part of `session`.
 * Returns: GPtrArray of char * (owned), a sentence for each part whose signature does not count.
 * Errors: the store's. */
GPtrArray *signer_trust_check_session(const SignerTrust *self, ObjectStore *store,
                                      const char *session,
                                      GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Returns: why the checkpoint `note` does not count, owned; NULL: it does, or is somebody else's.
 */
char *signer_trust_check_checkpoint(const SignerTrust *self, GBytes *note);

/* Lists what `verifier_key` has signed of `org` up to now. Errors: MALFORMED; the store's. */
SignedList *signer_trust_list(ObjectStore *store, const char *org, const char *verifier_key,
                              GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Returns: `<name>+<key id>` of a verifier key, as people are shown it; owned. */
char *signer_trust_mark(const char *verifier_key);

void signer_trust_free(SignerTrust *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SignerTrust, signer_trust_free)
