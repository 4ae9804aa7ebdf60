#pragma once

#include "crypto/age_header.h"
#include "crypto/age_key.h"

#include <glib.h>
#include <stdbool.h>

/* How a file key gets into a stanza and out again: the X25519 and scrypt recipient types of
 * c2sp.org/age. */

#define AGE_FILE_KEY_BYTES 16

/* Returns: the stanza that gives `file_key` to `recipient`, owned; NULL if libsodium could not
 * compute (no memory for scrypt). Errors: NO_LOCKED_MEMORY; IO. */
AgeStanza *age_wrap(const AgeRecipient *recipient, const Secret *file_key,
                    GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Returns: whether `recipient` has to be a file's only one: a passphrase. */
bool age_wrap_is_exclusive(const AgeRecipient *recipient);

/* Looks for a stanza of `header` that `identity` opens.
 * `file_key`: set to the key, owned by the caller, or to NULL if no stanza is for this identity.
 * Returns: true if the file may go on to the next identity or has its key.
 * Errors: MALFORMED - a stanza of a known type breaks its rules; NO_MATCH - the passphrase is wrong
 * or asks for too much work; NO_LOCKED_MEMORY. */
bool age_unwrap(const AgeIdentity *identity, const AgeHeader *header, Secret **file_key,
                GError **error) G_GNUC_WARN_UNUSED_RESULT;
