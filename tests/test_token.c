#include "agent/opener/token.h"

#include <string.h>

/* RFC 8037, appendix A.4: a real EdDSA signature that somebody else made. */
#define EDDSA                                                                                      \
    "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-"        \
    "09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"

static TokenFault
fault_of(const char *text)
{
    TokenFault fault = TOKEN_OK;
    g_autoptr(Token) token = token_parse(text, strlen(text), &fault);

    g_assert_true((token == NULL) == (fault != TOKEN_OK));
    return fault;
}

/* Returns: `<header>.<payload>.c2ln`, owned. */
static char *
token_of(const char *header, const char *payload)
{
    g_autofree char *head = g_base64_encode((const guchar *) header, strlen(header));
    g_autofree char *body = g_base64_encode((const guchar *) payload, strlen(payload));
    g_autofree char *text = g_strdup_printf("%s.%s.c2ln", head, body);
    GString *plain = g_string_new(NULL);

    for (const char *next = text; *next != '\0'; next++) {
        if (*next != '=')
            g_string_append_c(plain, *next == '+' ? '-' : *next == '/' ? '_' : *next);
    }
    return g_string_free(plain, FALSE);
}

static void
test_takes_only_what_it_knows(void)
{
    static const struct {
        const char *header;
        const char *payload;
        TokenFault fault;
    } rows[] = {
        {"{\"alg\":\"ES256\",\"kid\":\"1\",\"typ\":\"at+jwt\"}", "{\"a\":1}",         TOKEN_OK       },
        {"{\"alg\":\"ES256\",\"typ\":\"application/at+JWT\"}",   "{}",                TOKEN_OK       },
        {"{\"alg\":\"none\"}",                                   "{}",                TOKEN_ALGORITHM},
        {"{\"alg\":\"None\"}",                                   "{}",                TOKEN_ALGORITHM},
        {"{\"alg\":\"HS256\"}",                                  "{}",                TOKEN_ALGORITHM},
        {"{\"alg\":\"ES256K\"}",                                 "{}",                TOKEN_ALGORITHM},
        {"{\"alg\":[\"ES256\"]}",                                "{}",                TOKEN_ALGORITHM},
        {"{}",                                                   "{}",                TOKEN_ALGORITHM},
        {"{\"alg\":\"ES256\",\"alg\":\"none\"}",                 "{}",                TOKEN_MALFORMED},
        {"{\"alg\":\"ES256\",\"crit\":[\"b64\"],\"b64\":false}", "{}",                TOKEN_MALFORMED},
        {"{\"alg\":\"ES256\",\"typ\":\"secevent+jwt\"}",         "{}",                TOKEN_MALFORMED},
        {"{\"alg\":\"ES256\",\"kid\":7}",                        "{}",                TOKEN_MALFORMED},
        {"{\"alg\":\"ES256\"}",                                  "{\"a\":1,\"a\":2}", TOKEN_MALFORMED},
        {"{\"alg\":\"ES256\"}",                                  "[]",                TOKEN_MALFORMED},
        {"[]",                                                   "{}",                TOKEN_MALFORMED},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *text = token_of(rows[i].header, rows[i].payload);

        if (fault_of(text) != rows[i].fault)
            g_error("%s %s: not %s", rows[i].header, rows[i].payload,
                    token_fault_text(rows[i].fault));
    }
}

static void
test_takes_only_one_spelling(void)
{
    g_autofree char *good = token_of("{\"alg\":\"ES256\"}", "{}");
    g_autofree char *padded = g_strconcat(good, "=", NULL);
    g_autofree char *more = g_strconcat(good, ".x", NULL);
    g_autofree char *spaced = g_strconcat(good, " ", NULL);
    g_autofree char *bits = g_strndup(good, strlen(good));
    g_autofree char *large = g_strnfill(TOKEN_MAX_BYTES + 1, 'A');

    bits[strlen(bits) - 1] = 'o'; /* c2lo is `sih`: another, and as good */
    g_assert_cmpint(fault_of(good), ==, TOKEN_OK);
    g_assert_cmpint(fault_of(bits), ==, TOKEN_OK);
    g_assert_cmpint(fault_of(padded), ==, TOKEN_MALFORMED);
    g_assert_cmpint(fault_of(more), ==, TOKEN_MALFORMED);
    g_assert_cmpint(fault_of(spaced), ==, TOKEN_MALFORMED);
    g_assert_cmpint(fault_of(large), ==, TOKEN_MALFORMED);
    for (size_t n = 0; n < strlen(good); n++) {
        g_autofree char *cut = g_strndup(good, n);

        /* A signature that is cut is a signature still, and a wrong one. */
        if (fault_of(cut) == TOKEN_OK)
            g_assert_cmpuint(n, >, (size_t) (strrchr(good, '.') - good));
    }
}

/* The key's use, kind and length decide before its mathematics do. */
static void
test_looks_only_at_keys_that_fit(void)
{
    static const struct {
        const char *key;
        TokenFault fault;
    } rows[] = {
        {"{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"11qYAYKxCrfVS_"
         "7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}",                     TOKEN_OK         },
        {"{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"21qYAYKxCrfVS_"
         "7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}",                     TOKEN_SIGNATURE  },
        {"{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"11qYAYKxCrfVS\"}", TOKEN_SIGNATURE  },
        {"{\"kty\":\"OKP\",\"crv\":\"X25519\",\"x\":\"11qYAYKxCrfVS_"
         "7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}",                     TOKEN_KEY_UNKNOWN},
        {"{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"use\":\"enc\",\"x\":\"11qYAYKxCrfVS_"
         "7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}",                     TOKEN_KEY_UNKNOWN},
        {"{\"kty\":\"oct\",\"k\":\"c2VjcmV0\"}",                          TOKEN_KEY_UNKNOWN},
    };
    const char *dot = strrchr(EDDSA, '.');

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *set = g_strdup_printf("{\"keys\":[%s]}", rows[i].key);
        json_t *keys = json_loads(set, 0, NULL);
        gsize n_bytes = 0;
        g_autofree char *standard = g_strconcat(dot + 1, "==", NULL);
        guchar *bytes =
            g_base64_decode(g_strdelimit(g_strdelimit(standard, "-", '+'), "_", '/'), &n_bytes);
        Token token = {.signed_part = g_strndup(EDDSA, (size_t) (dot - EDDSA)),
                       .signature = g_byte_array_new_take(bytes, n_bytes),
                       .algorithm = (char *) "EdDSA"};

        g_assert_cmpint(token_is_genuine(&token, keys), ==, rows[i].fault);
        g_free(token.signed_part);
        g_byte_array_unref(token.signature);
        json_decref(keys);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/token/takes-only-what-it-knows", test_takes_only_what_it_knows);
    g_test_add_func("/token/takes-only-one-spelling", test_takes_only_one_spelling);
    g_test_add_func("/token/looks-only-at-keys-that-fit", test_looks_only_at_keys_that_fit);
    return g_test_run();
}
