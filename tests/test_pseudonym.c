#include "agent/audit/pseudonym.h"
#include "crypto/crypto_error.h"

#include <string.h>

static Secret *
secret_of(const char *text)
{
    Secret *secret = secret_new_zero(strlen(text), NULL);

    memcpy(secret_bytes(secret), text, strlen(text));
    return secret;
}

#define DIGITS "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

static void
test_is_the_same_for_the_same_person(void)
{
    g_autoptr(Secret) text = secret_of("SEALTAPE-PSEUDONYM-KEY-1-" DIGITS "\n");
    g_autoptr(Secret) key = pseudonym_key_parse(text, NULL);
    g_autofree char *name = pseudonym_of(key, "clinic-a", "https://idp.example|sub-1");

    /* printf 'sealtape-pseudonym/v1\nclinic-a\nhttps://idp.example|sub-1' |
     * openssl dgst -sha256 -hmac DIGITS */
    g_assert_cmpstr(name, ==, "p-5192299a722d0c6a4181062b3a60abf3");
}

static void
test_differs_by_person_organisation_and_key(void)
{
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    static const char *const people[][2] = {
        {"clinic-a",       "anna"},
        {"clinic-b",       "anna"},
        {"clinic-a",       "ben" },
        {"clinic-a\nanna", ""    }
    };

    for (int round = 0; round < 2; round++) {
        g_autoptr(Secret) text = pseudonym_key_generate(NULL);
        g_autoptr(Secret) key = pseudonym_key_parse(text, NULL);

        for (size_t i = 0; i < G_N_ELEMENTS(people); i++)
            g_assert_true(g_hash_table_add(seen, pseudonym_of(key, people[i][0], people[i][1])));
    }
}

static void
test_refuses_what_is_no_key(void)
{
    static const char *const texts[] = {
        "x",
        "SEALTAPE-PSEUDONYM-KEY-1-",
        "SEALTAPE-PSEUDONYM-KEY-1-" DIGITS "0",
        "SEALTAPE-PSEUDONYM-KEY-1-" DIGITS " \n",
        "sealtape-PSEUDONYM-KEY-1-" DIGITS,
        "SEALTAPE-PSEUDONYM-KEY-1-"
        "z00102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"};

    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(Secret) text = secret_of(texts[i]);
        g_autoptr(GError) error = NULL;

        g_assert_null(pseudonym_key_parse(text, &error));
        g_assert_error(error, CRYPTO_ERROR, CRYPTO_ERROR_MALFORMED);
        g_assert_null(strstr(error->message, "0001"));
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(crypto_start(NULL));
    g_test_add_func("/pseudonym/is-the-same-for-the-same-person",
                    test_is_the_same_for_the_same_person);
    g_test_add_func("/pseudonym/differs-by-person-organisation-and-key",
                    test_differs_by_person_organisation_and_key);
    g_test_add_func("/pseudonym/refuses-what-is-no-key", test_refuses_what_is_no_key);
    return g_test_run();
}
