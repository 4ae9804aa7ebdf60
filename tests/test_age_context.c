#include "crypto/age_context.h"
#include "crypto/age_file.h"
#include "crypto/age_wrap.h"
#include "crypto/crypto_error.h"
#include "tests/fakes/age_fixture.h"

#include <string.h>

static GByteArray *
open_with(GPtrArray *identities, const AgeContext *context, GBytes *sealed, GError **error)
{
    return age_file_open(identities, context, g_bytes_get_data(sealed, NULL),
                         g_bytes_get_size(sealed), error);
}

static void
test_refuses_a_file_that_belongs_elsewhere(void)
{
    g_autoptr(GPtrArray) identities = age_fixture_identities();
    g_autoptr(GBytes) plain = age_fixture_pattern(100);
    g_autoptr(AgeContext) here = age_context_new_segment("clinic-a", "s1", "p1-audio", 0, 7);
    g_autoptr(GBytes) sealed = age_fixture_seal(plain, here);
    g_autoptr(GBytes) of_no_place = age_fixture_seal(plain, NULL);
    AgeContext *const elsewhere[] = {
        age_context_new_segment("clinic-b", "s1", "p1-audio", 0, 7),
        age_context_new_segment("clinic-a", "s2", "p1-audio", 0, 7),
        age_context_new_segment("clinic-a", "s1", "p1-video", 0, 7),
        age_context_new_segment("clinic-a", "s1", "p1-audio", 1, 7),
        age_context_new_segment("clinic-a", "s1", "p1-audio", 0, 8),
        age_context_new_segment("clinic-a", "s1", "p1-audio", 0, 70),
        age_context_new_envelope("clinic-a", "s1", 7),
        age_context_new_meta("clinic-a", "s1"),
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(elsewhere); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_null(open_with(identities, elsewhere[i], sealed, &error));
        g_assert_error(error, CRYPTO_ERROR, CRYPTO_ERROR_CONTEXT);
        g_assert_nonnull(strstr(error->message, age_context_text(elsewhere[i])));
        age_context_free(elsewhere[i]);
    }
    g_autoptr(GError) error = NULL;
    g_assert_null(open_with(identities, NULL, sealed, &error));
    g_assert_error(error, CRYPTO_ERROR, CRYPTO_ERROR_CONTEXT);
    g_clear_error(&error);
    g_assert_null(open_with(identities, here, of_no_place, &error));
    g_assert_error(error, CRYPTO_ERROR, CRYPTO_ERROR_CONTEXT);
    g_clear_error(&error);
    GByteArray *opened = open_with(identities, age_context_any(), sealed, &error);
    g_assert_no_error(error);
    age_file_wipe(opened);
}

static void
test_claims_its_place_without_a_key(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) plain = age_fixture_pattern(100);
    g_autoptr(AgeContext) context = age_context_new_envelope("clinic-a", "s1", 3);
    g_autoptr(GBytes) sealed = age_fixture_seal(plain, context);
    g_autoptr(GBytes) of_no_place = age_fixture_seal(plain, NULL);

    g_autofree char *claim =
        age_file_claimed_context(g_bytes_get_data(sealed, NULL), g_bytes_get_size(sealed), &error);
    g_assert_no_error(error);
    g_assert_cmpstr(claim, ==, "sealtape-envelope clinic-a s1 3");
    g_assert_null(age_file_claimed_context(g_bytes_get_data(of_no_place, NULL),
                                           g_bytes_get_size(of_no_place), &error));
    g_assert_no_error(error);
    g_assert_null(age_file_claimed_context((const uint8_t *) "x", 1, &error));
    g_assert_error(error, CRYPTO_ERROR, CRYPTO_ERROR_MALFORMED);
}

/* Headers with a right MAC, by someone who has the recipient but writes the place differently. */
static void
test_a_place_is_said_once_first_and_bare(void)
{
    static const struct {
        const char *name;
        const char *stanzas[4]; /* `*` for the one that opens */
        guint n_body;           /* of the others */
        int code;               /* -1: opens */
    } rows[] = {
        {"as it must be",   {"sealtape-meta a s", "*"},                      0, -1                  },
        {"grease besides",  {"sealtape-meta a s", "*", "grease"},            0, -1                  },
        {"said twice",      {"sealtape-meta a s", "sealtape-meta a s", "*"}, 0, CRYPTO_ERROR_CONTEXT},
        {"another besides",
         {"sealtape-meta a s", "*", "sealtape-meta b s"},
         0,                                                                     CRYPTO_ERROR_CONTEXT},
        {"another before",  {"sealtape-x a s", "sealtape-meta a s", "*"},    0, CRYPTO_ERROR_CONTEXT},
        {"not first",       {"*", "sealtape-meta a s"},                      0, CRYPTO_ERROR_CONTEXT},
        {"with a body",     {"sealtape-meta a s", "*"},                      1, CRYPTO_ERROR_CONTEXT},
        {"one word more",   {"sealtape-meta a s s", "*"},                    0, CRYPTO_ERROR_CONTEXT},
        {"in capitals",     {"SEALTAPE-meta a s", "*"},                      0, CRYPTO_ERROR_CONTEXT},
        {"not at all",      {"*"},                                           0, CRYPTO_ERROR_CONTEXT},
    };
    g_autoptr(GPtrArray) identities = age_fixture_identities();
    g_autoptr(GPtrArray) recipients = age_fixture_recipients();
    g_autoptr(AgeContext) context = age_context_new_meta("a", "s");
    g_autoptr(GBytes) plain = age_fixture_pattern(9);

    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(Secret) file_key = secret_new_random(AGE_FILE_KEY_BYTES, &error);
        g_autoptr(GPtrArray) stanzas =
            g_ptr_array_new_with_free_func((GDestroyNotify) age_stanza_free);
        g_test_message("%s", rows[i].name);
        for (unsigned k = 0; rows[i].stanzas[k] != NULL; k++) {
            const char *words = rows[i].stanzas[k];
            g_ptr_array_add(stanzas,
                            words[0] == '*'
                                ? age_wrap(g_ptr_array_index(recipients, 0), file_key, NULL)
                                : age_stanza_new(g_strsplit(words, " ", -1), (const uint8_t *) "x",
                                                 rows[i].n_body));
        }
        g_autoptr(GBytes) file = age_fixture_seal_stanzas(stanzas, file_key, plain);

        GByteArray *opened = open_with(identities, context, file, &error);

        if (rows[i].code < 0)
            g_assert_no_error(error);
        else
            g_assert_error(error, CRYPTO_ERROR, rows[i].code);
        g_assert_true((opened != NULL) == (rows[i].code < 0));
        age_file_wipe(opened);
    }
}

static void
test_ids_follow_one_rule(void)
{
    static const struct {
        const char *id;
        bool is_valid;
    } rows[] = {
        {"a",                                                                 true },
        {"0",                                                                 true },
        {"p1-audio.x_y",                                                      true },
        {"",                                                                  false},
        {".a",                                                                false},
        {"-a",                                                                false},
        {"_a",                                                                false},
        {"A",                                                                 false},
        {"a b",                                                               false},
        {"a/b",                                                               false},
        {"\xc3\xa4",                                                          false},
        {"a\n",                                                               false},
        {"0123456789012345678901234567890123456789012345678901234567890123",  true },
        {"01234567890123456789012345678901234567890123456789012345678901234", false},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++)
        g_assert_true(age_context_id_is_valid(rows[i].id) == rows[i].is_valid);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    age_fixture_start();
    g_test_add_func("/age_context/refuses-a-file-that-belongs-elsewhere",
                    test_refuses_a_file_that_belongs_elsewhere);
    g_test_add_func("/age_context/claims-its-place-without-a-key",
                    test_claims_its_place_without_a_key);
    g_test_add_func("/age_context/a-place-is-said-once-first-and-bare",
                    test_a_place_is_said_once_first_and_bare);
    g_test_add_func("/age_context/ids-follow-one-rule", test_ids_follow_one_rule);
    return g_test_run();
}
