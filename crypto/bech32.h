#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bech32 (BIP 173) as age uses it: without the limit of 90 characters, which age drops too, but of
 * values small enough for the stack: an RSA key of 4096 bits. May hold key bytes: the owner wipes
 * it with sodium_memzero().
 */
typedef struct {
    char prefix[84]; /* as written, in the case it was written */
    uint8_t bytes[520];
    size_t n_bytes;
} Bech32;

/* Buffer that bech32_encode() needs, the NUL included. */
#define BECH32_TEXT_BYTES 1000

/* Strict: one case throughout, known characters, checksum, zero padding of less than five bits.
 * Returns: true with `self` set, or false with what is wrong in `reason` (static, borrowed; never
 * a part of the text, which may be a secret key). */
bool bech32_decode(Bech32 *self, const char *text, size_t n_text, const char **reason);

/* Writes `self` (prefix in lower case) to `text` in lower case, NUL-terminated. */
void bech32_encode(const Bech32 *self, char text[BECH32_TEXT_BYTES]);
