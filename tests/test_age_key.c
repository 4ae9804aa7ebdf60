#include "crypto/age_key.h"
#include "crypto/crypto_error.h"
#include "tests/fakes/age_fixture.h"

#include <string.h>

#define RECIPIENT "age1sk0uxf7fe6j25hjxrnmzq9t5v34vvcny5d54npdygu62ex4e2cqq5g98fs"
#define IDENTITY  "AGE-SECRET-KEY-152D6L7S66YG9SPMTUTVFAG0GQS9KZKVLKHZ365ZFSJNXSWF34N8SW9S7NE"

/* Pairs that age-keygen made, the first one from a scalar of 0x42 only. */
static void
test_knows_the_recipient_of_an_identity(void)
{
    static const struct {
        const char *identity;
        const char *recipient;
    } rows[] = {
        {"AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX",
         "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj"                       },
        {IDENTITY,                                                                     RECIPIENT},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(Secret) text = age_fixture_secret(rows[i].identity);
        g_autoptr(GPtrArray) identities = age_identity_parse_file(text, &error);
        g_assert_no_error(error);

        g_autoptr(AgeRecipient) recipient =
            age_identity_recipient(g_ptr_array_index(identities, 0));

        g_assert_cmpstr(age_recipient_text(recipient), ==, rows[i].recipient);
    }
}

static void
test_new_identity_survives_as_text(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(AgeIdentity) identity = age_identity_generate(&error);
    g_assert_no_error(error);
    g_autoptr(AgeRecipient) recipient = age_identity_recipient(identity);

    g_autoptr(Secret) text = age_identity_to_text(identity, &error);
    g_assert_no_error(error);
    g_autoptr(GPtrArray) again = age_identity_parse_file(text, &error);
    g_assert_no_error(error);

    g_assert_cmpuint(secret_length(text), ==, 75);
    g_autoptr(AgeRecipient) same = age_identity_recipient(g_ptr_array_index(again, 0));
    g_assert_cmpstr(age_recipient_text(same), ==, age_recipient_text(recipient));
}

static void
test_two_identities_are_never_alike(void)
{
    g_autoptr(AgeIdentity) a = age_identity_generate(NULL);
    g_autoptr(AgeIdentity) b = age_identity_generate(NULL);
    g_autoptr(AgeRecipient) of_a = age_identity_recipient(a);
    g_autoptr(AgeRecipient) of_b = age_identity_recipient(b);

    g_assert_cmpstr(age_recipient_text(of_a), !=, age_recipient_text(of_b));
}

static void
test_reads_comments_empty_lines_and_many_keys(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Secret) text = age_fixture_secret("# a\r\n\r\n" IDENTITY "\r\n\n#\n" IDENTITY);

    g_autoptr(GPtrArray) identities = age_identity_parse_file(text, &error);

    g_assert_no_error(error);
    g_assert_cmpuint(identities->len, ==, 2);
}

static void
test_refuses_malformed_identities_and_names_only_the_line(void)
{
    static const struct {
        const char *text;
        const char *line;
    } rows[] = {
        {"",                                                                             "no identity"},
        {"# only a comment\n",                                                           "no identity"},
        {"# x\n" RECIPIENT "\n",                                                         "line 2 "    },
        {"# x\n\nAGE-SECRET-KEY-1\n",                                                    "line 3 "    },
        {IDENTITY "\n" IDENTITY "Q\n",                                                   "line 2 "    },
        {" " IDENTITY "\n",                                                              "line 1 "    },
        {IDENTITY " \n",                                                                 "line 1 "    },
        {"age-secret-key-152d6l7s66yg9spmtutvfag0gqs9kzkvlkhz365zfsjnxswf34n8sw9s7ne\n", "line 1 "    },
        {"AGE-SECRET-KEY-152D6L7S66YG9SPMTUTVFAG0GQS9KZKVLKHZ365ZFSJNXSWF34N8SW9S7NF\n", "line 1 "    },
        {"AGE-SECRET-KEY-152D6L7S66YG9SPMTUTVFAG0GQS9KZKVLKHZ365ZFSJNXSWF34N8SW9S7Ne\n", "line 1 "    },
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(Secret) text = age_fixture_secret(rows[i].text);

        g_assert_null(age_identity_parse_file(text, &error));

        g_assert_error(error, CRYPTO_ERROR, CRYPTO_ERROR_MALFORMED);
        g_assert_nonnull(strstr(error->message, rows[i].line));
        g_assert_null(strstr(error->message, "152D"));
    }
}

static void
test_refuses_malformed_recipients(void)
{
    static const char *const rows[] = {
        "",
        "age1",
        RECIPIENT "q",
        " " RECIPIENT,
        RECIPIENT "\n",
        "AGE1SK0UXF7FE6J25HJXRNMZQ9T5V34VVCNY5D54NPDYGU62EX4E2CQQ5G98FS",
        "age1sk0uxf7fe6j25hjxrnmzq9t5v34vvcny5d54npdygu62ex4e2cqq5g98ft",
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKnUCh7sHbCfmVYcFmWLLOj0RVTPPGyZ5f4xJCNb9hQP",
        "A12UEL5L",
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GError) error = NULL;

        g_assert_null(age_recipient_parse(rows[i], &error));
        g_assert_error(error, CRYPTO_ERROR, CRYPTO_ERROR_MALFORMED);
    }
}

static void
test_pasted_secret_key_is_never_echoed(void)
{
    g_autoptr(GError) error = NULL;

    g_assert_null(age_recipient_parse(IDENTITY, &error));
    g_assert_error(error, CRYPTO_ERROR, CRYPTO_ERROR_MALFORMED);
    g_assert_nonnull(strstr(error->message, "secret key"));
    g_assert_null(strstr(error->message, "152D"));
}

static void
test_refuses_points_of_low_order(void)
{
    /* Zero, one, and the two of order eight. */
    static const char *const rows[] = {
        "age1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq5cu47z",
        "age1qyqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqj7vrya",
        "age1ur4h5lpmgxu2u9jku0a0r87ydtdqnr0tnsetrlvxvgz3vh6fhqqqzyt4v9",
        "age1t7wft09r2zxzfvwsk92eeql0tvzyghxytqwgapkcyf8dm5ylz9ts6wm9s8",
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GError) error = NULL;

        g_assert_null(age_recipient_parse(rows[i], &error));
        g_assert_error(error, CRYPTO_ERROR, CRYPTO_ERROR_MALFORMED);
        g_assert_nonnull(strstr(error->message, "low order"));
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    age_fixture_start();
    g_test_add_func("/age_key/knows-the-recipient-of-an-identity",
                    test_knows_the_recipient_of_an_identity);
    g_test_add_func("/age_key/new-identity-survives-as-text", test_new_identity_survives_as_text);
    g_test_add_func("/age_key/two-identities-are-never-alike", test_two_identities_are_never_alike);
    g_test_add_func("/age_key/reads-comments-empty-lines-and-many-keys",
                    test_reads_comments_empty_lines_and_many_keys);
    g_test_add_func("/age_key/refuses-malformed-identities-and-names-only-the-line",
                    test_refuses_malformed_identities_and_names_only_the_line);
    g_test_add_func("/age_key/refuses-malformed-recipients", test_refuses_malformed_recipients);
    g_test_add_func("/age_key/pasted-secret-key-is-never-echoed",
                    test_pasted_secret_key_is_never_echoed);
    g_test_add_func("/age_key/refuses-points-of-low-order", test_refuses_points_of_low_order);
    return g_test_run();
}
