#pragma once

#include "crypto/secret.h"

#include <glib.h>

/* Who may open (recipient, public) and who can (identity, secret) an age file: X25519 key pairs,
 * c2sp.org/age, P-256 keys in a token (age_p256tag.h), keys of a Transit engine (age_transit.h) and
 * passphrases (age_passphrase.h). Both are immutable and may be shared by threads; neither is
 * reference counted. */
typedef struct AgeRecipient AgeRecipient;
typedef struct AgeIdentity AgeIdentity;

/* Reads `age1...`, `age1tag1...` or `age1transit1...` (bech32, strict: case, checksum, length, a
 * sound point). Errors: MALFORMED - names what is wrong, never echoes a secret key pasted by
 * mistake. */
AgeRecipient *age_recipient_parse(const char *text, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Returns: `age1...`, borrowed; NULL for a passphrase. */
const char *age_recipient_text(const AgeRecipient *self);
void age_recipient_free(AgeRecipient *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AgeRecipient, age_recipient_free)

/* Draws a new X25519 key pair. Errors: NO_LOCKED_MEMORY. */
AgeIdentity *age_identity_generate(GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Reads an age identity file: `#` comments, empty lines, one AGE-SECRET-KEY-1 a line.
 * `text`: the whole file, in locked memory; not changed.
 * Returns: GPtrArray of AgeIdentity (owned, never empty).
 * Errors: MALFORMED - names the line, never its content. */
GPtrArray *age_identity_parse_file(const Secret *text, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Appends the key as identity file text (`AGE-SECRET-KEY-1...\n`, 75 bytes) to a locked block.
 * Returns: the text, owned by the caller. Errors: NO_LOCKED_MEMORY. */
Secret *age_identity_to_text(const AgeIdentity *self, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Returns: the public half, owned by the caller; NULL for a passphrase. */
AgeRecipient *age_identity_recipient(const AgeIdentity *self);
void age_identity_free(AgeIdentity *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AgeIdentity, age_identity_free)
