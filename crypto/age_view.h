#pragma once

#include "crypto/age_context.h"
#include "crypto/age_key.h"
#include "crypto/byte_stream.h"

/* An age file of known length, opened for reading at any place: only the chunks asked for are read
 * and opened, and the last one opened is kept. Thread: one at a time. */
typedef struct AgeView AgeView;

/* The sealed file. */
typedef struct {
    ByteReadAt read_at;
    void *file_data; /* borrowed until age_view_free() */
    uint64_t n_bytes;
} AgeViewFile;

/* Opens the header, and the last chunk to prove that the file's length is genuine.
 * `identities`, `context`: as for age_reader_new(); `file` is copied.
 * Errors: MALFORMED, NO_MATCH, AUTHENTICATION, CONTEXT, NO_LOCKED_MEMORY; what `read_at` says. */
AgeView *age_view_new(GPtrArray *identities, const AgeContext *context, const AgeViewFile *file,
                      GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Returns: how long the plaintext is. */
uint64_t age_view_length(const AgeView *self);

/* Fills `buffer` with the `n_bytes` of plaintext at `offset`, all of which must be there
 * (asserted). Errors: AUTHENTICATION - a chunk was changed or moved; `buffer` then holds nothing of
 * it; what `read_at` says. */
bool age_view_read(AgeView *self, uint64_t offset, uint8_t *buffer, size_t n_bytes,
                   GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Wipes the plaintext still held. */
void age_view_free(AgeView *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AgeView, age_view_free)
