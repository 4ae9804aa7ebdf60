#include "crypto/age_file.h"
#include "crypto/age_p256tag.h"
#include "crypto/crypto_error.h"
#include "crypto/p256_point.h"
#include "tests/fakes/age_fixture.h"
#include "tests/fakes/soft_token.h"

#include <string.h>

/* Made by an implementation of its own, in Python on `cryptography` (tests/e2e/p256tag.py), for the
 * key of soft_token.c: the word `visit`. */
static const char foreign_file[] =
    "YWdlLWVuY3J5cHRpb24ub3JnL3YxCi0+IHAyNTZ0YWcgTnBybGpBIEJLZUtpdGdpeHd1TUUvYUo5RW1EZWk0b1hr"
    "cXVQYUx5VFp5RjJ3VVdLZ0FlYjM5aGpROUxEakRNazlZS3RreVVLZ3lRVGpmRng0dFYxZWxaSm1HeGV3ZwpVc3ZS"
    "VS8ySmdOaFUyRkZXQ1BSWUp5RlNGdTl2cHMxc3JZTlpDNkVEUTVrCi0tLSBuaUxtbUFhRlFnZ21vVndHQTJmSnl3"
    "eFBoR2thUDZzUlpFSjVmZHR3a0h3Cm+p7VBSWCG1ovWyr5QnL8hZZsdJzhxQxsCm9DzCP5YpKZnhlCo=";

static GPtrArray *
identities_of_token(bool *fails)
{
    g_autoptr(GError) error = NULL;
    GPtrArray *identities = g_ptr_array_new_with_free_func((GDestroyNotify) age_identity_free);

    g_ptr_array_add(identities, soft_token_identity(fails, &error));
    g_assert_no_error(error);
    return identities;
}

static GBytes *
seal_to_token(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) recipients = age_fixture_recipients();
    char text[] = "visit";
    GBytes *sealed = NULL;

    g_ptr_array_add(recipients, age_recipient_parse(SOFT_TOKEN_RECIPIENT, &error));
    g_assert_no_error(error);
    sealed = age_file_seal(recipients, NULL, &(struct iovec){text, strlen(text)}, 1, &error);
    g_assert_no_error(error);
    return sealed;
}

static GByteArray *
open_bytes(GPtrArray *identities, GBytes *sealed, GError **error)
{
    gsize n_bytes = 0;
    const uint8_t *bytes = g_bytes_get_data(sealed, &n_bytes);

    return age_file_open(identities, NULL, bytes, n_bytes, error);
}

static void
test_opens_what_was_sealed_to_it(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) sealed = seal_to_token();
    g_autoptr(GPtrArray) identities = identities_of_token(NULL);
    g_autoptr(GByteArray) opened = open_bytes(identities, sealed, &error);

    g_assert_no_error(error);
    g_assert_cmpmem(opened->data, opened->len, "visit", 5);
}

static void
test_opens_what_another_program_sealed(void)
{
    g_autoptr(GError) error = NULL;
    gsize n_bytes = 0;
    guchar *bytes = g_base64_decode(foreign_file, &n_bytes);
    g_autoptr(GBytes) sealed = g_bytes_new_take(bytes, n_bytes);
    g_autoptr(GPtrArray) identities = identities_of_token(NULL);
    g_autoptr(GByteArray) opened = open_bytes(identities, sealed, &error);

    g_assert_no_error(error);
    g_assert_cmpmem(opened->data, opened->len, "visit", 5);
}

static void
test_tells_what_is_wrong_with_the_token(void)
{
    g_autoptr(GError) error = NULL;
    bool fails = true;
    g_autoptr(GBytes) sealed = seal_to_token();
    g_autoptr(GPtrArray) identities = identities_of_token(&fails);
    g_autoptr(GByteArray) opened = open_bytes(identities, sealed, &error);

    g_assert_error(error, CRYPTO_ERROR, CRYPTO_ERROR_TOKEN);
    g_assert_cmpstr(error->message, ==, "the token is not there");
    g_clear_error(&error);

    fails = false;
    opened = open_bytes(identities, sealed, &error);
    g_assert_no_error(error);
}

/* A tag that is not ours is somebody else's stanza, and the token is not asked. */
static void
test_leaves_others_stanzas_alone(void)
{
    g_autoptr(GError) error = NULL;
    bool fails = true;
    gsize n_bytes = 0;
    guchar *bytes = g_base64_decode(foreign_file, &n_bytes);
    char *tag = strstr((char *) bytes, "p256tag ") + strlen("p256tag ");
    g_autoptr(GPtrArray) identities = identities_of_token(&fails);
    g_autoptr(GByteArray) opened = NULL;

    tag[0] = tag[0] == 'A' ? 'B' : 'A';
    opened = age_file_open(identities, NULL, bytes, n_bytes, &error);
    g_assert_null(opened);
    g_assert_error(error, CRYPTO_ERROR, CRYPTO_ERROR_NO_MATCH);
    g_free(bytes);
}

static void
test_refuses_each_changed_byte(void)
{
    gsize n_bytes = 0;
    guchar *bytes = g_base64_decode(foreign_file, &n_bytes);
    g_autoptr(GPtrArray) identities = identities_of_token(NULL);

    for (gsize i = 0; i < n_bytes; i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(GByteArray) opened = NULL;

        bytes[i] ^= 1;
        opened = age_file_open(identities, NULL, bytes, n_bytes, &error);
        g_assert_null(opened);
        g_assert_nonnull(error);
        bytes[i] ^= 1;
    }
    g_free(bytes);
}

static void
test_refuses_what_is_no_stanza_of_the_type(void)
{
    static const char *const rows[] = {
        "p256tag",
        "p256tag AAAAAA",
        "p256tag AAAAAA AAAA",
        "p256tag AAAA AAAA",
        "p256tag AAAAAA AAAA extra",
    };
    g_autoptr(GPtrArray) identities = identities_of_token(NULL);

    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        static const uint8_t body[32];
        g_autoptr(GError) error = NULL;
        g_autoptr(Secret) file_key = NULL;
        g_autoptr(AgeStanza) stanza =
            age_stanza_new(g_strsplit(rows[i], " ", -1), body, sizeof(body));

        g_assert_false(age_p256tag_unwrap(identities->pdata[0], stanza, &file_key, &error));
        g_assert_error(error, CRYPTO_ERROR, CRYPTO_ERROR_MALFORMED);
    }
}

/* The recipient of the example in c2sp.org/age, and what is no point or no such length. */
static void
test_reads_recipients_strictly(void)
{
    static const struct {
        const char *text, *message;
    } rows[] = {
        {"age1tag1qt8lw0ual6avlwmwatk888yqnmdamm7xfd0wak53ut6elz5c4swx2yqdj4e", NULL},
        {"age1tag1qgqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqzknzksl",
         "it is no point of the curve"                                              },
        {"age1tag1qgpqyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqszqgpq5cqnn2",
         "its length is wrong"                                                      },
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(AgeRecipient) recipient = age_recipient_parse(rows[i].text, &error);

        if (rows[i].message == NULL) {
            g_assert_no_error(error);
            g_assert_cmpstr(age_recipient_text(recipient), ==, rows[i].text);
        } else {
            g_assert_error(error, CRYPTO_ERROR, CRYPTO_ERROR_MALFORMED);
            g_assert_nonnull(strstr(error->message, rows[i].message));
        }
    }
}

static void
test_gives_a_tokens_identity_its_recipient(void)
{
    g_autoptr(GPtrArray) identities = identities_of_token(NULL);
    g_autoptr(AgeRecipient) recipient = age_identity_recipient(identities->pdata[0]);

    g_assert_cmpstr(age_recipient_text(recipient), ==, SOFT_TOKEN_RECIPIENT);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    age_fixture_start();
#define ADD(name, test) g_test_add_func("/age-p256tag/" name, test)
    ADD("opens-what-was-sealed-to-it", test_opens_what_was_sealed_to_it);
    ADD("opens-what-another-program-sealed", test_opens_what_another_program_sealed);
    ADD("tells-what-is-wrong-with-the-token", test_tells_what_is_wrong_with_the_token);
    ADD("leaves-others-stanzas-alone", test_leaves_others_stanzas_alone);
    ADD("refuses-each-changed-byte", test_refuses_each_changed_byte);
    ADD("refuses-what-is-no-stanza-of-the-type", test_refuses_what_is_no_stanza_of_the_type);
    ADD("reads-recipients-strictly", test_reads_recipients_strictly);
    ADD("gives-a-tokens-identity-its-recipient", test_gives_a_tokens_identity_its_recipient);
    return g_test_run();
}
