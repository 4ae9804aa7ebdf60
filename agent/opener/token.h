#pragma once

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* An access token as it came: a JWS in compact form (RFC 7515), taken apart. Nothing in it is
 * believed until token_is_genuine() has said so. */

typedef enum {
    TOKEN_OK,
    TOKEN_MALFORMED,
    TOKEN_ALGORITHM, /* none, a symmetric one, or one nobody knows */
    TOKEN_ISSUER,    /* nobody's here */
    TOKEN_KEY_UNKNOWN,
    TOKEN_SIGNATURE,
    TOKEN_AUDIENCE,
    TOKEN_EXPIRED,
    TOKEN_EARLY,
    TOKEN_CLAIMS, /* one is missing or of a wrong type */
} TokenFault;

/* Returns: `token-expired` and the like; one sentence: static. */
const char *token_fault_text(TokenFault fault);
const char *token_fault_sentence(TokenFault fault);

/* More is no token. */
#define TOKEN_MAX_BYTES ((size_t) 16 << 10)

typedef struct {
    char *signed_part; /* `<header>.<payload>`, as signed */
    GByteArray *signature;
    char *algorithm; /* one of the allowed ones */
    char *key_id;    /* NULL: not said */
    json_t *claims;  /* an object, no name twice */
} Token;

/* Takes `text` (`n_bytes`) apart. Returns: NULL with `fault` set. */
Token *token_parse(const char *text, size_t n_bytes, TokenFault *fault) G_GNUC_WARN_UNUSED_RESULT;

/* Whether a key of `keys` (a JWK set, RFC 7517) made the signature. A key that is not for this
 * algorithm, or for signatures, or too short, or symmetric, is not looked at. Returns: TOKEN_OK,
 * TOKEN_KEY_UNKNOWN or TOKEN_SIGNATURE. */
TokenFault token_is_genuine(const Token *self, const json_t *keys);

void token_free(Token *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Token, token_free)
