#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ED25519_KEY_BYTES       32
#define ED25519_SIGNATURE_BYTES 64

/* Whether `signature` is that of `bytes` under `key` (RFC 8032, Ed25519). For signatures whose form
 * others have laid down; what is signed here is a note (signed_note.h). */
bool ed25519_is_genuine(const uint8_t key[ED25519_KEY_BYTES],
                        const uint8_t signature[ED25519_SIGNATURE_BYTES], const void *bytes,
                        size_t n_bytes);
