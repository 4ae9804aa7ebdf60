#include "crypto/age_file.h"
#include "crypto/age_passphrase.h"
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
test_opens_what_it_sealed_at_every_length_that_matters(void)
{
    static const guint lengths[] = {0,     1,     16,     65519,  65520,  65535,
                                    65536, 65537, 131071, 131072, 131073, 200000};
    g_autoptr(GPtrArray) identities = age_fixture_identities();
    g_autoptr(AgeContext) context = age_context_new_segment("clinic-a", "s1", "p1-audio", 0, 7);

    for (unsigned i = 0; i < G_N_ELEMENTS(lengths); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(GBytes) plain = age_fixture_pattern(lengths[i]);
        g_autoptr(GBytes) sealed = age_fixture_seal(plain, context);

        GByteArray *opened = open_with(identities, context, sealed, &error);

        g_assert_no_error(error);
        g_assert_cmpmem(opened->data, opened->len, g_bytes_get_data(plain, NULL), lengths[i]);
        age_file_wipe(opened);
    }
}

static void
test_pieces_are_sealed_as_one(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) identities = age_fixture_identities();
    g_autoptr(GPtrArray) recipients = age_fixture_recipients();
    g_autoptr(GBytes) plain = age_fixture_pattern(200000);
    uint8_t *bytes = (uint8_t *) g_bytes_get_data(plain, NULL);
    const struct iovec pieces[] = {
        {bytes,          1    },
        {bytes + 1,      0    },
        {bytes + 1,      65535},
        {bytes + 65536,  65537},
        {bytes + 131073, 68927},
    };

    g_autoptr(GBytes) sealed =
        age_file_seal(recipients, NULL, pieces, G_N_ELEMENTS(pieces), &error);
    g_assert_no_error(error);
    GByteArray *opened = open_with(identities, NULL, sealed, &error);

    g_assert_no_error(error);
    g_assert_cmpmem(opened->data, opened->len, bytes, 200000);
    age_file_wipe(opened);
}

static void
test_opens_files_that_age_itself_sealed(void)
{
    /* By age 1.1.1 to the fixture's recipient, armoured; here without the armour's marker lines. */
    static const char base64[] = "YWdlLWVuY3J5cHRpb24ub3JnL3YxCi0+IFgyNTUxOSB1YVJDemNjUVFMN1pMeUpr"
                                 "Y2QvMU5ldkFPR043RXVSY1plRHhrSkJ3OFFNClBGSzdLeU5UN21GR0krZW1LM0Jq"
                                 "ODB5K1RaaEZsUWZLU3V0aEFsZy9yWm8KLS0tIFZBTXhMNVgzSDh0elArdzJoN2RJ"
                                 "WFR2ZENaL25GeVpKWE5temwzTXFCNkEKer6DFc9OyALzchI76oFbdDe7yooMGnQb"
                                 "hKdtbY59vTbquviTv2w/YS9NVXrGo5wJpRXDYKc=";
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) identities = age_fixture_identities();
    gsize n_sealed = 0;
    g_autofree uint8_t *sealed = g_base64_decode(base64, &n_sealed);

    GByteArray *plain = age_file_open(identities, NULL, sealed, n_sealed, &error);

    g_assert_no_error(error);
    g_assert_cmpmem(plain->data, plain->len, "sealed by age itself\n", 21);
    age_file_wipe(plain);
}

static void
test_opens_what_age_sealed_to_a_passphrase(void)
{
    /* By age 1.1.1, work factor 18. */
    static const char base64[] = "YWdlLWVuY3J5cHRpb24ub3JnL3YxCi0+IHNjcnlwdCBMZEVnT2NJMUJ5M0wxem9J"
                                 "RXI1NEFnIDE4ClNRc1NSOGxOOVI0a0ZlSy9ZZ25lNmtURUtvWlRDQjFUeld5K0VB"
                                 "akdOY0EKLS0tIFN4dnZ3eG9RaElwRHVHRExFejRISk9BaUhRaXB5K2Z1bVdpSStT"
                                 "d2YxbWMKEePcAM0ZBVLGnXBttcuCVV/J5xdDZueUak7fn86NCamDlF0uhRD1fsBh"
                                 "LP6BZk+wea+BHvf698ucvfwA6Tg=";
    g_autoptr(GError) error = NULL;
    g_autoptr(Secret) passphrase = age_fixture_secret("twenty years");
    g_autoptr(GPtrArray) identities =
        g_ptr_array_new_with_free_func((GDestroyNotify) age_identity_free);
    gsize n_sealed = 0;
    g_autofree uint8_t *sealed = g_base64_decode(base64, &n_sealed);
    g_ptr_array_add(identities, age_identity_new_scrypt(passphrase, AGE_PASSPHRASE_MAX_LOG_N));

    g_autoptr(Secret) plain = age_file_open_secret(identities, NULL, sealed, n_sealed, &error);

    g_assert_no_error(error);
    g_assert_cmpuint(secret_length(plain), ==, 30);
    g_assert_cmpmem(secret_peek(plain), 30, "sealed by age to a passphrase\n", 30);
}

static void
test_each_of_many_recipients_opens_and_nobody_else(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) recipients =
        g_ptr_array_new_with_free_func((GDestroyNotify) age_recipient_free);
    g_autoptr(GPtrArray) everyone =
        g_ptr_array_new_with_free_func((GDestroyNotify) age_identity_free);
    const struct iovec piece = {(void *) "hello", 5};
    for (unsigned i = 0; i < 21; i++) {
        g_ptr_array_add(everyone, age_identity_generate(NULL));
        if (i < 20)
            g_ptr_array_add(recipients, age_identity_recipient(g_ptr_array_index(everyone, i)));
    }

    g_autoptr(GBytes) sealed = age_file_seal(recipients, NULL, &piece, 1, &error);
    g_assert_no_error(error);

    for (unsigned i = 0; i < everyone->len; i++) {
        g_autoptr(GPtrArray) one = g_ptr_array_new();
        g_ptr_array_add(one, g_ptr_array_index(everyone, i));
        GByteArray *plain = open_with(one, NULL, sealed, &error);
        if (i < 20) {
            g_assert_no_error(error);
            g_assert_cmpmem(plain->data, plain->len, "hello", 5);
            age_file_wipe(plain);
        } else {
            g_assert_error(error, CRYPTO_ERROR, CRYPTO_ERROR_NO_MATCH);
        }
    }
}

static void
test_refuses_recipients_that_do_not_go_together(void)
{
    g_autoptr(GPtrArray) recipients = age_fixture_recipients();
    g_autoptr(GPtrArray) nobody = g_ptr_array_new();
    g_autoptr(GPtrArray) alone =
        g_ptr_array_new_with_free_func((GDestroyNotify) age_recipient_free);
    g_autoptr(Secret) passphrase = age_fixture_secret("twenty years");
    g_autoptr(AgeContext) context = age_context_new_meta("clinic-a", "s1");
    g_ptr_array_add(recipients, age_recipient_new_scrypt(passphrase, 1));
    g_ptr_array_add(alone, age_recipient_new_scrypt(passphrase, 1));
    const struct {
        GPtrArray *recipients;
        AgeContext *context;
    } rows[] = {
        {nobody,     NULL   },
        {recipients, NULL   },
        {alone,      context},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_null(age_file_seal(rows[i].recipients, rows[i].context, NULL, 0, &error));
        g_assert_error(error, CRYPTO_ERROR, CRYPTO_ERROR_MALFORMED);
    }
}

static void
test_every_flipped_bit_is_noticed(void)
{
    g_autoptr(GPtrArray) identities = age_fixture_identities();
    g_autoptr(GBytes) plain = age_fixture_pattern(40);
    g_autoptr(AgeContext) context = age_context_new_meta("clinic-a", "s1");
    g_autoptr(GBytes) sealed = age_fixture_seal(plain, context);
    gsize n_sealed = 0;
    const uint8_t *bytes = g_bytes_get_data(sealed, &n_sealed);

    for (gsize at = 0; at < n_sealed; at++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            g_autoptr(GError) error = NULL;
            g_autofree uint8_t *changed = g_memdup2(bytes, n_sealed);
            changed[at] ^= (uint8_t) (1U << bit);

            g_assert_null(age_file_open(identities, age_context_any(), changed, n_sealed, &error));
            g_assert_null(age_file_open_secret(identities, context, changed, n_sealed, NULL));
            g_assert_true(error->domain == CRYPTO_ERROR);
        }
    }
}

static void
test_every_cut_and_every_addition_is_noticed(void)
{
    g_autoptr(GPtrArray) identities = age_fixture_identities();
    g_autoptr(GBytes) plain = age_fixture_pattern(40);
    g_autoptr(GBytes) sealed = age_fixture_seal(plain, NULL);
    gsize n_sealed = 0;
    const uint8_t *bytes = g_bytes_get_data(sealed, &n_sealed);

    for (gsize n_bytes = 0; n_bytes < n_sealed; n_bytes++) {
        g_autoptr(GError) error = NULL;
        g_autofree uint8_t *part = g_memdup2(bytes, n_bytes);
        g_assert_null(age_file_open(identities, NULL, part, n_bytes, &error));
        g_assert_true(error->domain == CRYPTO_ERROR);
    }
    for (unsigned added = 0; added < 256; added++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(GByteArray) longer = g_byte_array_new();
        const uint8_t byte = (uint8_t) added;
        g_byte_array_append(longer, bytes, (guint) n_sealed);
        g_byte_array_append(longer, &byte, 1);
        g_assert_null(age_file_open(identities, NULL, longer->data, longer->len, &error));
        g_assert_error(error, CRYPTO_ERROR, CRYPTO_ERROR_AUTHENTICATION);
    }
}

static void
test_refuses_an_empty_last_chunk(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) identities = age_fixture_identities();
    g_autoptr(GBytes) file = age_fixture_seal_with_empty_last_chunk();

    g_assert_null(open_with(identities, NULL, file, &error));
    g_assert_error(error, CRYPTO_ERROR, CRYPTO_ERROR_AUTHENTICATION);
}

static gpointer
seal_and_open(gpointer data)
{
    g_autoptr(GPtrArray) recipients = age_fixture_recipients();
    g_autoptr(GPtrArray) identities = data;
    g_autoptr(GBytes) plain = age_fixture_pattern(70000);
    const struct iovec piece = {(void *) g_bytes_get_data(plain, NULL), 70000};

    for (unsigned i = 0; i < 50; i++) {
        g_autoptr(AgeContext) context = age_context_new_segment("a", "s", "t", 0, i);
        g_autoptr(GBytes) sealed = age_file_seal(recipients, context, &piece, 1, NULL);
        GByteArray *opened = open_with(identities, context, sealed, NULL);
        g_assert_cmpmem(opened->data, opened->len, piece.iov_base, 70000);
        age_file_wipe(opened);
    }
    return NULL;
}

static void
test_threads_seal_and_open_at_once(void)
{
    g_autoptr(GPtrArray) identities = age_fixture_identities(); /* shared by all */
    GThread *threads[4];

    for (unsigned i = 0; i < G_N_ELEMENTS(threads); i++)
        threads[i] = g_thread_new("age", seal_and_open, g_ptr_array_ref(identities));
    for (unsigned i = 0; i < G_N_ELEMENTS(threads); i++)
        g_thread_join(threads[i]);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    age_fixture_start();
    g_test_add_func("/age_file/opens-what-it-sealed-at-every-length-that-matters",
                    test_opens_what_it_sealed_at_every_length_that_matters);
    g_test_add_func("/age_file/pieces-are-sealed-as-one", test_pieces_are_sealed_as_one);
    g_test_add_func("/age_file/opens-files-that-age-itself-sealed",
                    test_opens_files_that_age_itself_sealed);
    g_test_add_func("/age_file/opens-what-age-sealed-to-a-passphrase",
                    test_opens_what_age_sealed_to_a_passphrase);
    g_test_add_func("/age_file/each-of-many-recipients-opens-and-nobody-else",
                    test_each_of_many_recipients_opens_and_nobody_else);
    g_test_add_func("/age_file/refuses-recipients-that-do-not-go-together",
                    test_refuses_recipients_that_do_not_go_together);
    g_test_add_func("/age_file/every-flipped-bit-is-noticed", test_every_flipped_bit_is_noticed);
    g_test_add_func("/age_file/every-cut-and-every-addition-is-noticed",
                    test_every_cut_and_every_addition_is_noticed);
    g_test_add_func("/age_file/refuses-an-empty-last-chunk", test_refuses_an_empty_last_chunk);
    g_test_add_func("/age_file/threads-seal-and-open-at-once", test_threads_seal_and_open_at_once);
    return g_test_run();
}
