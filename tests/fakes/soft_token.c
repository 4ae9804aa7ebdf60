#include "tests/fakes/soft_token.h"

#include "crypto/crypto_error.h"

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/obj_mac.h>
#include <string.h>

#define SCALAR "A4D1C55836AA30F9B3FBB6AC98D338C877C2867DD3A77396D13F68D3AB150D3B"

static Secret *
agree(void *token, const uint8_t *point, GError **error)
{
    const bool *fails = token;
    EC_GROUP *group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
    EC_POINT *peer = EC_POINT_new(group);
    BIGNUM *scalar = NULL;
    BIGNUM *x = BN_new();
    Secret *shared = NULL;

    if (fails != NULL && *fails) {
        crypto_fail(error, CRYPTO_ERROR_TOKEN, "the token is not there");
    } else {
        shared = secret_new_zero(32, error);
        g_assert_cmpint(BN_hex2bn(&scalar, SCALAR), >, 0);
        g_assert_cmpint(EC_POINT_oct2point(group, peer, point, 65, NULL), ==, 1);
        g_assert_cmpint(EC_POINT_mul(group, peer, NULL, peer, scalar, NULL), ==, 1);
        g_assert_cmpint(EC_POINT_get_affine_coordinates(group, peer, x, NULL, NULL), ==, 1);
        g_assert_cmpint(BN_bn2binpad(x, secret_bytes(shared), 32), ==, 32);
    }
    BN_free(x);
    BN_free(scalar);
    EC_POINT_free(peer);
    EC_GROUP_free(group);
    return shared;
}

AgeIdentity *
soft_token_identity(bool *fails, GError **error)
{
    return age_p256tag_identity(SOFT_TOKEN_RECIPIENT, agree, fails, NULL, error);
}
