#include "crypto/age_file.h"
#include "crypto/age_past.h"
#include "crypto/crypto_error.h"
#include "tests/fakes/age_fixture.h"

#include <string.h>

static AgePast *
take(GBytes *sealed, const AgeContext *context, GError **error)
{
    g_autoptr(GPtrArray) identities = age_fixture_identities();

    return age_past_take(identities, context, g_bytes_get_data(sealed, NULL),
                         g_bytes_get_size(sealed), error);
}

static Digest
digest_with(const AgePast *past, GBytes *plain)
{
    gsize n_bytes = 0;
    const uint8_t *bytes = g_bytes_get_data(plain, &n_bytes);

    return age_past_digest(past, bytes, n_bytes);
}

/* Returns: what is read of what is written. */
static AgePast *
through_text(const AgePast *past)
{
    GError *error = NULL;
    g_autoptr(Secret) text = age_past_to_text(past, &error);
    AgePast *again = NULL;

    g_assert_no_error(error);
    again = age_past_parse((const char *) secret_peek(text), secret_length(text), &error);
    g_assert_no_error(error);
    return again;
}

static void
test_gives_back_every_byte_at_every_length_that_matters(void)
{
    static const guint lengths[] = {0, 1, 16, 65535, 65536, 65537, 131071, 131072, 200000};
    g_autoptr(AgeContext) context = age_context_new_segment("clinic-a", "s1", "p1-audio", 0, 7);

    for (unsigned i = 0; i < G_N_ELEMENTS(lengths); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(GBytes) plain = age_fixture_pattern(lengths[i]);
        g_autoptr(GBytes) sealed = age_fixture_seal(plain, context);
        const Digest wanted = digest_of_bytes(sealed);
        g_autoptr(AgePast) past = take(sealed, context, &error);
        g_autoptr(AgePast) again = NULL;
        Digest found;

        g_assert_no_error(error);
        found = digest_with(past, plain);
        g_assert_true(digest_equal(&found, &wanted));
        again = through_text(past);
        found = digest_with(again, plain);
        g_assert_true(digest_equal(&found, &wanted));
    }
}

static void
test_another_plaintext_has_another_digest(void)
{
    g_autoptr(AgeContext) context = age_context_new_segment("clinic-a", "s1", "p1-audio", 0, 7);
    g_autoptr(GBytes) plain = age_fixture_pattern(70000);
    g_autoptr(GBytes) sealed = age_fixture_seal(plain, context);
    const Digest wanted = digest_of_bytes(sealed);
    g_autoptr(AgePast) past = take(sealed, context, NULL);
    const gsize places[] = {0, 65535, 65536, 69999};
    g_autoptr(GBytes) shorter = g_bytes_new_from_bytes(plain, 0, 69999);
    Digest found = digest_with(past, shorter);

    g_assert_false(digest_equal(&found, &wanted));
    for (size_t i = 0; i < G_N_ELEMENTS(places); i++) {
        g_autofree uint8_t *changed = g_memdup2(g_bytes_get_data(plain, NULL), 70000);

        changed[places[i]] ^= 1;
        found = age_past_digest(past, changed, 70000);
        g_assert_false(digest_equal(&found, &wanted));
    }
}

static void
test_refuses_what_is_not_of_the_place(void)
{
    g_autoptr(AgeContext) context = age_context_new_segment("clinic-a", "s1", "p1-audio", 0, 7);
    g_autoptr(AgeContext) other = age_context_new_segment("clinic-a", "s1", "p1-audio", 0, 8);
    g_autoptr(GBytes) plain = age_fixture_pattern(10);
    g_autoptr(GBytes) sealed = age_fixture_seal(plain, context);
    g_autoptr(GBytes) cut = g_bytes_new_from_bytes(sealed, 0, 100);
    g_autoptr(GError) error = NULL;

    g_assert_null(take(sealed, other, &error));
    g_assert_error(error, CRYPTO_ERROR, CRYPTO_ERROR_CONTEXT);
    g_clear_error(&error);
    g_assert_null(take(cut, context, &error));
    g_assert_error(error, CRYPTO_ERROR, CRYPTO_ERROR_MALFORMED);
}

/* Whatever is changed in the text is refused, or it is the past of another file. */
static void
test_no_byte_of_the_text_is_idle(void)
{
    g_autoptr(AgeContext) context = age_context_new_segment("clinic-a", "s1", "p1-audio", 0, 7);
    g_autoptr(GBytes) plain = age_fixture_pattern(100);
    g_autoptr(GBytes) sealed = age_fixture_seal(plain, context);
    const Digest wanted = digest_of_bytes(sealed);
    g_autoptr(AgePast) past = take(sealed, context, NULL);
    g_autoptr(Secret) text = age_past_to_text(past, NULL);
    const size_t n_bytes = secret_length(text);

    for (size_t i = 0; i < 8 * n_bytes; i++) {
        g_autofree char *changed = g_memdup2(secret_peek(text), n_bytes);
        g_autoptr(AgePast) read = NULL;

        changed[i / 8] = (char) (changed[i / 8] ^ 1 << i % 8);
        read = age_past_parse(changed, n_bytes, NULL);
        if (read != NULL) {
            const Digest found = digest_with(read, plain);

            g_assert_false(digest_equal(&found, &wanted));
        }
    }
    for (size_t i = 0; i < n_bytes; i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *cut = g_memdup2(secret_peek(text), n_bytes);

        g_assert_null(age_past_parse(cut, i, &error));
        g_assert_error(error, CRYPTO_ERROR, CRYPTO_ERROR_MALFORMED);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    age_fixture_start();
    g_test_add_func("/age-past/gives-back-every-byte-at-every-length-that-matters",
                    test_gives_back_every_byte_at_every_length_that_matters);
    g_test_add_func("/age-past/another-plaintext-has-another-digest",
                    test_another_plaintext_has_another_digest);
    g_test_add_func("/age-past/refuses-what-is-not-of-the-place",
                    test_refuses_what_is_not_of_the_place);
    g_test_add_func("/age-past/no-byte-of-the-text-is-idle", test_no_byte_of_the_text_is_idle);
    return g_test_run();
}
