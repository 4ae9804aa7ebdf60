#pragma once

#include "crypto/age_context.h"
#include "crypto/age_key.h"
#include "crypto/byte_stream.h"

/* Opens a stream that is an age file, in constant memory, and lets out only what is authenticated.
 * A reader learns that a file was cut only at its end: what was let out before is genuine, but may
 * not be all. Thread: one at a time. */
typedef struct AgeReader AgeReader;

/* Reads the header from `source` and opens it.
 * `identities`: GPtrArray of AgeIdentity; `context`: what the header's stanza must say, NULL for a
 * file that must have none of ours, age_context_any() for any file; both borrowed for the call
 * only. `source_data`: borrowed until age_reader_free(). Errors: MALFORMED, NO_MATCH,
 * AUTHENTICATION, CONTEXT, NO_LOCKED_MEMORY; what the source says. */
AgeReader *age_reader_new(GPtrArray *identities, const AgeContext *context, ByteSource source,
                          void *source_data, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Opens the next chunk.
 * `plain`: borrowed until the next call; `n_plain`: 0 once the file has ended as it should.
 * Errors: AUTHENTICATION - changed, cut, or followed by something; what the source says. */
bool age_reader_next(AgeReader *self, const uint8_t **plain, size_t *n_plain,
                     GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Wipes the plaintext still held. */
void age_reader_free(AgeReader *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AgeReader, age_reader_free)
