#include "crypto/age_p256tag.h"

#include "crypto/age_key_private.h"
#include "crypto/age_wrap.h"
#include "crypto/base64.h"
#include "crypto/bech32.h"
#include "crypto/crypto_error.h"
#include "crypto/digest.h"
#include "crypto/hpke.h"
#include "crypto/p256_point.h"

#include <sodium.h>
#include <string.h>

#define LABEL      "age-encryption.org/p256tag"
#define TAG_BYTES  4
#define BODY_BYTES (AGE_FILE_KEY_BYTES + crypto_aead_chacha20poly1305_ietf_ABYTES)

/* The one thing that tells, to who knows `recipient`, whether a stanza is for it. */
static void
compute_tag(const uint8_t encapsulated[P256_UNCOMPRESSED_BYTES],
            const uint8_t recipient[P256_UNCOMPRESSED_BYTES], uint8_t tag[TAG_BYTES])
{
    uint8_t compressed[P256_COMPRESSED_BYTES];
    uint8_t code[crypto_auth_hmacsha256_BYTES];
    crypto_auth_hmacsha256_state state;
    Digest digest;

    p256_point_compress(recipient, compressed);
    digest = digest_of(compressed, sizeof(compressed));
    crypto_auth_hmacsha256_init(&state, (const uint8_t *) LABEL, strlen(LABEL));
    crypto_auth_hmacsha256_update(&state, encapsulated, P256_UNCOMPRESSED_BYTES);
    crypto_auth_hmacsha256_update(&state, digest.bytes, 4);
    crypto_auth_hmacsha256_final(&state, code);
    memcpy(tag, code, TAG_BYTES);
}

AgeStanza *
age_p256tag_wrap(const AgeRecipient *recipient, const Secret *file_key, GError **error)
{
    uint8_t encapsulated[P256_UNCOMPRESSED_BYTES];
    uint8_t shared[P256_SHARED_BYTES];
    uint8_t tag[TAG_BYTES];
    uint8_t body[BODY_BYTES];
    const HpkeInput input = {shared, encapsulated, recipient->p256, LABEL};
    char **words = NULL;
    HpkeKey key;

    if (!p256_point_agree(recipient->p256, encapsulated, shared, error))
        return NULL;
    hpke_derive(&input, &key);
    crypto_aead_chacha20poly1305_ietf_encrypt(body, NULL, secret_peek(file_key), AGE_FILE_KEY_BYTES,
                                              NULL, 0, NULL, key.nonce, key.key);
    sodium_memzero(&key, sizeof(key));
    sodium_memzero(shared, sizeof(shared));
    compute_tag(encapsulated, recipient->p256, tag);
    words = g_new0(char *, 4);
    words[0] = g_strdup("p256tag");
    words[1] = base64_encode_unpadded(tag, sizeof(tag));
    words[2] = base64_encode_unpadded(encapsulated, sizeof(encapsulated));
    return age_stanza_new(words, body, sizeof(body));
}

/* `file_key` stays NULL where the body is not what this key sealed: the tag has only 32 bits. */
static bool
open_body(const AgeIdentity *identity, const uint8_t *encapsulated, const AgeStanza *stanza,
          Secret **file_key, GError **error)
{
    g_autoptr(Secret) shared = identity->agree(identity->token, encapsulated, error);
    g_autoptr(Secret) opened = shared == NULL ? NULL : secret_new_zero(AGE_FILE_KEY_BYTES, error);
    HpkeInput input = {NULL, encapsulated, identity->p256, LABEL};
    HpkeKey key;

    if (opened == NULL)
        return false;
    if (secret_length(shared) != HPKE_SHARED_BYTES) {
        return crypto_fail(error, CRYPTO_ERROR_TOKEN, "the token answered %zu bytes in place of 32",
                           secret_length(shared));
    }
    input.shared = secret_peek(shared);
    hpke_derive(&input, &key);
    if (crypto_aead_chacha20poly1305_ietf_decrypt(secret_bytes(opened), NULL, NULL,
                                                  stanza->body->data, stanza->body->len, NULL, 0,
                                                  key.nonce, key.key) == 0)
        *file_key = g_steal_pointer(&opened);
    sodium_memzero(&key, sizeof(key));
    return true;
}

bool
age_p256tag_unwrap(const AgeIdentity *identity, const AgeStanza *stanza, Secret **file_key,
                   GError **error)
{
    uint8_t claimed[TAG_BYTES];
    uint8_t tag[TAG_BYTES];
    uint8_t encapsulated[P256_UNCOMPRESSED_BYTES];

    if (stanza->n_words != 3 ||
        !base64_decode_exactly(stanza->words[1], claimed, sizeof(claimed)) ||
        !base64_decode_exactly(stanza->words[2], encapsulated, sizeof(encapsulated)) ||
        stanza->body->len != BODY_BYTES) {
        return crypto_fail(error, CRYPTO_ERROR_MALFORMED,
                           "a p256tag stanza is not written as it must be");
    }
    compute_tag(encapsulated, identity->p256, tag);
    if (sodium_memcmp(claimed, tag, sizeof(tag)) != 0)
        return true; /* somebody else's */
    if (!p256_point_is_valid(encapsulated)) {
        return crypto_fail(error, CRYPTO_ERROR_MALFORMED,
                           "a p256tag stanza holds no point of the curve");
    }
    return open_body(identity, encapsulated, stanza, file_key, error);
}

AgeIdentity *
age_p256tag_identity(const char *recipient, AgeTokenAgree agree, void *token,
                     GDestroyNotify free_token, GError **error)
{
    g_autoptr(AgeRecipient) parsed = age_recipient_parse(recipient, error);
    AgeIdentity *self = NULL;

    if (parsed != NULL && parsed->kind != AGE_KEY_P256TAG) {
        g_clear_pointer(&parsed, age_recipient_free);
        crypto_fail(error, CRYPTO_ERROR_MALFORMED, "not a token's recipient (age1tag1...)");
    }
    if (parsed == NULL) {
        if (free_token != NULL)
            free_token(token);
        return NULL;
    }
    self = g_new0(AgeIdentity, 1);
    self->kind = AGE_KEY_P256TAG;
    memcpy(self->p256, parsed->p256, sizeof(self->p256));
    self->agree = agree;
    self->token = token;
    self->free_token = free_token;
    return self;
}

char *
age_p256tag_recipient_text(const uint8_t point[P256_UNCOMPRESSED_BYTES])
{
    Bech32 key = {.prefix = AGE_P256TAG_PREFIX, .n_bytes = P256_COMPRESSED_BYTES};
    char text[BECH32_TEXT_BYTES];

    p256_point_compress(point, key.bytes);
    bech32_encode(&key, text);
    return g_strdup(text);
}
