#pragma once

#include "crypto/age_context.h"
#include "crypto/age_key.h"
#include "crypto/digest.h"

/* What an age file was made with beside its plaintext: its header, the nonce behind it, and its
 * file key. From these and the plaintext follows every byte of it, so that a digest that somebody
 * signed can be proven of a plaintext after the file itself is gone (docs/formats.md, sealing
 * anew). The file key opens that file and no other; it is kept in locked memory, and sealed. */
typedef struct AgePast AgePast;

/* Opens the header of `sealed` (`n_bytes`). `identities`: GPtrArray of AgeIdentity; `context`: what
 * its stanza must say. Says nothing of the payload: age_past_digest() does. Errors: as
 * age_file_open(). */
AgePast *age_past_take(GPtrArray *identities, const AgeContext *context, const uint8_t *sealed,
                       size_t n_bytes, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Returns: the digest of the file that holds `plain`. */
Digest age_past_digest(const AgePast *self, const uint8_t *plain, size_t n_plain);

/* Returns: `<file key, 32 hex digits> <base64 of header and nonce>`, owned. Errors:
 * NO_LOCKED_MEMORY. */
Secret *age_past_to_text(const AgePast *self, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Reads `n_bytes` of such a text, in its one spelling. Errors: MALFORMED, NO_LOCKED_MEMORY. */
AgePast *age_past_parse(const char *text, size_t n_bytes, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Wipes the key; NULL is allowed. */
void age_past_free(AgePast *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AgePast, age_past_free)
