#include "crypto/digest.h"

#include <openssl/evp.h>
#include <sodium.h>
#include <string.h>

#define HEX_DIGITS (2 * sizeof(Digest))

Digest
digest_of(const void *bytes, size_t n_bytes)
{
    Digest digest;
    const int is_done = EVP_Digest(bytes, n_bytes, digest.bytes, NULL, EVP_sha256(), NULL);

    g_assert(is_done == 1); /* fails only without memory or without SHA-256 */
    return digest;
}

Digest
digest_of_bytes(GBytes *bytes)
{
    gsize n_bytes = 0;
    const void *data = g_bytes_get_data(bytes, &n_bytes);

    return digest_of(data, n_bytes);
}

bool
digest_equal(const Digest *a, const Digest *b)
{
    return sodium_memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

char *
digest_to_hex(const Digest *self)
{
    char *hex = g_malloc(HEX_DIGITS + 1);

    return sodium_bin2hex(hex, HEX_DIGITS + 1, self->bytes, sizeof(self->bytes));
}

bool
digest_from_hex(Digest *self, const char *hex)
{
    if (strspn(hex, "0123456789abcdef") != HEX_DIGITS || hex[HEX_DIGITS] != '\0')
        return false;
    return sodium_hex2bin(self->bytes, sizeof(self->bytes), hex, HEX_DIGITS, NULL, NULL, NULL) == 0;
}
