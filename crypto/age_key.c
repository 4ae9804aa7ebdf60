#include "crypto/age_key.h"

#include "crypto/age_key_private.h"
#include "crypto/bech32.h"
#include "crypto/crypto_error.h"
#include "crypto/p256_point.h"

#include <sodium.h>
#include <string.h>

#define RECIPIENT_PREFIX "age"
#define IDENTITY_PREFIX  "AGE-SECRET-KEY-"
#define IDENTITY_BYTES   74 /* of the text, without a newline */

static AgeRecipient *
recipient_of_point(const uint8_t point[32])
{
    Bech32 key = {.prefix = RECIPIENT_PREFIX, .n_bytes = 32};
    char text[BECH32_TEXT_BYTES];
    AgeRecipient *self = g_new0(AgeRecipient, 1);

    memcpy(key.bytes, point, 32);
    bech32_encode(&key, text);
    self->kind = AGE_KEY_X25519;
    self->text = g_strdup(text);
    memcpy(self->point, point, 32);
    return self;
}

/* A point of low order gives every sender the same shared secret: zero. libsodium says so. */
static bool
is_low_order(const uint8_t point[32])
{
    static const uint8_t any_scalar[32] = {1};
    uint8_t shared[32];

    return crypto_scalarmult(shared, any_scalar, point) != 0;
}

/* Returns: what is wrong with the point; NULL with `recipient` set. */
static const char *
parse_p256(const Bech32 *key, AgeRecipient **recipient)
{
    uint8_t point[P256_UNCOMPRESSED_BYTES];

    if (key->n_bytes != P256_COMPRESSED_BYTES)
        return "its length is wrong";
    if (!p256_point_decompress(key->bytes, point))
        return "it is no point of the curve P-256";
    *recipient = g_new0(AgeRecipient, 1);
    (*recipient)->kind = AGE_KEY_P256TAG;
    memcpy((*recipient)->p256, point, sizeof(point));
    (*recipient)->text = age_p256tag_recipient_text(point);
    return NULL;
}

/* As above. The modulus has all its bits, and is odd as every product of two primes here. */
static const char *
parse_transit(const Bech32 *key, AgeRecipient **recipient)
{
    uint32_t version = 0;
    const uint8_t *modulus = key->bytes + sizeof(version);
    const size_t n_modulus = key->n_bytes - MIN(key->n_bytes, sizeof(version));

    memcpy(&version, key->bytes, sizeof(version));
    if (!rsa_oaep_takes(n_modulus))
        return "its length is wrong";
    if (version == 0 || (modulus[0] & 0x80) == 0 || (modulus[n_modulus - 1] & 1) == 0)
        return "it holds no RSA key with a version";
    *recipient = g_new0(AgeRecipient, 1);
    (*recipient)->kind = AGE_KEY_TRANSIT;
    (*recipient)->version = GUINT32_FROM_BE(version);
    memcpy((*recipient)->rsa, modulus, n_modulus);
    (*recipient)->n_rsa = n_modulus;
    (*recipient)->text = age_transit_recipient_text((*recipient)->version, modulus, n_modulus);
    return NULL;
}

AgeRecipient *
age_recipient_parse(const char *text, GError **error)
{
    Bech32 key;
    const char *reason = NULL;
    const char *wrong = NULL;
    AgeRecipient *other = NULL;

    if (g_ascii_strncasecmp(text, IDENTITY_PREFIX, strlen(IDENTITY_PREFIX)) == 0) {
        wrong = "it is a secret key; give its public half, which starts with age1";
    } else if (!bech32_decode(&key, text, strlen(text), &reason)) {
        wrong = reason;
    } else if (strcmp(key.prefix, AGE_P256TAG_PREFIX) == 0) {
        wrong = parse_p256(&key, &other);
    } else if (strcmp(key.prefix, AGE_TRANSIT_PREFIX) == 0) {
        wrong = parse_transit(&key, &other);
    } else if (strcmp(key.prefix, RECIPIENT_PREFIX) != 0) {
        wrong = "it does not start with age1";
    } else if (key.n_bytes != sizeof(((AgeRecipient *) NULL)->point)) {
        wrong = "its length is wrong";
    } else if (is_low_order(key.bytes)) {
        wrong = "its point is of low order, so anyone could open the file";
    }
    if (wrong == NULL)
        return other != NULL ? other : recipient_of_point(key.bytes);
    crypto_fail(error, CRYPTO_ERROR_MALFORMED, "not an age recipient: %s", wrong);
    return NULL;
}

const char *
age_recipient_text(const AgeRecipient *self)
{
    return self->text;
}

void
age_recipient_free(AgeRecipient *self)
{
    if (self == NULL)
        return;
    g_free(self->text);
    g_free(self);
}

/* Takes `scalar`. */
static AgeIdentity *
identity_of_scalar(Secret *scalar)
{
    AgeIdentity *self = g_new0(AgeIdentity, 1);

    self->kind = AGE_KEY_X25519;
    self->scalar = scalar;
    const int is_failed = crypto_scalarmult_base(self->point, secret_peek(scalar));
    secret_wipe_stack();
    g_assert(is_failed == 0); /* the base point is of full order */
    return self;
}

AgeIdentity *
age_identity_generate(GError **error)
{
    Secret *scalar = secret_new_random(32, error);

    return scalar == NULL ? NULL : identity_of_scalar(scalar);
}

/* `line`: without its newline. */
static AgeIdentity *
parse_identity_line(const char *line, size_t n_line, unsigned line_number, GError **error)
{
    Bech32 key;
    const char *reason = NULL;
    g_autoptr(Secret) scalar = NULL;

    if (!bech32_decode(&key, line, n_line, &reason)) {
        crypto_fail(error, CRYPTO_ERROR_MALFORMED, "line %u is not an age identity: %s",
                    line_number, reason);
    } else if (strcmp(key.prefix, IDENTITY_PREFIX) != 0 || key.n_bytes != 32) {
        crypto_fail(error, CRYPTO_ERROR_MALFORMED,
                    "line %u is not an age identity: it does not start with " IDENTITY_PREFIX
                    "1, or its length is wrong",
                    line_number);
    } else {
        scalar = secret_new_zero(32, error);
        if (scalar != NULL)
            memcpy(secret_bytes(scalar), key.bytes, 32);
    }
    sodium_memzero(&key, sizeof(key));
    return scalar == NULL ? NULL : identity_of_scalar(g_steal_pointer(&scalar));
}

GPtrArray *
age_identity_parse_file(const Secret *text, GError **error)
{
    g_autoptr(GPtrArray) identities =
        g_ptr_array_new_with_free_func((GDestroyNotify) age_identity_free);
    const char *line = (const char *) secret_peek(text);
    const char *end = line + secret_length(text);

    for (unsigned line_number = 1; line < end; line_number++) {
        const char *newline = memchr(line, '\n', (size_t) (end - line));
        const char *next = newline == NULL ? end : newline + 1;
        size_t n_line = (size_t) ((newline == NULL ? end : newline) - line);
        if (n_line > 0 && line[n_line - 1] == '\r')
            n_line--;
        if (n_line > 0 && line[0] != '#') {
            AgeIdentity *identity = parse_identity_line(line, n_line, line_number, error);
            if (identity == NULL)
                return NULL;
            g_ptr_array_add(identities, identity);
        }
        line = next;
    }
    if (identities->len == 0) {
        crypto_fail(error, CRYPTO_ERROR_MALFORMED, "the identity file has no identity in it");
        return NULL;
    }
    return g_steal_pointer(&identities);
}

Secret *
age_identity_to_text(const AgeIdentity *self, GError **error)
{
    g_assert(self->kind == AGE_KEY_X25519);
    Secret *text = secret_new_zero(IDENTITY_BYTES + 1, error);
    Bech32 key = {.prefix = "age-secret-key-", .n_bytes = 32};
    char lower[BECH32_TEXT_BYTES];

    if (text == NULL)
        return NULL;
    memcpy(key.bytes, secret_peek(self->scalar), 32);
    bech32_encode(&key, lower);
    for (size_t i = 0; i < IDENTITY_BYTES; i++)
        secret_bytes(text)[i] = (uint8_t) g_ascii_toupper(lower[i]);
    secret_bytes(text)[IDENTITY_BYTES] = '\n';
    sodium_memzero(&key, sizeof(key));
    sodium_memzero(lower, sizeof(lower));
    return text;
}

AgeRecipient *
age_identity_recipient(const AgeIdentity *self)
{
    g_autofree char *text = NULL;

    if (self->kind == AGE_KEY_TRANSIT)
        return age_recipient_parse(self->transit->text, NULL);
    if (self->kind != AGE_KEY_P256TAG)
        return self->kind == AGE_KEY_X25519 ? recipient_of_point(self->point) : NULL;
    text = age_p256tag_recipient_text(self->p256);
    return age_recipient_parse(text, NULL);
}

void
age_identity_free(AgeIdentity *self)
{
    if (self == NULL)
        return;
    secret_free(self->scalar);
    age_recipient_free(self->transit);
    if (self->free_token != NULL)
        self->free_token(self->token);
    g_free(self);
}
