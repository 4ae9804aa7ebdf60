#include "crypto/age_stream.h"

#include "crypto/hkdf.h"

#include <openssl/evp.h>
#include <sodium.h>
#include <string.h>

#define NONCE_BYTES 12

struct AgeStream {
    EVP_CIPHER_CTX *cipher;
};

static AgeStream *
new_stream(const Secret *file_key, const uint8_t nonce[AGE_STREAM_NONCE_BYTES], int is_sealing)
{
    const HkdfInput input = {secret_peek(file_key), secret_length(file_key), nonce,
                             AGE_STREAM_NONCE_BYTES, "payload"};
    uint8_t key[32];
    AgeStream *self = g_new(AgeStream, 1);

    hkdf_derive(&input, key, sizeof(key));
    self->cipher = EVP_CIPHER_CTX_new();
    g_assert(self->cipher != NULL);
    const int is_done =
        EVP_CipherInit_ex(self->cipher, EVP_chacha20_poly1305(), NULL, key, NULL, is_sealing);
    g_assert(is_done == 1); /* fails only without memory or without the cipher */
    sodium_memzero(key, sizeof(key));
    return self;
}

AgeStream *
age_stream_new_seal(const Secret *file_key, const uint8_t nonce[AGE_STREAM_NONCE_BYTES])
{
    return new_stream(file_key, nonce, 1);
}

AgeStream *
age_stream_new_open(const Secret *file_key, const uint8_t nonce[AGE_STREAM_NONCE_BYTES])
{
    return new_stream(file_key, nonce, 0);
}

/* The nonce: the chunk's number in 11 bytes, most significant first, and whether it is the last. */
static void
set_nonce(AgeStream *self, AgeStreamPlace place)
{
    const uint64_t big_endian = GUINT64_TO_BE(place.number);
    uint8_t nonce[NONCE_BYTES] = {0};

    memcpy(nonce + 3, &big_endian, sizeof(big_endian));
    nonce[11] = place.is_last ? 1 : 0;
    const int is_done = EVP_CipherInit_ex(self->cipher, NULL, NULL, NULL, nonce, -1);
    g_assert(is_done == 1);
}

void
age_stream_seal(AgeStream *self, AgeStreamPlace place, const uint8_t *plain, size_t n_bytes,
                uint8_t *sealed)
{
    int n_done = 0;
    int is_done = 1;

    g_assert(n_bytes == AGE_STREAM_CHUNK_BYTES ||
             (place.is_last && n_bytes < AGE_STREAM_CHUNK_BYTES));
    set_nonce(self, place);
    /* libcrypto takes an update of nothing for the end. */
    if (n_bytes > 0)
        is_done &= EVP_CipherUpdate(self->cipher, sealed, &n_done, plain, (int) n_bytes);
    is_done &= EVP_CipherFinal_ex(self->cipher, sealed + n_bytes, &n_done);
    is_done &= EVP_CIPHER_CTX_ctrl(self->cipher, EVP_CTRL_AEAD_GET_TAG, AGE_STREAM_TAG_BYTES,
                                   sealed + n_bytes);
    g_assert(is_done == 1);
}

bool
age_stream_open(AgeStream *self, AgeStreamPlace place, const uint8_t *sealed, size_t n_sealed,
                uint8_t *plain)
{
    g_assert(n_sealed >= AGE_STREAM_TAG_BYTES && n_sealed <= AGE_STREAM_SEALED_BYTES);
    const size_t n_bytes = n_sealed - AGE_STREAM_TAG_BYTES;
    uint8_t tag[AGE_STREAM_TAG_BYTES];
    uint8_t nothing[AGE_STREAM_TAG_BYTES];
    int n_done = 0;
    int is_done = 1;

    memcpy(tag, sealed + n_bytes, sizeof(tag));
    set_nonce(self, place);
    is_done &= EVP_CIPHER_CTX_ctrl(self->cipher, EVP_CTRL_AEAD_SET_TAG, AGE_STREAM_TAG_BYTES, tag);
    if (n_bytes > 0)
        is_done &= EVP_CipherUpdate(self->cipher, plain, &n_done, sealed, (int) n_bytes);
    g_assert(is_done == 1);
    if (EVP_CipherFinal_ex(self->cipher, nothing, &n_done) == 1)
        return true;
    sodium_memzero(plain, n_bytes);
    return false;
}

void
age_stream_free(AgeStream *self)
{
    if (self == NULL)
        return;
    EVP_CIPHER_CTX_free(self->cipher); /* wipes the key */
    g_free(self);
}
