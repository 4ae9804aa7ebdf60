#include "crypto/crypto_error.h"
#include "crypto/secret.h"
#include "crypto/secret_arena.h"
#include "tests/fakes/age_fixture.h"

#include <string.h>

#define MANY 4096 /* small secrets that must fit at once */

static void
test_wipes_what_is_freed(void)
{
    g_autoptr(GError) error = NULL;
    Secret *secret = secret_new_random(32, &error);
    g_assert_no_error(error);
    const uint8_t *where = secret_peek(secret); /* stays mapped: the arena is never unmapped */
    static const uint8_t zero[32];
    g_assert_true(memcmp(where, zero, sizeof(zero)) != 0);

    secret_free(secret);

    g_assert_cmpmem(where, 32, zero, 32);
}

static void
test_shortening_wipes_the_rest(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Secret) secret = secret_new_random(64, &error);
    g_assert_no_error(error);
    static const uint8_t zero[60];

    secret_truncate(secret, 4);

    g_assert_cmpuint(secret_length(secret), ==, 4);
    g_assert_cmpmem(secret_peek(secret) + 4, 60, zero, 60);
}

static void
test_holds_thousands_at_once_and_each_its_own(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) secrets = g_ptr_array_new_with_free_func((GDestroyNotify) secret_free);

    for (unsigned i = 0; i < MANY; i++) {
        Secret *secret = secret_new_zero(32 + i % 97, &error);
        g_assert_no_error(error);
        memset(secret_bytes(secret), (int) (i % 251), secret_length(secret));
        g_ptr_array_add(secrets, secret);
    }

    for (unsigned i = 0; i < MANY; i++) {
        const Secret *secret = g_ptr_array_index(secrets, i);
        for (size_t k = 0; k < secret_length(secret); k++)
            g_assert_cmpuint(secret_peek(secret)[k], ==, i % 251);
    }
}

static void
test_used_up_memory_is_an_error_and_comes_back(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) secrets = g_ptr_array_new_with_free_func((GDestroyNotify) secret_free);
    Secret *secret = NULL;

    while ((secret = secret_new_zero(SECRET_ARENA_MAX_BYTES, &error)) != NULL)
        g_ptr_array_add(secrets, secret);
    g_assert_error(error, CRYPTO_ERROR, CRYPTO_ERROR_NO_LOCKED_MEMORY);
    g_assert_cmpuint(secrets->len, >=, 8);
    g_clear_error(&error);
    g_ptr_array_set_size(secrets, 0);

    g_autoptr(Secret) again = secret_new_zero(SECRET_ARENA_MAX_BYTES, &error);
    g_assert_no_error(error);
}

static void
test_refuses_what_is_larger_than_any_slot(void)
{
    g_autoptr(GError) error = NULL;

    g_assert_null(secret_new_zero(SECRET_ARENA_MAX_BYTES + 1, &error));
    g_assert_error(error, CRYPTO_ERROR, CRYPTO_ERROR_NO_LOCKED_MEMORY);
}

static gpointer
take_and_give_back(gpointer data)
{
    const unsigned mark = GPOINTER_TO_UINT(data);

    for (unsigned round = 0; round < 3000; round++) {
        g_autoptr(Secret) secret = secret_new_zero(1 + (round * 7 + mark) % 300, NULL);
        g_assert_nonnull(secret);
        memset(secret_bytes(secret), (int) mark, secret_length(secret));
        for (size_t k = 0; k < secret_length(secret); k++)
            g_assert_cmpuint(secret_peek(secret)[k], ==, mark);
    }
    return NULL;
}

static void
test_threads_never_get_the_same_bytes(void)
{
    GThread *threads[4];

    for (unsigned i = 0; i < G_N_ELEMENTS(threads); i++)
        threads[i] = g_thread_new("secrets", take_and_give_back, GUINT_TO_POINTER(i + 1));
    for (unsigned i = 0; i < G_N_ELEMENTS(threads); i++)
        g_thread_join(threads[i]);
}

static void
test_writing_past_the_end_ends_the_program(void)
{
    if (g_test_subprocess()) {
        g_autoptr(Secret) secret = secret_new_zero(128, NULL);
        secret_bytes(secret)[128] ^= 1; /* inside the arena, so that only the canary can notice */
        return;
    }
    g_test_trap_subprocess(NULL, 0, 0);
    g_test_trap_assert_failed();
    g_test_trap_assert_stderr("*canary*");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    age_fixture_start();
    g_test_add_func("/secret/wipes-what-is-freed", test_wipes_what_is_freed);
    g_test_add_func("/secret/shortening-wipes-the-rest", test_shortening_wipes_the_rest);
    g_test_add_func("/secret/holds-thousands-at-once-and-each-its-own",
                    test_holds_thousands_at_once_and_each_its_own);
    g_test_add_func("/secret/used-up-memory-is-an-error-and-comes-back",
                    test_used_up_memory_is_an_error_and_comes_back);
    g_test_add_func("/secret/refuses-what-is-larger-than-any-slot",
                    test_refuses_what_is_larger_than_any_slot);
    g_test_add_func("/secret/threads-never-get-the-same-bytes",
                    test_threads_never_get_the_same_bytes);
    g_test_add_func("/secret/writing-past-the-end-ends-the-program",
                    test_writing_past_the_end_ends_the_program);
    return g_test_run();
}
