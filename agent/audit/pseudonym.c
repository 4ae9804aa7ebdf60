#include "agent/audit/pseudonym.h"

#include "crypto/crypto_error.h"
#include "crypto/hmac.h"

#include <string.h>

/* A key's file: this, 64 hexadecimal digits, a newline. The digits are the HMAC's key as they
 * stand. */
#define KEY_PREFIX "SEALTAPE-PSEUDONYM-KEY-1-"

enum {
    PREFIX_BYTES = sizeof(KEY_PREFIX) - 1,
    KEY_BYTES = 32,
    KEY_DIGITS = 2 * KEY_BYTES,
    PSEUDONYM_DIGITS = 32,
};

Secret *
pseudonym_key_generate(GError **error)
{
    static const char digits[] = "0123456789abcdef";
    g_autoptr(Secret) key = secret_new_random(KEY_BYTES, error);
    g_autoptr(Secret) text =
        key == NULL ? NULL : secret_new_zero(PREFIX_BYTES + KEY_DIGITS + 1, error);
    uint8_t *next = NULL;

    if (text == NULL)
        return NULL;
    next = secret_bytes(text);
    memcpy(next, KEY_PREFIX, PREFIX_BYTES);
    next += PREFIX_BYTES;
    for (size_t i = 0; i < KEY_BYTES; i++) {
        *next++ = (uint8_t) digits[secret_peek(key)[i] >> 4];
        *next++ = (uint8_t) digits[secret_peek(key)[i] & 0xf];
    }
    *next = '\n';
    return g_steal_pointer(&text);
}

Secret *
pseudonym_key_parse(const Secret *text, GError **error)
{
    const char *bytes = (const char *) secret_peek(text);
    size_t n_bytes = secret_length(text);
    Secret *key = NULL;

    if (n_bytes > 0 && bytes[n_bytes - 1] == '\n')
        n_bytes--;
    if (n_bytes != PREFIX_BYTES + KEY_DIGITS || memcmp(bytes, KEY_PREFIX, PREFIX_BYTES) != 0) {
        (void) crypto_fail(error, CRYPTO_ERROR_MALFORMED,
                           "not a key for pseudonyms, as `sealtape init` makes one");
        return NULL;
    }
    for (size_t i = PREFIX_BYTES; i < n_bytes; i++) {
        if (!g_ascii_isxdigit(bytes[i])) {
            (void) crypto_fail(error, CRYPTO_ERROR_MALFORMED,
                               "a key for pseudonyms has hexadecimal digits only");
            return NULL;
        }
    }
    key = secret_new_zero(KEY_DIGITS, error);
    if (key != NULL)
        memcpy(secret_bytes(key), bytes + PREFIX_BYTES, KEY_DIGITS);
    return key;
}

char *
pseudonym_of(const Secret *key, const char *org, const char *person)
{
    /* No organisation's id has a newline, so two cannot be mistaken for each other. */
    g_autofree char *text = g_strdup_printf("sealtape-pseudonym/v1\n%s\n%s", org, person);
    const Digest code = hmac_of(key, text, strlen(text));
    g_autofree char *hex = digest_to_hex(&code);

    return g_strdup_printf("p-%.*s", PSEUDONYM_DIGITS, hex);
}
