#include "storage/dir_store.h"
#include "storage/storage_error.h"
#include "tests/fakes/failing_calls.h"
#include "tests/fakes/spool_fixture.h"

#include <errno.h>
#include <string.h>

static GBytes *
bytes_of(const char *text)
{
    return g_bytes_new(text, strlen(text));
}

static void
assert_holds(ObjectStore *store, const char *key, const char *text)
{
    GError *error = NULL;
    g_autoptr(GBytes) body = object_store_get(store, key, &error);
    g_autoptr(GBytes) expected = bytes_of(text);

    g_assert_no_error(error);
    g_assert_true(g_bytes_equal(body, expected));
}

static bool
put(ObjectStore *store, const char *key, const char *text, GError **error)
{
    g_autoptr(GBytes) body = bytes_of(text);

    return object_store_put(store, key, body, error);
}

static bool
exchange(ObjectStore *store, const char *expected, const char *text, GError **error)
{
    g_autoptr(GBytes) before = bytes_of(expected);
    g_autoptr(GBytes) body = bytes_of(text);

    return object_store_exchange(store, "s/env/1.age", before, body, error);
}

static void
test_exchanges_only_what_was_read(void)
{
    g_autoptr(SpoolFixture) fixture = spool_fixture_new();
    g_autoptr(ObjectStore) store = spool_fixture_store(fixture);
    g_autoptr(GError) error = NULL;

    g_assert_false(exchange(store, "old", "new", &error));
    g_assert_error(error, STORAGE_ERROR, STORAGE_ERROR_NOT_FOUND);
    g_clear_error(&error);
    g_assert_true(put(store, "s/env/1.age", "old", NULL));
    g_assert_true(exchange(store, "old", "new", &error));
    g_assert_true(exchange(store, "old", "new", &error)); /* again: it is there */
    g_assert_no_error(error);
    g_assert_false(exchange(store, "old", "newer", &error));
    g_assert_error(error, STORAGE_ERROR, STORAGE_ERROR_CONFLICT);
    assert_holds(store, "s/env/1.age", "new");
}

static void
test_keeps_the_old_on_a_full_disk(void)
{
    g_autoptr(SpoolFixture) fixture = spool_fixture_new();
    g_autoptr(ObjectStore) store = spool_fixture_store(fixture);
    g_autoptr(GError) error = NULL;

    g_assert_true(put(store, "s/env/1.age", "old", NULL));
    failing_calls_arm(CALL_WRITE, 1, 1, ENOSPC);
    g_assert_false(exchange(store, "old", "new", &error));
    failing_calls_disarm();
    g_assert_error(error, STORAGE_ERROR, STORAGE_ERROR_FULL);
    assert_holds(store, "s/env/1.age", "old");
}

/* What each of several exchangers counts up is never lost. */
static gpointer
count_up(gpointer data)
{
    for (int n_done = 0; n_done < 20;) {
        g_autoptr(GBytes) before = object_store_get(data, "s/env/1.age", NULL);
        g_autofree char *number =
            g_strndup(g_bytes_get_data(before, NULL), g_bytes_get_size(before));
        /* No two write the same: what is there already counts as done. */
        g_autofree char *next = g_strdup_printf(
            "%" G_GINT64_FORMAT " by %p", g_ascii_strtoll(number, NULL, 10) + 1, (void *) &n_done);

        n_done += exchange(data, number, next, NULL) ? 1 : 0;
    }
    return NULL;
}

static void
test_exchanges_one_at_a_time(void)
{
    g_autoptr(SpoolFixture) fixture = spool_fixture_new();
    g_autoptr(ObjectStore) store = spool_fixture_store(fixture);
    GThread *threads[4] = {NULL};
    g_autoptr(GBytes) last = NULL;

    g_assert_true(put(store, "s/env/1.age", "0", NULL));
    for (unsigned i = 0; i < G_N_ELEMENTS(threads); i++)
        threads[i] = g_thread_new("exchange", count_up, store);
    for (unsigned i = 0; i < G_N_ELEMENTS(threads); i++)
        (void) g_thread_join(threads[i]);
    last = object_store_get(store, "s/env/1.age", NULL);
    g_assert_true(g_str_has_prefix(g_bytes_get_data(last, NULL), "80 by "));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/dir-store/exchanges-only-what-was-read", test_exchanges_only_what_was_read);
    g_test_add_func("/dir-store/keeps-the-old-on-a-full-disk", test_keeps_the_old_on_a_full_disk);
    g_test_add_func("/dir-store/exchanges-one-at-a-time", test_exchanges_one_at_a_time);
    return g_test_run();
}
