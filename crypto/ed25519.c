#include "crypto/ed25519.h"

#include <sodium.h>

bool
ed25519_is_genuine(const uint8_t key[ED25519_KEY_BYTES],
                   const uint8_t signature[ED25519_SIGNATURE_BYTES], const void *bytes,
                   size_t n_bytes)
{
    return crypto_sign_verify_detached(signature, bytes, n_bytes, key) == 0;
}
