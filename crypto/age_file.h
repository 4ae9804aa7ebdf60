#pragma once

#include "crypto/age_context.h"
#include "crypto/age_key.h"
#include "crypto/plain_buffer.h"

#include <glib.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

/* Whole age files in memory: segments, envelopes, metadata. Streams are in age_writer.h and
 * age_reader.h, on which this stands.
 * `recipients` and `identities`: GPtrArray of AgeRecipient / AgeIdentity, borrowed. */

/* More than fits in memory at ease belongs into a stream. */
#define AGE_FILE_MAX_BYTES ((size_t) 1 << 30)

/* Seals the concatenation of `pieces` (borrowed; the caller wipes them; at most
 * AGE_FILE_MAX_BYTES together, asserted) to every recipient. The
 * context stanza stands first; `context` NULL writes none.
 * Returns: the age v1 file. Errors: NO_LOCKED_MEMORY; MALFORMED - no recipient, or a passphrase
 * among others. */
GBytes *age_file_seal(GPtrArray *recipients, const AgeContext *context, const struct iovec *pieces,
                      size_t n_pieces, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Opens `sealed` (`n_bytes`, binary age file; exactly one, nothing behind it).
 * `context`: what its stanza must say; NULL for a file that must have none of ours;
 * age_context_any(). Returns: the plaintext in ordinary memory, which the caller wipes with
 * age_file_wipe(); for media. Errors: MALFORMED, NO_MATCH, AUTHENTICATION, CONTEXT. */
GByteArray *age_file_open(GPtrArray *identities, const AgeContext *context, const uint8_t *sealed,
                          size_t n_bytes, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* As age_file_open(), into `plain`, whose block is used again. Where it fails, `plain` is empty. */
bool age_file_open_into(GPtrArray *identities, const AgeContext *context,
                        const struct iovec *sealed, PlainBuffer *plain,
                        GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* As age_file_open(), into locked memory; for envelopes and other keys. */
Secret *age_file_open_secret(GPtrArray *identities, const AgeContext *context,
                             const uint8_t *sealed, size_t n_bytes,
                             GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Reads, without a key, what the header claims: the text of its sealtape stanza.
 * Unauthenticated: proves only that the file says so; good for telling what was moved.
 * Returns: `sealtape-segment clinic-a ...`, owned; NULL with `error` unset where there is none.
 * Errors: MALFORMED. */
char *age_file_claimed_context(const uint8_t *sealed, size_t n_bytes,
                               GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Wipes and frees a plaintext; NULL is allowed. */
void age_file_wipe(GByteArray *plaintext);
