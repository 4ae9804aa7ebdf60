#include "crypto/p256_point.h"

#include "crypto/crypto_error.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/obj_mac.h>
#include <openssl/param_build.h>
#include <string.h>

G_DEFINE_AUTOPTR_CLEANUP_FUNC(EC_GROUP, EC_GROUP_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(EC_POINT, EC_POINT_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(EVP_PKEY, EVP_PKEY_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(EVP_PKEY_CTX, EVP_PKEY_CTX_free)

/* Reads `n_from` bytes of a point and writes it as `form`. Returns: false for no point. */
static bool
convert(const uint8_t *from, size_t n_from, point_conversion_form_t form, uint8_t *to, size_t n_to)
{
    g_autoptr(EC_GROUP) group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
    g_autoptr(EC_POINT) point = group != NULL ? EC_POINT_new(group) : NULL;

    g_assert(point != NULL);
    return EC_POINT_oct2point(group, point, from, n_from, NULL) == 1 &&
           EC_POINT_point2oct(group, point, form, to, n_to, NULL) == n_to;
}

bool
p256_point_decompress(const uint8_t compressed[P256_COMPRESSED_BYTES],
                      uint8_t uncompressed[P256_UNCOMPRESSED_BYTES])
{
    return (compressed[0] == 2 || compressed[0] == 3) &&
           convert(compressed, P256_COMPRESSED_BYTES, POINT_CONVERSION_UNCOMPRESSED, uncompressed,
                   P256_UNCOMPRESSED_BYTES);
}

bool
p256_point_is_valid(const uint8_t uncompressed[P256_UNCOMPRESSED_BYTES])
{
    uint8_t again[P256_UNCOMPRESSED_BYTES];

    return uncompressed[0] == 4 && convert(uncompressed, P256_UNCOMPRESSED_BYTES,
                                           POINT_CONVERSION_UNCOMPRESSED, again, sizeof(again));
}

void
p256_point_compress(const uint8_t uncompressed[P256_UNCOMPRESSED_BYTES],
                    uint8_t compressed[P256_COMPRESSED_BYTES])
{
    const bool is_point = convert(uncompressed, P256_UNCOMPRESSED_BYTES,
                                  POINT_CONVERSION_COMPRESSED, compressed, P256_COMPRESSED_BYTES);

    g_assert(is_point); /* as the header asks */
}

/* Returns: `point` as a key to agree with, owned; NULL if libcrypto refuses. */
static EVP_PKEY *
key_of(const uint8_t point[P256_UNCOMPRESSED_BYTES])
{
    g_autoptr(EVP_PKEY_CTX) context = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    char group[] = "prime256v1";
    uint8_t bytes[P256_UNCOMPRESSED_BYTES];
    EVP_PKEY *key = NULL;
    OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, bytes, sizeof(bytes)),
        OSSL_PARAM_construct_end(),
    };

    memcpy(bytes, point, sizeof(bytes));
    if (context == NULL || EVP_PKEY_fromdata_init(context) != 1 ||
        EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, parameters) != 1)
        return NULL;
    return key;
}

static bool
derive(EVP_PKEY *own, EVP_PKEY *peer, uint8_t shared[P256_SHARED_BYTES])
{
    g_autoptr(EVP_PKEY_CTX) context = EVP_PKEY_CTX_new_from_pkey(NULL, own, NULL);
    size_t n_shared = P256_SHARED_BYTES;

    return context != NULL && EVP_PKEY_derive_init(context) == 1 &&
           EVP_PKEY_derive_set_peer(context, peer) == 1 &&
           EVP_PKEY_derive(context, shared, &n_shared) == 1 && n_shared == P256_SHARED_BYTES;
}

bool
p256_point_agree(const uint8_t peer[P256_UNCOMPRESSED_BYTES], uint8_t own[P256_UNCOMPRESSED_BYTES],
                 uint8_t shared[P256_SHARED_BYTES], GError **error)
{
    g_autoptr(EVP_PKEY) theirs = key_of(peer);
    g_autoptr(EVP_PKEY) ours = EVP_EC_gen("P-256");
    size_t n_own = 0;

    if (theirs == NULL || ours == NULL ||
        EVP_PKEY_get_octet_string_param(ours, OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, own,
                                        P256_UNCOMPRESSED_BYTES, &n_own) != 1 ||
        n_own != P256_UNCOMPRESSED_BYTES || !derive(ours, theirs, shared))
        return crypto_fail(error, CRYPTO_ERROR_IO, "libcrypto can not agree on a P-256 key");
    return true;
}
