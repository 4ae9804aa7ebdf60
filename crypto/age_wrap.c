#include "crypto/age_wrap.h"

#include "crypto/age_key_private.h"
#include "crypto/base64.h"
#include "crypto/crypto_error.h"
#include "crypto/hkdf.h"

#include <errno.h>
#include <sodium.h>
#include <string.h>

#define X25519_LABEL "age-encryption.org/v1/X25519"
#define SCRYPT_LABEL "age-encryption.org/v1/scrypt"
#define SALT_BYTES   16
#define BODY_BYTES   (AGE_FILE_KEY_BYTES + crypto_aead_chacha20poly1305_ietf_ABYTES)

/* A wrapping key is used for one file key only, so its nonce may be constant. */
static const uint8_t zero_nonce[crypto_aead_chacha20poly1305_ietf_NPUBBYTES];

typedef struct {
    uint8_t bytes[32];
} WrapKey;

static void
close_file_key(const WrapKey *key, const Secret *file_key, uint8_t body[BODY_BYTES])
{
    crypto_aead_chacha20poly1305_ietf_encrypt(body, NULL, secret_peek(file_key), AGE_FILE_KEY_BYTES,
                                              NULL, 0, NULL, zero_nonce, key->bytes);
}

/* `file_key`: a new Secret, or NULL where `key` does not open it. Returns: false without memory. */
static bool
open_file_key(const WrapKey *key, const GByteArray *body, Secret **file_key, GError **error)
{
    g_autoptr(Secret) secret = secret_new_zero(AGE_FILE_KEY_BYTES, error);

    if (secret == NULL)
        return false;
    if (crypto_aead_chacha20poly1305_ietf_decrypt(secret_bytes(secret), NULL, NULL, body->data,
                                                  body->len, NULL, 0, zero_nonce, key->bytes) == 0)
        *file_key = g_steal_pointer(&secret);
    return true;
}

/* `scalar` and `point` are the two halves at hand; both public halves salt the key.
 * Returns: false if the points are of low order. */
static bool
derive_x25519_key(const uint8_t scalar[32], const uint8_t point[32], const uint8_t salt[64],
                  WrapKey *key)
{
    uint8_t shared[32];
    const HkdfInput input = {shared, sizeof(shared), salt, 64, X25519_LABEL};
    const bool is_sound = crypto_scalarmult(shared, scalar, point) == 0;

    if (is_sound)
        hkdf_derive(&input, key->bytes, sizeof(key->bytes));
    sodium_memzero(shared, sizeof(shared));
    secret_wipe_stack();
    return is_sound;
}

static AgeStanza *
take_words(const char *type, char *first, char *second, const uint8_t body[BODY_BYTES])
{
    char **words = g_new0(char *, 4);

    words[0] = g_strdup(type);
    words[1] = first;
    words[2] = second;
    return age_stanza_new(words, body, BODY_BYTES);
}

static AgeStanza *
wrap_x25519(const AgeRecipient *recipient, const Secret *file_key, GError **error)
{
    g_autoptr(Secret) ephemeral = secret_new_random(32, error);
    uint8_t salt[64]; /* ephemeral share, recipient */
    uint8_t body[BODY_BYTES];
    WrapKey key;

    if (ephemeral == NULL)
        return NULL;
    const int is_failed = crypto_scalarmult_base(salt, secret_peek(ephemeral));
    memcpy(salt + 32, recipient->point, 32);
    const bool is_sound =
        is_failed == 0 && derive_x25519_key(secret_peek(ephemeral), recipient->point, salt, &key);
    g_assert(is_sound); /* age_recipient_parse() refuses points of low order */
    close_file_key(&key, file_key, body);
    sodium_memzero(&key, sizeof(key));
    return take_words("X25519", base64_encode_unpadded(salt, 32), NULL, body);
}

static bool
unwrap_x25519(const AgeIdentity *identity, const AgeStanza *stanza, Secret **file_key,
              GError **error)
{
    uint8_t salt[64];
    WrapKey key;

    if (stanza->n_words != 2 || !base64_decode_exactly(stanza->words[1], salt, 32) ||
        stanza->body->len != BODY_BYTES) {
        return crypto_fail(error, CRYPTO_ERROR_MALFORMED,
                           "an X25519 stanza is not written as it must be");
    }
    memcpy(salt + 32, identity->point, 32);
    if (!derive_x25519_key(secret_peek(identity->scalar), salt, salt, &key)) {
        return crypto_fail(error, CRYPTO_ERROR_MALFORMED,
                           "an X25519 stanza holds a point of low order");
    }
    const bool is_done = open_file_key(&key, stanza->body, file_key, error);
    sodium_memzero(&key, sizeof(key));
    return is_done;
}

/* Returns: false without memory, with errno. */
static bool
derive_scrypt_key(const Secret *passphrase, const uint8_t salt[SALT_BYTES], unsigned log_n,
                  WrapKey *key)
{
    uint8_t labelled[sizeof(SCRYPT_LABEL) - 1 + SALT_BYTES];

    memcpy(labelled, SCRYPT_LABEL, sizeof(SCRYPT_LABEL) - 1);
    memcpy(labelled + sizeof(SCRYPT_LABEL) - 1, salt, SALT_BYTES);
    return crypto_pwhash_scryptsalsa208sha256_ll(secret_peek(passphrase), secret_length(passphrase),
                                                 labelled, sizeof(labelled), UINT64_C(1) << log_n,
                                                 8, 1, key->bytes, sizeof(key->bytes)) == 0;
}

static AgeStanza *
wrap_scrypt(const AgeRecipient *recipient, const Secret *file_key, GError **error)
{
    uint8_t salt[SALT_BYTES];
    uint8_t body[BODY_BYTES];
    WrapKey key;

    randombytes_buf(salt, sizeof(salt));
    if (!derive_scrypt_key(recipient->passphrase, salt, recipient->log_n, &key)) {
        crypto_fail(error, CRYPTO_ERROR_IO, "cannot stretch the passphrase: %s", g_strerror(errno));
        return NULL;
    }
    close_file_key(&key, file_key, body);
    sodium_memzero(&key, sizeof(key));
    return take_words("scrypt", base64_encode_unpadded(salt, sizeof(salt)),
                      g_strdup_printf("%u", recipient->log_n), body);
}

/* Returns: the work factor, 0 if it is not a decimal number of one or two digits without a leading
 * zero; more would be refused anyway. */
static unsigned
parse_log_n(const char *text)
{
    if (!g_ascii_isdigit(text[0]) || text[0] == '0')
        return 0;
    if (text[1] == '\0')
        return (unsigned) (text[0] - '0');
    if (!g_ascii_isdigit(text[1]) || text[2] != '\0')
        return 0;
    return (unsigned) ((text[0] - '0') * 10 + text[1] - '0');
}

static bool
unwrap_scrypt(const AgeIdentity *identity, const AgeStanza *stanza, Secret **file_key,
              GError **error)
{
    const unsigned log_n = stanza->n_words == 3 ? parse_log_n(stanza->words[2]) : 0;
    const Secret *passphrase = identity->passphrase;
    g_autoptr(Secret) answer = NULL;
    uint8_t salt[SALT_BYTES];
    WrapKey key;

    if (log_n == 0 || !base64_decode_exactly(stanza->words[1], salt, sizeof(salt)) ||
        stanza->body->len != BODY_BYTES) {
        return crypto_fail(error, CRYPTO_ERROR_MALFORMED,
                           "the scrypt stanza is not written as it must be");
    }
    if (log_n > identity->max_log_n) {
        return crypto_fail(error, CRYPTO_ERROR_NO_MATCH,
                           "the passphrase needs more work than is allowed (2^%u, at most 2^%u)",
                           log_n, identity->max_log_n);
    }
    if (passphrase == NULL) {
        answer = identity->ask(identity->ask_data, error);
        passphrase = answer;
    }
    if (passphrase == NULL)
        return false;
    if (!derive_scrypt_key(passphrase, salt, log_n, &key)) {
        return crypto_fail(error, CRYPTO_ERROR_IO, "cannot stretch the passphrase: %s",
                           g_strerror(errno));
    }
    const bool is_done = open_file_key(&key, stanza->body, file_key, error);
    sodium_memzero(&key, sizeof(key));
    if (is_done && *file_key == NULL)
        return crypto_fail(error, CRYPTO_ERROR_NO_MATCH, "the passphrase is wrong");
    return is_done;
}

/* One row for each recipient type that we know; all others are somebody else's and passed over. */
static const struct {
    const char *type;
    AgeStanza *(*wrap)(const AgeRecipient *recipient, const Secret *file_key, GError **error);
    bool (*unwrap)(const AgeIdentity *identity, const AgeStanza *stanza, Secret **file_key,
                   GError **error);
} kinds[] = {
    [AGE_KEY_X25519] = {"X25519",        wrap_x25519,      unwrap_x25519     },
    [AGE_KEY_SCRYPT] = {"scrypt",        wrap_scrypt,      unwrap_scrypt     },
    [AGE_KEY_P256TAG] = {"p256tag",       age_p256tag_wrap, age_p256tag_unwrap},
    [AGE_KEY_TRANSIT] = {"vault-transit", age_transit_wrap, age_transit_unwrap},
};

AgeStanza *
age_wrap(const AgeRecipient *recipient, const Secret *file_key, GError **error)
{
    g_assert(secret_length(file_key) == AGE_FILE_KEY_BYTES);
    return kinds[recipient->kind].wrap(recipient, file_key, error);
}

bool
age_wrap_is_exclusive(const AgeRecipient *recipient)
{
    return recipient->kind == AGE_KEY_SCRYPT;
}

bool
age_unwrap(const AgeIdentity *identity, const AgeHeader *header, Secret **file_key, GError **error)
{
    *file_key = NULL;
    for (guint i = 0; i < header->stanzas->len && *file_key == NULL; i++) {
        const AgeStanza *stanza = g_ptr_array_index(header->stanzas, i);
        if (strcmp(stanza->words[0], kinds[identity->kind].type) == 0 &&
            !kinds[identity->kind].unwrap(identity, stanza, file_key, error))
            return false;
    }
    return true;
}
