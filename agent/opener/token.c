#include "agent/opener/token.h"

#include <string.h>

/* The order of mistrust:
 *  1. Size and form: three parts of base64url, each written as only one encoder would.
 *  2. The header: an algorithm of the list, nothing critical that nobody here knows.
 *  3. Both objects with each name once: what is there twice means two things.
 *  4. Behind this file: signature, then claims. */

static const struct {
    const char *code;
    const char *sentence;
} faults[] = {
    [TOKEN_OK] = {"ok",                "The token is good."                                              },
    [TOKEN_MALFORMED] =
        {"token-malformed",
                  "The token is no JWS in compact form of at most 16 KiB in which each name stands once."},
    [TOKEN_ALGORITHM] =
        {"token-algorithm",
                  "The token is signed with nothing, or with an algorithm that is not taken."            },
    [TOKEN_ISSUER] = {"token-issuer",      "Nobody here knows the token's issuer."                           },
    [TOKEN_KEY_UNKNOWN] = {"token-key-unknown", "The issuer has no such key."                                     },
    [TOKEN_SIGNATURE] = {"token-signature",   "The token's signature is wrong."                                 },
    [TOKEN_AUDIENCE] = {"token-audience",    "The token is for somebody else."                                 },
    [TOKEN_EXPIRED] = {"token-expired",     "The token has expired."                                          },
    [TOKEN_EARLY] = {"token-early",       "The token is not valid yet."                                     },
    [TOKEN_CLAIMS] = {"token-claims",      "The token lacks a claim that is needed, or has it wrong."        },
};

const char *
token_fault_text(TokenFault fault)
{
    return faults[fault].code;
}

const char *
token_fault_sentence(TokenFault fault)
{
    return faults[fault].sentence;
}

static bool
is_base64url(const char *text, size_t n_bytes)
{
    static const char *const alphabet =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

    return n_bytes > 0 && n_bytes % 4 != 1 && strspn(text, alphabet) >= n_bytes;
}

/* Returns: the bytes, owned; NULL for what an encoder would not write. */
static GByteArray *
decode(const char *text, size_t n_bytes)
{
    g_autofree char *standard = NULL;
    g_autofree guchar *bytes = NULL;
    g_autofree char *again = NULL;
    gsize n_decoded = 0;

    if (!is_base64url(text, n_bytes))
        return NULL;
    standard = g_strdup_printf("%.*s%.*s", (int) n_bytes, text, (int) (4 - n_bytes % 4) % 4, "===");
    g_strdelimit(g_strdelimit(standard, "-", '+'), "_", '/');
    bytes = g_base64_decode(standard, &n_decoded);
    again = g_base64_encode(bytes, n_decoded);
    if (strcmp(standard, again) != 0)
        return NULL; /* bits behind the last byte */
    return g_byte_array_new_take(g_steal_pointer(&bytes), n_decoded);
}

/* Returns: the object in base64url, owned; NULL for anything else, or a name twice. */
static json_t *
decode_object(const char *text, size_t n_bytes)
{
    g_autoptr(GByteArray) bytes = decode(text, n_bytes);
    json_t *json = bytes == NULL ? NULL
                                 : json_loadb((const char *) bytes->data, bytes->len,
                                              JSON_REJECT_DUPLICATES, NULL);

    if (!json_is_object(json)) {
        g_clear_pointer(&json, json_decref);
    }
    return json;
}

static bool
is_allowed(const char *algorithm)
{
    static const char *const allowed[] = {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512",
                                          "ES256", "ES384", "ES512", "EdDSA", NULL};

    return algorithm != NULL && g_strv_contains(allowed, algorithm);
}

static bool
is_type_of_ours(const json_t *header)
{
    static const char *const types[] = {"at+jwt", "application/at+jwt", "jwt", "jws", NULL};
    const json_t *member = json_object_get(header, "typ");
    g_autofree char *type =
        member == NULL
            ? NULL
            : g_ascii_strdown(json_is_string(member) ? json_string_value(member) : "", -1);

    return type == NULL || g_strv_contains(types, type);
}

static TokenFault
read_header(Token *self, const json_t *header)
{
    const json_t *key_id = json_object_get(header, "kid");
    const char *algorithm = json_string_value(json_object_get(header, "alg"));

    if (!is_allowed(algorithm))
        return TOKEN_ALGORITHM;
    if (json_object_get(header, "crit") != NULL || json_object_get(header, "b64") != NULL ||
        json_object_get(header, "zip") != NULL || !is_type_of_ours(header) ||
        (key_id != NULL && !json_is_string(key_id)))
        return TOKEN_MALFORMED;
    self->algorithm = g_strdup(algorithm);
    self->key_id = g_strdup(json_string_value(key_id));
    return TOKEN_OK;
}

static TokenFault
read_parts(Token *self, const char *text, size_t n_bytes)
{
    const char *first = memchr(text, '.', n_bytes);
    const char *second =
        first == NULL ? NULL : memchr(first + 1, '.', n_bytes - (size_t) (first + 1 - text));
    json_t *header = NULL;
    TokenFault fault = TOKEN_MALFORMED;

    if (second == NULL)
        return TOKEN_MALFORMED;
    header = decode_object(text, (size_t) (first - text));
    if (header == NULL)
        return TOKEN_MALFORMED;
    fault = read_header(self, header);
    json_decref(header);
    if (fault != TOKEN_OK)
        return fault;
    self->signed_part = g_strndup(text, (size_t) (second - text));
    self->claims = decode_object(first + 1, (size_t) (second - first - 1));
    self->signature = decode(second + 1, n_bytes - (size_t) (second + 1 - text));
    return self->claims != NULL && self->signature != NULL ? TOKEN_OK : TOKEN_MALFORMED;
}

Token *
token_parse(const char *text, size_t n_bytes, TokenFault *fault)
{
    g_autoptr(Token) self = g_new0(Token, 1);

    *fault = TOKEN_MALFORMED;
    if (n_bytes == 0 || n_bytes > TOKEN_MAX_BYTES || memchr(text, '\0', n_bytes) != NULL)
        return NULL;
    *fault = read_parts(self, text, n_bytes);
    return *fault == TOKEN_OK ? g_steal_pointer(&self) : NULL;
}

void
token_free(Token *self)
{
    if (self == NULL)
        return;
    g_free(self->signed_part);
    g_clear_pointer(&self->signature, g_byte_array_unref);
    g_free(self->algorithm);
    g_free(self->key_id);
    json_decref(self->claims);
    g_free(self);
}
