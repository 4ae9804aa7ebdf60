#include "crypto/age_transit.h"

#include "crypto/age_key_private.h"
#include "crypto/age_seal_list.h"
#include "crypto/age_wrap.h"
#include "crypto/bech32.h"
#include "crypto/crypto_error.h"
#include "crypto/rsa_oaep.h"

#include <string.h>

#define TYPE "vault-transit"

AgeStanza *
age_transit_wrap(const AgeRecipient *recipient, const Secret *file_key, GError **error)
{
    uint8_t body[RSA_OAEP_MAX_BYTES];
    char **words = NULL;

    if (!rsa_oaep_seal(recipient->rsa, recipient->n_rsa, secret_peek(file_key), AGE_FILE_KEY_BYTES,
                       body)) {
        crypto_fail(error, CRYPTO_ERROR_IO, "libcrypto can not seal to an RSA key");
        return NULL;
    }
    words = g_new0(char *, 4);
    words[0] = g_strdup(TYPE);
    words[1] = age_seal_list_mark(recipient->text);
    words[2] = g_strdup_printf("%u", recipient->version);
    return age_stanza_new(words, body, recipient->n_rsa);
}

bool
age_transit_unwrap(const AgeIdentity *identity, const AgeStanza *stanza, Secret **file_key,
                   GError **error)
{
    const AgeRecipient *own = identity->transit;
    g_autofree char *mark = age_seal_list_mark(own->text);
    g_autofree char *version = g_strdup_printf("%u", own->version);

    if (stanza->n_words != 3) {
        return crypto_fail(error, CRYPTO_ERROR_MALFORMED,
                           "a " TYPE " stanza is not written as it must be");
    }
    if (strcmp(stanza->words[1], mark) != 0)
        return true; /* somebody else's */
    if (strcmp(stanza->words[2], version) != 0 || stanza->body->len != own->n_rsa) {
        return crypto_fail(error, CRYPTO_ERROR_MALFORMED,
                           "a " TYPE " stanza does not fit the key that it names");
    }
    if (!identity->decrypt(identity->token, own->version, stanza->body, file_key, error))
        return false;
    if (*file_key != NULL && secret_length(*file_key) != AGE_FILE_KEY_BYTES) {
        g_clear_pointer(file_key, secret_free);
        return crypto_fail(error, CRYPTO_ERROR_MALFORMED, "a " TYPE " stanza holds no file key");
    }
    return true;
}

AgeIdentity *
age_transit_identity(const char *recipient, AgeTransitDecrypt decrypt, void *service,
                     GDestroyNotify free_service, GError **error)
{
    g_autoptr(AgeRecipient) parsed = age_recipient_parse(recipient, error);
    AgeIdentity *self = NULL;

    if (parsed != NULL && parsed->kind != AGE_KEY_TRANSIT) {
        g_clear_pointer(&parsed, age_recipient_free);
        crypto_fail(error, CRYPTO_ERROR_MALFORMED,
                    "not a recipient of Transit's (age1transit1...)");
    }
    if (parsed == NULL) {
        if (free_service != NULL)
            free_service(service);
        return NULL;
    }
    self = g_new0(AgeIdentity, 1);
    self->kind = AGE_KEY_TRANSIT;
    self->transit = g_steal_pointer(&parsed);
    self->decrypt = decrypt;
    self->token = service;
    self->free_token = free_service;
    return self;
}

char *
age_transit_recipient_text(uint32_t version, const uint8_t *modulus, size_t n_modulus)
{
    const uint32_t stored = GUINT32_TO_BE(version);
    Bech32 key = {.prefix = AGE_TRANSIT_PREFIX, .n_bytes = sizeof(stored) + n_modulus};
    char text[BECH32_TEXT_BYTES];

    g_assert(version > 0 && rsa_oaep_takes(n_modulus));
    memcpy(key.bytes, &stored, sizeof(stored));
    memcpy(key.bytes + sizeof(stored), modulus, n_modulus);
    bech32_encode(&key, text);
    return g_strdup(text);
}
