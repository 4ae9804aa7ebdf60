#include "crypto/rsa_oaep.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <string.h>

G_DEFINE_AUTOPTR_CLEANUP_FUNC(BIGNUM, BN_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(BIO, BIO_free_all)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(EVP_PKEY, EVP_PKEY_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(EVP_PKEY_CTX, EVP_PKEY_CTX_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(OSSL_PARAM_BLD, OSSL_PARAM_BLD_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(OSSL_PARAM, OSSL_PARAM_free)

bool
rsa_oaep_takes(size_t n_modulus)
{
    return n_modulus == 384 || n_modulus == RSA_OAEP_MAX_BYTES;
}

size_t
rsa_oaep_read_pem(const char *pem, uint8_t modulus[RSA_OAEP_MAX_BYTES])
{
    g_autoptr(BIO) text = BIO_new_mem_buf(pem, -1);
    g_autoptr(EVP_PKEY) key = text != NULL ? PEM_read_bio_PUBKEY(text, NULL, NULL, NULL) : NULL;
    BIGNUM *n = NULL;
    BIGNUM *e = NULL;
    size_t n_modulus = 0;

    if (key != NULL && EVP_PKEY_is_a(key, "RSA") &&
        EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_N, &n) == 1 &&
        EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &e) == 1 && BN_is_word(e, RSA_F4) &&
        rsa_oaep_takes((size_t) BN_num_bytes(n)) && BN_num_bits(n) % 8 == 0 && BN_is_odd(n))
        n_modulus = (size_t) BN_bn2bin(n, modulus);
    BN_free(n);
    BN_free(e);
    return n_modulus;
}

/* Returns: owned; NULL if libcrypto refuses. */
static EVP_PKEY *
key_of(const uint8_t *modulus, size_t n_modulus)
{
    g_autoptr(EVP_PKEY_CTX) context = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    g_autoptr(OSSL_PARAM_BLD) builder = OSSL_PARAM_BLD_new();
    g_autoptr(BIGNUM) n = BN_bin2bn(modulus, (int) n_modulus, NULL);
    g_autoptr(OSSL_PARAM) parameters = NULL;
    EVP_PKEY *key = NULL;

    if (context == NULL || builder == NULL || n == NULL ||
        OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, n) != 1 ||
        OSSL_PARAM_BLD_push_ulong(builder, OSSL_PKEY_PARAM_RSA_E, RSA_F4) != 1)
        return NULL;
    parameters = OSSL_PARAM_BLD_to_param(builder);
    if (parameters == NULL || EVP_PKEY_fromdata_init(context) != 1 ||
        EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, parameters) != 1)
        return NULL;
    return key;
}

bool
rsa_oaep_seal(const uint8_t *modulus, size_t n_modulus, const uint8_t *plain, size_t n_plain,
              uint8_t *sealed)
{
    g_autoptr(EVP_PKEY) key = key_of(modulus, n_modulus);
    g_autoptr(EVP_PKEY_CTX) context =
        key != NULL ? EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL) : NULL;
    size_t n_sealed = n_modulus;

    return context != NULL && EVP_PKEY_encrypt_init(context) == 1 &&
           EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_OAEP_PADDING) == 1 &&
           EVP_PKEY_CTX_set_rsa_oaep_md(context, EVP_sha256()) == 1 &&
           EVP_PKEY_CTX_set_rsa_mgf1_md(context, EVP_sha256()) == 1 &&
           EVP_PKEY_encrypt(context, sealed, &n_sealed, plain, n_plain) == 1 &&
           n_sealed == n_modulus;
}
