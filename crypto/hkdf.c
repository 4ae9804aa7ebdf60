#include "crypto/hkdf.h"

#include <glib.h>
#include <sodium.h>
#include <stdbool.h>
#include <string.h>

#define BLOCK crypto_auth_hmacsha256_BYTES

static void
extract(const HkdfInput *input, uint8_t pseudorandom_key[BLOCK])
{
    static const uint8_t no_salt[BLOCK];
    const bool has_salt = input->salt != NULL;
    crypto_auth_hmacsha256_state state;

    crypto_auth_hmacsha256_init(&state, has_salt ? input->salt : no_salt,
                                has_salt ? input->n_salt : sizeof(no_salt));
    crypto_auth_hmacsha256_update(&state, input->key, input->n_key);
    crypto_auth_hmacsha256_final(&state, pseudorandom_key);
    sodium_memzero(&state, sizeof(state));
}

/* `block` holds the block before on entry, this one on return. */
static void
expand_block(const uint8_t pseudorandom_key[BLOCK], const char *info, uint8_t counter,
             uint8_t block[BLOCK])
{
    crypto_auth_hmacsha256_state state;

    crypto_auth_hmacsha256_init(&state, pseudorandom_key, BLOCK);
    if (counter > 1)
        crypto_auth_hmacsha256_update(&state, block, BLOCK);
    crypto_auth_hmacsha256_update(&state, (const uint8_t *) info, strlen(info));
    crypto_auth_hmacsha256_update(&state, &counter, 1);
    crypto_auth_hmacsha256_final(&state, block);
    sodium_memzero(&state, sizeof(state));
}

void
hkdf_derive(const HkdfInput *input, uint8_t *key, size_t n_bytes)
{
    uint8_t pseudorandom_key[BLOCK];
    uint8_t block[BLOCK] = {0};

    g_assert(n_bytes > 0 && n_bytes <= (size_t) 255 * BLOCK);
    extract(input, pseudorandom_key);
    for (size_t done = 0; done < n_bytes; done += BLOCK) {
        expand_block(pseudorandom_key, input->info, (uint8_t) (done / BLOCK + 1), block);
        memcpy(key + done, block, MIN(BLOCK, n_bytes - done));
    }
    sodium_memzero(pseudorandom_key, sizeof(pseudorandom_key));
    sodium_memzero(block, sizeof(block));
}
