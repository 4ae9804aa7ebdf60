#pragma once

#include "crypto/age_context.h"
#include "crypto/age_header.h"

#include <glib.h>

/* Between a header and the file key it gives away: what readers and writers have in common.
 * `recipients` and `identities`: GPtrArray of AgeRecipient / AgeIdentity, borrowed. */

/* Draws a file key and writes the header that gives it to all of `recipients`, behind the stanza
 * of `context` (NULL for none).
 * `file_key`: set to the key, owned by the caller.
 * Returns: the header, owned.
 * Errors: NO_LOCKED_MEMORY; MALFORMED - no recipient, or a passphrase with anything beside it. */
GByteArray *age_lock_new(GPtrArray *recipients, const AgeContext *context, Secret **file_key,
                         GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* From a header to its file key, in the order that matters:
 *  1. a passphrase stanza stands alone;
 *  2. the first of `identities` that opens a stanza gives the file key;
 *  3. with it the header's MAC is right, so nothing in the header was changed;
 *  4. only now is the context stanza believed, and compared with `context`.
 * Returns: the file key, owned.
 * Errors: MALFORMED, NO_MATCH, AUTHENTICATION, CONTEXT, NO_LOCKED_MEMORY. */
Secret *age_lock_open(GPtrArray *identities, const AgeContext *context, const AgeHeader *header,
                      GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Returns: the text of the header's first stanza of ours, owned; NULL if there is none. */
char *age_lock_claimed_context(const AgeHeader *header);
