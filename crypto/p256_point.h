#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* Points of NIST P-256 and what a sender computes with them, by libcrypto. */

#define P256_COMPRESSED_BYTES   33
#define P256_UNCOMPRESSED_BYTES 65
#define P256_SHARED_BYTES       32

/* Returns: whether `compressed` is a point of the curve, written the one way it can be; then
 * `uncompressed` holds it. */
bool p256_point_decompress(const uint8_t compressed[P256_COMPRESSED_BYTES],
                           uint8_t uncompressed[P256_UNCOMPRESSED_BYTES]);

/* Returns: whether `uncompressed` is a point of the curve. */
bool p256_point_is_valid(const uint8_t uncompressed[P256_UNCOMPRESSED_BYTES]);

/* Writes the shorter form of a valid point. */
void p256_point_compress(const uint8_t uncompressed[P256_UNCOMPRESSED_BYTES],
                         uint8_t compressed[P256_COMPRESSED_BYTES]);

/* Draws a key pair for one use, and agrees with `peer` (valid). `own`: its public half; `shared`:
 * the x coordinate that both sides have, to be wiped by the caller.
 * Errors: CRYPTO_ERROR_IO - libcrypto refused. */
bool p256_point_agree(const uint8_t peer[P256_UNCOMPRESSED_BYTES],
                      uint8_t own[P256_UNCOMPRESSED_BYTES], uint8_t shared[P256_SHARED_BYTES],
                      GError **error) G_GNUC_WARN_UNUSED_RESULT;
