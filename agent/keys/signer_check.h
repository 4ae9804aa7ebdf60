#pragma once

#include "agent/keys/signer_trust.h"
#include "config/settings.h"

/* What the key ring of a recording's organisation says of whoever signed it, for all who read
 * recordings: without a ring, or with one that enrols nobody, nothing. The ring is read each time:
 * a revocation counts at once. */

/* Returns: owned. Errors: CONFIG_ERROR - the ring does not count; as signer_trust_open(). */
SignerTrust *signer_check_trust(const Settings *settings, const char *org,
                                GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Returns: as signer_trust_check_session(). Errors: both. */
GPtrArray *signer_check_list(const Settings *settings, ObjectStore *store, const char *org,
                             const char *session, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* For whoever opens it. Errors: CORRUPT (STORAGE_ERROR) - a signature does not count, in one
 * sentence; both. */
bool signer_check_require(const Settings *settings, ObjectStore *store, const char *org,
                          const char *session, GError **error) G_GNUC_WARN_UNUSED_RESULT;
