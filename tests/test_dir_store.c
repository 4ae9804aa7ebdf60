#include "storage/dir_store.h"
#include "storage/storage_error.h"
#include "tests/fakes/failing_calls.h"
#include "tests/fakes/spool_fixture.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

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

static void
test_put_if_absent(void)
{
    g_autoptr(SpoolFixture) fixture = spool_fixture_new();
    g_autoptr(ObjectStore) store = spool_fixture_store(fixture);
    g_autoptr(GError) error = NULL;

    g_assert_true(put(store, "a/b/c.tape", "one", &error));
    g_assert_true(put(store, "a/b/c.tape", "one", &error));
    g_assert_no_error(error);
    g_assert_false(put(store, "a/b/c.tape", "two", &error));
    g_assert_error(error, STORAGE_ERROR, STORAGE_ERROR_CONFLICT);

    assert_holds(store, "a/b/c.tape", "one");
}

static void
test_batch_answers_for_each(void)
{
    g_autoptr(SpoolFixture) fixture = spool_fixture_new();
    g_autoptr(ObjectStore) store = spool_fixture_store(fixture);
    g_autoptr(GBytes) one = bytes_of("one");
    g_autoptr(GBytes) two = bytes_of("two");
    ObjectPut puts[] = {
        {.key = "s/1.tape",     .body = one},
        {.key = "s/taken.tape", .body = one},
        {.key = "s/ours.tape",  .body = one},
        {.key = "t/2.tape",     .body = two},
    };

    g_assert_true(put(store, "s/taken.tape", "other", NULL));
    g_assert_true(put(store, "s/ours.tape", "one", NULL));
    object_store_put_all(store, puts, G_N_ELEMENTS(puts));

    g_assert_no_error(puts[0].error);
    g_assert_error(puts[1].error, STORAGE_ERROR, STORAGE_ERROR_CONFLICT);
    g_assert_no_error(puts[2].error);
    g_assert_no_error(puts[3].error);
    assert_holds(store, "s/1.tape", "one");
    assert_holds(store, "s/taken.tape", "other");
    assert_holds(store, "t/2.tape", "two");
    g_error_free(puts[1].error);
}

static unsigned
flushes_for_batch_of(size_t n_puts)
{
    g_autoptr(SpoolFixture) fixture = spool_fixture_new();
    g_autoptr(ObjectStore) store = spool_fixture_store(fixture);
    g_autoptr(GBytes) body = bytes_of("body");
    g_autofree ObjectPut *puts = g_new0(ObjectPut, n_puts);
    unsigned n_flushes = 0;

    for (size_t i = 0; i < n_puts; i++)
        puts[i] = (ObjectPut){.key = g_strdup_printf("s%zu/x.tape", i), .body = body};
    failing_calls_disarm();
    object_store_put_all(store, puts, n_puts);
    n_flushes = failing_calls_count(CALL_SYNCFS) + failing_calls_count(CALL_FSYNC) +
                failing_calls_count(CALL_FDATASYNC);
    for (size_t i = 0; i < n_puts; i++) {
        g_assert_no_error(puts[i].error);
        g_free((char *) puts[i].key);
    }
    return n_flushes;
}

static void
test_flushes_do_not_grow_with_objects(void)
{
    /* A few: each file, its folder, and the root once. */
    g_assert_cmpuint(flushes_for_batch_of(1), ==, 3);
    g_assert_cmpuint(flushes_for_batch_of(8), ==, 17);
    g_assert_cmpuint(flushes_for_batch_of(9), ==, 2);
    g_assert_cmpuint(flushes_for_batch_of(200), ==, 2);
}

static void
test_failed_flush_fails_the_batch(void)
{
    enum { N_PUTS = 20 };

    for (unsigned nth = 1; nth <= 2; nth++) {
        g_autoptr(SpoolFixture) fixture = spool_fixture_new();
        g_autoptr(ObjectStore) store = spool_fixture_store(fixture);
        g_autoptr(GBytes) body = bytes_of("body");
        g_autoptr(GPtrArray) keys = g_ptr_array_new_with_free_func(g_free);
        ObjectPut puts[N_PUTS];

        for (int i = 0; i < N_PUTS; i++) {
            g_ptr_array_add(keys, g_strdup_printf("s/%d.tape", i));
            puts[i] = (ObjectPut){.key = g_ptr_array_index(keys, i), .body = body};
        }
        failing_calls_arm(CALL_SYNCFS, nth, 1, EIO);
        object_store_put_all(store, puts, N_PUTS);
        failing_calls_disarm();
        for (int i = 0; i < N_PUTS; i++) {
            g_assert_error(puts[i].error, STORAGE_ERROR, STORAGE_ERROR_IO);
            g_error_free(puts[i].error);
        }
        /* Again, as the uploader does: now they are ours. */
        g_assert_true(put(store, "s/1.tape", "body", NULL));
    }
}

/* One file's failure is its own; the folder that is not flushed fails those in it. */
static void
test_few_fail_each_by_itself(void)
{
    static const struct {
        unsigned nth;
        bool fails[3];
    } rows[] = {
        {1, {true, false, false}}, /* the first file */
        {3, {false, false, true}}, /* the third file */
        {4, {true, false, false}}, /* folder a, of the first */
    };

    for (size_t row = 0; row < G_N_ELEMENTS(rows); row++) {
        g_autoptr(SpoolFixture) fixture = spool_fixture_new();
        g_autoptr(ObjectStore) store = spool_fixture_store(fixture);
        g_autoptr(GBytes) body = bytes_of("body");
        ObjectPut puts[] = {
            {.key = "a/1.tape", .body = body},
            {.key = "b/2.tape", .body = body},
            {.key = "b/3.tape", .body = body}
        };

        failing_calls_arm(CALL_FSYNC, rows[row].nth, 1, EIO);
        object_store_put_all(store, puts, 3);
        failing_calls_disarm();
        for (int i = 0; i < 3; i++) {
            g_assert_cmpint(puts[i].error != NULL, ==, rows[row].fails[i]);
            g_clear_error(&puts[i].error);
        }
    }
}

static void
test_failures_leave_no_object(void)
{
    static const struct {
        Call call;
        int number;
        StorageError code;
    } rows[] = {
        {CALL_WRITE,   ENOSPC, STORAGE_ERROR_FULL  },
        {CALL_WRITE,   EDQUOT, STORAGE_ERROR_FULL  },
        {CALL_FSYNC,   EIO,    STORAGE_ERROR_IO    },
        {CALL_LINKAT,  ENOSPC, STORAGE_ERROR_FULL  },
        {CALL_LINKAT,  EROFS,  STORAGE_ERROR_DENIED},
        {CALL_MKDIRAT, EACCES, STORAGE_ERROR_DENIED},
        {CALL_MKDIRAT, ENOSPC, STORAGE_ERROR_FULL  },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(SpoolFixture) fixture = spool_fixture_new();
        g_autoptr(ObjectStore) store = spool_fixture_store(fixture);
        g_autoptr(GPtrArray) keys = NULL;
        g_autoptr(GError) error = NULL;

        failing_calls_arm(rows[i].call, 1, 1, rows[i].number);
        g_assert_false(put(store, "s/1.tape", "body", &error));
        failing_calls_disarm();
        g_assert_error(error, STORAGE_ERROR, (int) rows[i].code);
        keys = object_store_list(store, "", NULL);
        g_assert_cmpuint(keys->len, ==, 0);
    }
}

enum { N_RACERS = 8 };

typedef struct {
    ObjectStore *store;
    int number;
    bool is_equal; /* all put the same bytes */
    bool has_won;
    GError *error;
} Racer;

static void *
race(void *data)
{
    Racer *racer = data;
    g_autofree char *text = g_strdup_printf("written by %d", racer->is_equal ? 0 : racer->number);

    racer->has_won = put(racer->store, "race/1.tape", text, &racer->error);
    return NULL;
}

/* Returns: how many of the racers were told that the object is durable. */
static int
run_race(bool is_equal)
{
    g_autoptr(SpoolFixture) fixture = spool_fixture_new();
    g_autoptr(ObjectStore) store = spool_fixture_store(fixture);
    Racer racers[N_RACERS] = {0};
    GThread *threads[N_RACERS];
    int n_won = 0;

    for (int i = 0; i < N_RACERS; i++) {
        racers[i] = (Racer){.store = store, .number = i, .is_equal = is_equal};
        threads[i] = g_thread_new("racer", race, &racers[i]);
    }
    for (int i = 0; i < N_RACERS; i++) {
        (void) g_thread_join(threads[i]);
        n_won += racers[i].has_won;
        if (!racers[i].has_won)
            g_assert_error(racers[i].error, STORAGE_ERROR, STORAGE_ERROR_CONFLICT);
        g_clear_error(&racers[i].error);
        if (racers[i].has_won && !is_equal) {
            g_autofree char *text = g_strdup_printf("written by %d", i);

            assert_holds(store, "race/1.tape", text);
        }
    }
    return n_won;
}

static void
test_one_of_many_writers_wins(void)
{
    for (int i = 0; i < 30; i++) {
        g_assert_cmpint(run_race(false), ==, 1);
        g_assert_cmpint(run_race(true), ==, N_RACERS);
    }
}

static void
test_names_are_checked(void)
{
    static const char *const bad[] = {"",   "/a", "a/",  "a//b", "..",         "a/../b", "a/.b",
                                      ".a", "A",  "a b", "a\\b", "a/\303\244", "-a",     "a\n"};
    g_autoptr(SpoolFixture) fixture = spool_fixture_new();
    g_autoptr(ObjectStore) store = spool_fixture_store(fixture);

    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;

        g_assert_false(put(store, bad[i], "x", &error));
        g_assert_error(error, STORAGE_ERROR, STORAGE_ERROR_DENIED);
        g_clear_error(&error);
        g_assert_null(object_store_get(store, bad[i], &error));
        g_assert_error(error, STORAGE_ERROR, STORAGE_ERROR_DENIED);
    }
}

static void
test_links_lead_nowhere(void)
{
    g_autoptr(SpoolFixture) fixture = spool_fixture_new();
    g_autoptr(ObjectStore) store = spool_fixture_store(fixture);
    g_autofree char *folder_link = g_build_filename(fixture->store_path, "clinic-a", NULL);
    g_autofree char *file_link = g_build_filename(fixture->store_path, "link.tape", NULL);
    g_autofree char *secret = g_build_filename(fixture->root, "secret", NULL);
    g_autoptr(GPtrArray) keys = NULL;
    g_autoptr(GError) error = NULL;

    g_assert_true(g_file_set_contents(secret, "secret", -1, NULL));
    g_assert_cmpint(symlink(fixture->root, folder_link), ==, 0);
    g_assert_cmpint(symlink(secret, file_link), ==, 0);

    g_assert_null(object_store_get(store, "link.tape", &error));
    g_assert_error(error, STORAGE_ERROR, STORAGE_ERROR_DENIED);
    g_clear_error(&error);
    g_assert_null(object_store_get(store, "clinic-a/secret", &error));
    g_assert_error(error, STORAGE_ERROR, STORAGE_ERROR_DENIED);
    g_clear_error(&error);
    g_assert_false(put(store, "clinic-a/planted", "x", &error));
    g_assert_error(error, STORAGE_ERROR, STORAGE_ERROR_DENIED);
    keys = object_store_list(store, "", NULL);
    g_assert_cmpuint(keys->len, ==, 0);
}

static void
test_lists_in_order_below_a_prefix(void)
{
    static const char *const names[] = {"b/1/x", "a/1/y", "a/1/x", "a/10/x", "a/2/z"};
    g_autoptr(SpoolFixture) fixture = spool_fixture_new();
    g_autoptr(ObjectStore) store = spool_fixture_store(fixture);
    g_autoptr(GPtrArray) of_session = NULL;
    g_autoptr(GPtrArray) of_prefix = NULL;
    g_autoptr(GPtrArray) folders = NULL;
    g_autoptr(GPtrArray) nothing = NULL;

    for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
        g_assert_true(put(store, names[i], "x", NULL));
    of_session = object_store_list(store, "a/1/", NULL);
    of_prefix = object_store_list(store, "a/1", NULL);
    folders = object_store_list_folders(store, "a/", NULL);
    nothing = object_store_list(store, "none/", NULL);

    g_assert_cmpuint(of_session->len, ==, 2);
    g_assert_cmpstr(g_ptr_array_index(of_session, 0), ==, "a/1/x");
    g_assert_cmpstr(g_ptr_array_index(of_session, 1), ==, "a/1/y");
    g_assert_cmpuint(of_prefix->len, ==, 3);
    g_assert_cmpuint(folders->len, ==, 3);
    g_assert_cmpstr(g_ptr_array_index(folders, 1), ==, "a/10");
    g_assert_cmpuint(nothing->len, ==, 0);
}

static void
test_replace_and_missing(void)
{
    g_autoptr(SpoolFixture) fixture = spool_fixture_new();
    g_autoptr(ObjectStore) store = spool_fixture_store(fixture);
    g_autoptr(GBytes) body = bytes_of("new");
    g_autoptr(GError) error = NULL;

    g_assert_true(put(store, "s/env/1.age", "old", NULL));
    g_assert_true(object_store_replace(store, "s/env/1.age", body, NULL));
    assert_holds(store, "s/env/1.age", "new");
    g_assert_null(object_store_get(store, "s/env/2.age", &error));
    g_assert_error(error, STORAGE_ERROR, STORAGE_ERROR_NOT_FOUND);
    g_clear_error(&error);
    g_assert_null(dir_store_open("/nonexistent/store", &error));
    g_assert_error(error, STORAGE_ERROR, STORAGE_ERROR_NOT_FOUND);
}

static void
test_empty_and_large_objects(void)
{
    g_autoptr(SpoolFixture) fixture = spool_fixture_new();
    g_autoptr(ObjectStore) store = spool_fixture_store(fixture);
    g_autofree char *large = g_strnfill(9 << 20, 'x');

    g_assert_true(put(store, "s/empty", "", NULL));
    g_assert_true(put(store, "s/large", large, NULL));
    failing_calls_shorten(1000);
    g_assert_true(put(store, "s/slow", "written in pieces of a thousand bytes", NULL));
    failing_calls_disarm();

    assert_holds(store, "s/empty", "");
    assert_holds(store, "s/large", large);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/dir-store/put-if-absent", test_put_if_absent);
    g_test_add_func("/dir-store/batch-answers-for-each", test_batch_answers_for_each);
    g_test_add_func("/dir-store/flushes-do-not-grow-with-objects",
                    test_flushes_do_not_grow_with_objects);
    g_test_add_func("/dir-store/failed-flush-fails-the-batch", test_failed_flush_fails_the_batch);
    g_test_add_func("/dir-store/few-fail-each-by-itself", test_few_fail_each_by_itself);
    g_test_add_func("/dir-store/failures-leave-no-object", test_failures_leave_no_object);
    g_test_add_func("/dir-store/one-of-many-writers-wins", test_one_of_many_writers_wins);
    g_test_add_func("/dir-store/names-are-checked", test_names_are_checked);
    g_test_add_func("/dir-store/links-lead-nowhere", test_links_lead_nowhere);
    g_test_add_func("/dir-store/lists-in-order-below-a-prefix", test_lists_in_order_below_a_prefix);
    g_test_add_func("/dir-store/replace-and-missing", test_replace_and_missing);
    g_test_add_func("/dir-store/empty-and-large-objects", test_empty_and_large_objects);
    return g_test_run();
}
