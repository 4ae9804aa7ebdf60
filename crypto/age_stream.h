#pragma once

#include "crypto/secret.h"

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The payload of an age file: STREAM over ChaCha20-Poly1305 in chunks of 64 KiB. Chunks are
 * addressed by number, so that a reader may seek. libcrypto computes it: three times libsodium's
 * speed on machines with AVX. The payload key lives in its cipher context for as long as one file.
 * Thread: one at a time. */
typedef struct AgeStream AgeStream;

#define AGE_STREAM_NONCE_BYTES  16
#define AGE_STREAM_CHUNK_BYTES  65536
#define AGE_STREAM_TAG_BYTES    16
#define AGE_STREAM_SEALED_BYTES (AGE_STREAM_CHUNK_BYTES + AGE_STREAM_TAG_BYTES)

/* Which chunk of the file it is, from 0; only the last one may be shorter. */
typedef struct {
    uint64_t number;
    bool is_last;
} AgeStreamPlace;

/* Derives the payload key from the file key and the 16 bytes behind the header. */
AgeStream *age_stream_new_seal(const Secret *file_key, const uint8_t nonce[AGE_STREAM_NONCE_BYTES]);
AgeStream *age_stream_new_open(const Secret *file_key, const uint8_t nonce[AGE_STREAM_NONCE_BYTES]);

/* Seals `n_bytes` (at most a chunk, exactly a chunk unless last) into `sealed`, 16 bytes longer. */
void age_stream_seal(AgeStream *self, AgeStreamPlace place, const uint8_t *plain, size_t n_bytes,
                     uint8_t *sealed);

/* Opens a sealed chunk of `n_sealed` (16 to AGE_STREAM_SEALED_BYTES) into `plain`, 16 bytes
 * shorter. Returns: false if it is not genuine or stands elsewhere; `plain` is then wiped. */
bool age_stream_open(AgeStream *self, AgeStreamPlace place, const uint8_t *sealed, size_t n_sealed,
                     uint8_t *plain) G_GNUC_WARN_UNUSED_RESULT;

void age_stream_free(AgeStream *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AgeStream, age_stream_free)
