#include "agent/opener/token.h"
#include "crypto/crypto_error.h"

#include <glib.h>
#include <stdint.h>
#include <string.h>

/* A token as somebody unknown sends it. What is taken has an algorithm that is allowed, claims
 * that are an object, and what was signed is how the token begins; and no key that is none here
 * makes it genuine. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes);

static void
check_taken(const Token *token, const char *text)
{
    static const char *const allowed[] = {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512",
                                          "ES256", "ES384", "ES512", "EdDSA", NULL};
    json_t *keys = json_pack("{s:[]}", "keys");

    g_assert_true(g_strv_contains(allowed, token->algorithm));
    g_assert_true(json_is_object(token->claims));
    g_assert_true(strncmp(text, token->signed_part, strlen(token->signed_part)) == 0);
    g_assert_cmpint(token_is_genuine(token, keys), ==, TOKEN_KEY_UNKNOWN);
    json_decref(keys);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes)
{
    g_autofree char *text = g_strndup((const char *) data, n_bytes);
    TokenFault fault = TOKEN_OK;
    g_autoptr(GError) error = NULL;
    g_autoptr(Token) token = NULL;

    g_assert_true(crypto_start(&error));
    token = token_parse(text, n_bytes, &fault);
    if (token == NULL) {
        g_assert_cmpint(fault, !=, TOKEN_OK);
        g_assert_nonnull(token_fault_text(fault));
        g_assert_nonnull(token_fault_sentence(fault));
    } else {
        check_taken(token, text);
    }
    return 0;
}
