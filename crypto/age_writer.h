#pragma once

#include "crypto/age_context.h"
#include "crypto/age_key.h"
#include "crypto/byte_stream.h"

/* Seals a stream of any length into an age file, in constant memory. Thread: one at a time. */
typedef struct AgeWriter AgeWriter;

/* Writes the header to `sink`, then keeps it for the payload.
 * `recipients`: GPtrArray of AgeRecipient, `context`: NULL for none; both borrowed for the call
 * only. `sink_data`: borrowed until age_writer_free(). Errors: NO_LOCKED_MEMORY; MALFORMED - no
 * recipient, or a passphrase with anything beside it; what the sink says. */
AgeWriter *age_writer_new(GPtrArray *recipients, const AgeContext *context, ByteSink sink,
                          void *sink_data, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Seals `bytes`. Errors: what the sink says; the file is then lost. */
bool age_writer_write(AgeWriter *self, const uint8_t *bytes, size_t n_bytes,
                      GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Seals what is left as the last chunk; without it the file counts as cut. Nothing may follow. */
bool age_writer_finish(AgeWriter *self, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Wipes the plaintext still held. */
void age_writer_free(AgeWriter *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AgeWriter, age_writer_free)
