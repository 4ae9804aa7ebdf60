#include "agent/opener/token.h"
#include "crypto/base64.h"
#include "crypto/ed25519.h"

#include <jose/b64.h>
#include <jose/jws.h>
#include <string.h>

/* libjose 11 verifies all of the allowed algorithms but EdDSA, which crypto/ does. */

#define LEAST_RSA_BYTES 256

/* What a key must be for each algorithm (RFC 7518, RFC 8037). */
static const struct {
    const char *algorithm;
    const char *type;
    const char *curve; /* NULL: has none */
} uses[] = {
    {"RS256", "RSA", NULL     },
    {"RS384", "RSA", NULL     },
    {"RS512", "RSA", NULL     },
    {"PS256", "RSA", NULL     },
    {"PS384", "RSA", NULL     },
    {"PS512", "RSA", NULL     },
    {"ES256", "EC",  "P-256"  },
    {"ES384", "EC",  "P-384"  },
    {"ES512", "EC",  "P-521"  },
    {"EdDSA", "OKP", "Ed25519"},
};

static const char *
member(const json_t *key, const char *name)
{
    return json_string_value(json_object_get(key, name));
}

static bool
is_for_verifying(const json_t *key)
{
    const char *use = member(key, "use");
    const json_t *operations = json_object_get(key, "key_ops");
    bool may_verify = operations == NULL;

    for (size_t i = 0; i < json_array_size(operations); i++)
        may_verify |= g_strcmp0(json_string_value(json_array_get(operations, i)), "verify") == 0;
    return may_verify && (use == NULL || strcmp(use, "sig") == 0);
}

static bool
fits(const json_t *key, const char *algorithm)
{
    const char *said = member(key, "alg");

    if (!is_for_verifying(key) || (said != NULL && strcmp(said, algorithm) != 0))
        return false;
    for (size_t i = 0; i < G_N_ELEMENTS(uses); i++) {
        if (strcmp(uses[i].algorithm, algorithm) != 0)
            continue;
        if (g_strcmp0(member(key, "kty"), uses[i].type) != 0)
            return false;
        if (uses[i].curve != NULL)
            return g_strcmp0(member(key, "crv"), uses[i].curve) == 0;
        return member(key, "n") != NULL && strlen(member(key, "n")) / 4 * 3 >= LEAST_RSA_BYTES - 2;
    }
    return false;
}

/* In base64url without padding. */
static bool
read_point(const json_t *key, uint8_t point[ED25519_KEY_BYTES])
{
    g_autofree char *text = g_strdup(member(key, "x"));
    size_t n_bytes = 0;

    if (text == NULL || strpbrk(text, "+/") != NULL)
        return false;
    g_strdelimit(g_strdelimit(text, "-", '+'), "_", '/');
    return base64_decode_unpadded(text, strlen(text), point, ED25519_KEY_BYTES, &n_bytes) &&
           n_bytes == ED25519_KEY_BYTES;
}

static bool
verify_eddsa(const Token *self, const json_t *key)
{
    uint8_t point[ED25519_KEY_BYTES];

    return self->signature->len == ED25519_SIGNATURE_BYTES && read_point(key, point) &&
           ed25519_is_genuine(point, self->signature->data, self->signed_part,
                              strlen(self->signed_part));
}

/* As the library wants it: the compact form's parts by name. */
static bool
verify_jose(const Token *self, const json_t *key)
{
    const char *dot = strchr(self->signed_part, '.');
    g_autofree char *header = g_strndup(self->signed_part, (size_t) (dot - self->signed_part));
    json_t *signature = jose_b64_enc(self->signature->data, self->signature->len);
    json_t *jws = json_pack("{s:s, s:s, s:o}", "protected", header, "payload", dot + 1, "signature",
                            signature);
    /* The key as it is used here, whatever else the set says of it. */
    json_t *plain = json_copy((json_t *) key);
    bool is_genuine = false;

    (void) json_object_del(plain, "key_ops"); /* looked at already, like `use` */
    (void) json_object_del(plain, "use");
    is_genuine = jws != NULL && jose_jws_ver(NULL, jws, NULL, plain, false);
    json_decref(plain);
    json_decref(jws);
    return is_genuine;
}

TokenFault
token_is_genuine(const Token *self, const json_t *keys)
{
    const json_t *list = json_object_get(keys, "keys");
    bool is_known = false;

    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *key = json_array_get(list, i);

        if (self->key_id != NULL && g_strcmp0(member(key, "kid"), self->key_id) != 0)
            continue;
        if (!fits(key, self->algorithm))
            continue;
        is_known = true;
        if (strcmp(self->algorithm, "EdDSA") == 0 ? verify_eddsa(self, key)
                                                  : verify_jose(self, key))
            return TOKEN_OK;
    }
    return is_known ? TOKEN_SIGNATURE : TOKEN_KEY_UNKNOWN;
}
