#include "crypto/hmac.h"

#include <sodium.h>
#include <string.h>

static void
compute(const Secret *key, const void *bytes, size_t n_bytes, uint8_t *code)
{
    crypto_auth_hmacsha256_state state;

    crypto_auth_hmacsha256_init(&state, secret_peek(key), secret_length(key));
    crypto_auth_hmacsha256_update(&state, bytes, n_bytes);
    crypto_auth_hmacsha256_final(&state, code);
    sodium_memzero(&state, sizeof(state));
}

Digest
hmac_of(const Secret *key, const void *bytes, size_t n_bytes)
{
    Digest code;

    G_STATIC_ASSERT(sizeof(code.bytes) == crypto_auth_hmacsha256_BYTES);
    compute(key, bytes, n_bytes, code.bytes);
    return code;
}

Secret *
hmac_derive(const Secret *key, const char *text, GError **error)
{
    Secret *derived = secret_new_zero(crypto_auth_hmacsha256_BYTES, error);

    if (derived != NULL)
        compute(key, text, strlen(text), secret_bytes(derived));
    return derived;
}
