#include "crypto/age_file.h"
#include "crypto/age_passphrase.h"
#include "crypto/age_wrap.h"
#include "crypto/crypto_error.h"
#include "tests/fakes/age_fixture.h"

#include <sodium.h>
#include <string.h>

#define SHARE "+WYRADRJ7fLTLXFGK4vC7L0WBa8J5xH3sZkT2yQXoGE"

static AgeStanza *
stanza(const char *words, size_t n_body)
{
    static const uint8_t body[64];

    return age_stanza_new(g_strsplit(words, " ", -1), body, n_body);
}

/* Opens a file with a right MAC whose stanzas are `stanza` and, if `real` is set, one that our
 * identity opens. Takes both. */
static GByteArray *
open_stanzas(AgeStanza *first, AgeStanza *real, const Secret *file_key, GPtrArray *identities,
             GError **error)
{
    g_autoptr(GPtrArray) stanzas = g_ptr_array_new_with_free_func((GDestroyNotify) age_stanza_free);
    g_autoptr(GBytes) plain = g_bytes_new_static("hello", 5);

    g_ptr_array_add(stanzas, first);
    if (real != NULL)
        g_ptr_array_add(stanzas, real);
    g_autoptr(GBytes) file = age_fixture_seal_stanzas(stanzas, file_key, plain);
    return age_file_open(identities, NULL, g_bytes_get_data(file, NULL), g_bytes_get_size(file),
                         error);
}

static AgeStanza *
real_stanza(const Secret *file_key)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) recipients = age_fixture_recipients();
    AgeStanza *real = age_wrap(g_ptr_array_index(recipients, 0), file_key, &error);

    g_assert_no_error(error);
    return real;
}

static void
test_passes_over_stanzas_of_other_types(void)
{
    static const char *const rows[] = {
        "ssh-ed25519 Xbl/mA AAAA", "piv-p256 a b", "x25519 a", "X25519- a", "SCRYPT a 1",
        "joint-oil-hw grease"};
    g_autoptr(GPtrArray) identities = age_fixture_identities();

    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(Secret) file_key = secret_new_random(AGE_FILE_KEY_BYTES, &error);
        g_test_message("%s", rows[i]);

        GByteArray *plain =
            open_stanzas(stanza(rows[i], i), real_stanza(file_key), file_key, identities, &error);

        g_assert_no_error(error);
        g_assert_cmpmem(plain->data, plain->len, "hello", 5);
        age_file_wipe(plain);
    }
}

static void
test_refuses_x25519_stanzas_that_break_the_rules(void)
{
    static const struct {
        const char *words;
        size_t n_body;
    } rows[] = {
        {"X25519",                                             32},
        {"X25519 " SHARE " more",                              32},
        {"X25519 " SHARE,                                      31},
        {"X25519 " SHARE,                                      33},
        {"X25519 " SHARE,                                      0 },
        {"X25519 " SHARE "=",                                  32},
        {"X25519 " SHARE "A",                                  32},
        {"X25519 +WYRADRJ7fLTLXFGK4vC7L0WBa8J5xH3sZkT2yQXoGF", 32}, /* not canonical */
        {"X25519 +WYRADRJ7fLTLXFGK4vC7L0WBa8J5xH3sZkT2yQXo",   32},
        {"X25519 -WYRADRJ7fLTLXFGK4vC7L0WBa8J5xH3sZkT2yQXoGE", 32},
        {"X25519 AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", 32}, /* low order: zero */
        {"X25519 AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", 32}, /* low order: one */
        {"X25519 7f///////////////////////////////////////38", 32}, /* low order: p */
    };
    g_autoptr(GPtrArray) identities = age_fixture_identities();

    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(Secret) file_key = secret_new_random(AGE_FILE_KEY_BYTES, &error);
        g_test_message("%s", rows[i].words);

        /* Although the next stanza would open. */
        g_assert_null(open_stanzas(stanza(rows[i].words, rows[i].n_body), real_stanza(file_key),
                                   file_key, identities, &error));
        g_assert_error(error, CRYPTO_ERROR, CRYPTO_ERROR_MALFORMED);
    }
}

static void
test_passphrase_stands_alone(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) identities = age_fixture_identities();
    g_autoptr(Secret) file_key = secret_new_random(AGE_FILE_KEY_BYTES, &error);

    g_assert_null(open_stanzas(stanza("scrypt 66O9fUDDELZHcd9LQclTDg 10", 32),
                               real_stanza(file_key), file_key, identities, &error));
    g_assert_error(error, CRYPTO_ERROR, CRYPTO_ERROR_MALFORMED);
}

static void
test_refuses_scrypt_stanzas_that_break_the_rules(void)
{
    static const struct {
        const char *words;
        size_t n_body;
        CryptoError code;
    } rows[] = {
        {"scrypt",                                             32, CRYPTO_ERROR_MALFORMED},
        {"scrypt 66O9fUDDELZHcd9LQclTDg",                      32, CRYPTO_ERROR_MALFORMED},
        {"scrypt 66O9fUDDELZHcd9LQclTDg 10 more",              32, CRYPTO_ERROR_MALFORMED},
        {"scrypt 10 66O9fUDDELZHcd9LQclTDg",                   32, CRYPTO_ERROR_MALFORMED},
        {"scrypt 66O9fUDDELZHcd9LQclTDg 10",                   31, CRYPTO_ERROR_MALFORMED},
        {"scrypt 66O9fUDDELZHcd9LQclTDg 10",                   48, CRYPTO_ERROR_MALFORMED},
        {"scrypt 66O9fUDDELZHcd9LQclTDh 10",                   32, CRYPTO_ERROR_MALFORMED},
        {"scrypt 66O9fUDDELZHcd9LQclTDg== 10",                 32, CRYPTO_ERROR_MALFORMED},
        {"scrypt 66O9fUDDELZHcd9LQclT 10",                     32, CRYPTO_ERROR_MALFORMED},
        {"scrypt 66O9fUDDELZHcd9LQclTDgAA 10",                 32, CRYPTO_ERROR_MALFORMED},
        {"scrypt 66O9fUDDELZHcd9LQclTDg 0",                    32, CRYPTO_ERROR_MALFORMED},
        {"scrypt 66O9fUDDELZHcd9LQclTDg 01",                   32, CRYPTO_ERROR_MALFORMED},
        {"scrypt 66O9fUDDELZHcd9LQclTDg +1",                   32, CRYPTO_ERROR_MALFORMED},
        {"scrypt 66O9fUDDELZHcd9LQclTDg -1",                   32, CRYPTO_ERROR_MALFORMED},
        {"scrypt 66O9fUDDELZHcd9LQclTDg 0xa",                  32, CRYPTO_ERROR_MALFORMED},
        {"scrypt 66O9fUDDELZHcd9LQclTDg 1a",                   32, CRYPTO_ERROR_MALFORMED},
        {"scrypt 66O9fUDDELZHcd9LQclTDg 18446744073709551626", 32, CRYPTO_ERROR_MALFORMED},
        {"scrypt 66O9fUDDELZHcd9LQclTDg 23",                   32, CRYPTO_ERROR_NO_MATCH },
        {"scrypt 66O9fUDDELZHcd9LQclTDg 99",                   32, CRYPTO_ERROR_NO_MATCH },
        {"scrypt 66O9fUDDELZHcd9LQclTDg 4",                    32, CRYPTO_ERROR_NO_MATCH }, /* wrong key */
    };
    g_autoptr(Secret) passphrase = age_fixture_secret("twenty years");
    g_autoptr(GPtrArray) identities =
        g_ptr_array_new_with_free_func((GDestroyNotify) age_identity_free);
    g_ptr_array_add(identities, age_identity_new_scrypt(passphrase, 22));

    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(Secret) file_key = secret_new_random(AGE_FILE_KEY_BYTES, &error);
        g_test_message("%s", rows[i].words);

        g_assert_null(open_stanzas(stanza(rows[i].words, rows[i].n_body), NULL, file_key,
                                   identities, &error));
        g_assert_error(error, CRYPTO_ERROR, (int) rows[i].code);
    }
}

static void
test_seals_to_a_passphrase_and_opens_with_it_alone(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Secret) passphrase = age_fixture_secret("twenty years");
    g_autoptr(Secret) wrong = age_fixture_secret("twenty year");
    g_autoptr(AgeRecipient) recipient = age_recipient_new_scrypt(passphrase, 8);
    g_autoptr(AgeIdentity) right_identity = age_identity_new_scrypt(passphrase, 8);
    g_autoptr(AgeIdentity) wrong_identity = age_identity_new_scrypt(wrong, 8);
    g_autoptr(GPtrArray) recipients = g_ptr_array_new();
    g_autoptr(GPtrArray) identities = g_ptr_array_new();
    const struct iovec piece = {(void *) "hello", 5};
    g_ptr_array_add(recipients, recipient);
    g_ptr_array_add(identities, wrong_identity);

    g_autoptr(GBytes) sealed = age_file_seal(recipients, NULL, &piece, 1, &error);
    g_assert_no_error(error);

    g_assert_null(age_file_open(identities, NULL, g_bytes_get_data(sealed, NULL),
                                g_bytes_get_size(sealed), &error));
    g_assert_error(error, CRYPTO_ERROR, CRYPTO_ERROR_NO_MATCH);
    g_clear_error(&error);
    identities->pdata[0] = right_identity;
    GByteArray *plain = age_file_open(identities, NULL, g_bytes_get_data(sealed, NULL),
                                      g_bytes_get_size(sealed), &error);
    g_assert_no_error(error);
    g_assert_cmpmem(plain->data, plain->len, "hello", 5);
    age_file_wipe(plain);
}

/* What age's scrypt must be: RFC 7914, section 12. */
static void
test_scrypt_is_that_of_rfc_7914(void)
{
    static const uint8_t expected[] = {
        0xfd, 0xba, 0xbe, 0x1c, 0x9d, 0x34, 0x72, 0x00, 0x78, 0x56, 0xe7, 0x19, 0x0d,
        0x01, 0xe9, 0xfe, 0x7c, 0x6a, 0xd7, 0xcb, 0xc8, 0x23, 0x78, 0x30, 0xe7, 0x73,
        0x76, 0x63, 0x4b, 0x37, 0x31, 0x62, 0x2e, 0xaf, 0x30, 0xd9, 0x2e, 0x22, 0xa3,
        0x88, 0x6f, 0xf1, 0x09, 0x27, 0x9d, 0x98, 0x30, 0xda, 0xc7, 0x27, 0xaf, 0xb9,
        0x4a, 0x83, 0xee, 0x6d, 0x83, 0x60, 0xcb, 0xdf, 0xa2, 0xcc, 0x06, 0x40,
    };
    uint8_t key[sizeof(expected)];

    g_assert_cmpint(crypto_pwhash_scryptsalsa208sha256_ll((const uint8_t *) "password", 8,
                                                          (const uint8_t *) "NaCl", 4, 1024, 8, 16,
                                                          key, sizeof(key)),
                    ==, 0);
    g_assert_cmpmem(key, sizeof(key), expected, sizeof(expected));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    age_fixture_start();
    g_test_add_func("/age_wrap/passes-over-stanzas-of-other-types",
                    test_passes_over_stanzas_of_other_types);
    g_test_add_func("/age_wrap/refuses-x25519-stanzas-that-break-the-rules",
                    test_refuses_x25519_stanzas_that_break_the_rules);
    g_test_add_func("/age_wrap/passphrase-stands-alone", test_passphrase_stands_alone);
    g_test_add_func("/age_wrap/refuses-scrypt-stanzas-that-break-the-rules",
                    test_refuses_scrypt_stanzas_that_break_the_rules);
    g_test_add_func("/age_wrap/seals-to-a-passphrase-and-opens-with-it-alone",
                    test_seals_to_a_passphrase_and_opens_with_it_alone);
    g_test_add_func("/age_wrap/scrypt-is-that-of-rfc-7914", test_scrypt_is_that_of_rfc_7914);
    return g_test_run();
}
