#include "storage/replicated_store.h"
#include "storage/storage_error.h"
#include "tests/fakes/flaky_store.h"

#include <string.h>

#define KEY   "clinic-a/s1/t1/0-0.tape"
#define OTHER "clinic-a/s1/t1/0-1.tape"

/* Two stores as one; what they hold outlives them. */
typedef struct {
    GHashTable *objects[2];
    ObjectStore *stores[2]; /* borrowed from `all` */
    ObjectStore *all;
} Fixture;

static void
set_up(Fixture *fixture, gconstpointer unused)
{
    for (int i = 0; i < 2; i++) {
        fixture->objects[i] = flaky_store_objects_new();
        fixture->stores[i] = flaky_store_new(fixture->objects[i]);
    }
    fixture->all = replicated_store_new(fixture->stores[0]);
    replicated_store_add(fixture->all, fixture->stores[1], "second-site");
}

static void
tear_down(Fixture *fixture, gconstpointer unused)
{
    object_store_free(fixture->all);
    g_hash_table_unref(fixture->objects[0]);
    g_hash_table_unref(fixture->objects[1]);
}

static GBytes *
bytes(const char *text)
{
    return g_bytes_new(text, strlen(text));
}

static bool
put(Fixture *fixture, const char *key, const char *text, GError **error)
{
    g_autoptr(GBytes) body = bytes(text);

    return object_store_put(fixture->all, key, body, error);
}

static void
assert_has(Fixture *fixture, int store, const char *key, const char *text)
{
    g_autoptr(GBytes) wanted = bytes(text);
    GBytes *stored = g_hash_table_lookup(fixture->objects[store], key);

    g_assert_nonnull(stored);
    g_assert_true(g_bytes_equal(stored, wanted));
}

static void
test_puts_into_each(Fixture *fixture, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;

    g_assert_true(put(fixture, KEY, "sealed", &error));

    g_assert_no_error(error);
    assert_has(fixture, 0, KEY, "sealed");
    assert_has(fixture, 1, KEY, "sealed");
}

static void
test_fails_while_one_has_it_not(Fixture *fixture, gconstpointer unused)
{
    static const char *const prefixes[] = {KEY, "replica second-site: "};

    for (int failing = 0; failing < 2; failing++) {
        g_autoptr(GError) error = NULL;
        const char *key = failing == 0 ? KEY : OTHER;

        flaky_store_fail(fixture->stores[failing], 1, STORAGE_ERROR_TRANSIENT, false);
        g_assert_false(put(fixture, key, "sealed", &error));

        g_assert_error(error, STORAGE_ERROR, STORAGE_ERROR_TRANSIENT);
        g_assert_true(g_str_has_prefix(error->message, prefixes[failing]));
        assert_has(fixture, 1 - failing, key, "sealed");
        g_assert_false(g_hash_table_contains(fixture->objects[failing], key));
    }
}

static void
test_asks_only_who_lacks_it(Fixture *fixture, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;

    flaky_store_fail(fixture->stores[1], 2, STORAGE_ERROR_TRANSIENT, false);
    g_assert_false(put(fixture, KEY, "sealed", NULL));
    g_assert_false(put(fixture, KEY, "sealed", NULL));
    g_assert_true(put(fixture, KEY, "sealed", &error));

    g_assert_no_error(error);
    g_assert_cmpuint(flaky_store_n_batches(fixture->stores[0]), ==, 1);
    g_assert_cmpuint(flaky_store_n_batches(fixture->stores[1]), ==, 3);
    assert_has(fixture, 1, KEY, "sealed");
}

/* A name with other bytes is another object, whatever was taken before under it. */
static void
test_remembers_bytes_not_names(Fixture *fixture, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;

    flaky_store_fail(fixture->stores[1], 1, STORAGE_ERROR_TRANSIENT, false);
    g_assert_false(put(fixture, KEY, "sealed", NULL));
    g_assert_false(put(fixture, KEY, "forged", &error));

    g_assert_error(error, STORAGE_ERROR, STORAGE_ERROR_CONFLICT);
    assert_has(fixture, 0, KEY, "sealed");
}

static void
test_each_put_of_a_batch_has_its_own_fate(Fixture *fixture, gconstpointer unused)
{
    g_autoptr(GBytes) body = bytes("sealed");
    ObjectPut puts[] = {
        {.key = KEY,   .body = body},
        {.key = OTHER, .body = body}
    };

    flaky_store_aim(fixture->stores[1], "0-1.tape");
    flaky_store_fail(fixture->stores[1], 1, STORAGE_ERROR_FULL, false);
    object_store_put_all(fixture->all, puts, G_N_ELEMENTS(puts));

    g_assert_no_error(puts[0].error);
    g_assert_error(puts[1].error, STORAGE_ERROR, STORAGE_ERROR_FULL);
    g_clear_error(&puts[1].error);
    object_store_put_all(fixture->all, puts, G_N_ELEMENTS(puts));
    g_assert_no_error(puts[0].error);
    g_assert_no_error(puts[1].error);
    assert_has(fixture, 1, OTHER, "sealed");
}

static void
test_replaces_in_each(Fixture *fixture, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) body = bytes("new");

    g_assert_true(put(fixture, KEY, "old", &error));
    g_assert_true(object_store_replace(fixture->all, KEY, body, &error));

    g_assert_no_error(error);
    assert_has(fixture, 0, KEY, "new");
    assert_has(fixture, 1, KEY, "new");
}

static void
test_reads_from_who_has_it(Fixture *fixture, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) found = NULL;
    g_autoptr(GBytes) wanted = bytes("sealed");

    g_assert_true(put(fixture, KEY, "sealed", &error));
    g_hash_table_remove_all(fixture->objects[0]);
    g_test_expect_message("sealtape-storage", G_LOG_LEVEL_WARNING,
                          "taken from replica second-site: no " KEY);
    found = object_store_get(fixture->all, KEY, &error);

    g_test_assert_expected_messages();
    g_assert_no_error(error);
    g_assert_true(g_bytes_equal(found, wanted));
}

static void
test_lists_what_any_has(Fixture *fixture, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) names = NULL;
    g_autoptr(GPtrArray) folders = NULL;

    g_assert_true(put(fixture, KEY, "sealed", &error));
    g_assert_true(put(fixture, OTHER, "sealed", &error));
    (void) g_hash_table_remove(fixture->objects[0], KEY);
    (void) g_hash_table_remove(fixture->objects[1], OTHER);
    names = object_store_list(fixture->all, "clinic-a/", &error);
    folders = object_store_list_folders(fixture->all, "clinic-a/", &error);

    g_assert_no_error(error);
    g_assert_cmpuint(names->len, ==, 2);
    g_assert_cmpstr(names->pdata[0], ==, KEY);
    g_assert_cmpstr(names->pdata[1], ==, OTHER);
    g_assert_cmpuint(folders->len, ==, 1);
    g_assert_cmpstr(folders->pdata[0], ==, "clinic-a/s1");
}

static void
test_tells_what_the_first_said(Fixture *fixture, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;

    g_assert_null(object_store_get(fixture->all, KEY, &error));

    g_assert_error(error, STORAGE_ERROR, STORAGE_ERROR_NOT_FOUND);
}

static void
test_removes_from_each(Fixture *fixture, gconstpointer unused)
{
    g_autoptr(GPtrArray) found = NULL;
    ObjectRemoval removals[3] = {{0}};

    g_assert_true(put(fixture, KEY, "one", NULL));
    g_assert_true(put(fixture, OTHER, "two", NULL));
    g_hash_table_remove(fixture->objects[0], OTHER);
    found = object_store_list_versions(fixture->all, "clinic-a/s1/", NULL);
    g_assert_cmpuint(found->len, ==, 3);
    for (guint i = 0; i < found->len; i++)
        removals[i].what = found->pdata[i];
    object_store_remove_versions(fixture->all, removals, found->len);
    g_assert_cmpuint(g_hash_table_size(fixture->objects[0]), ==, 0);
    g_assert_cmpuint(g_hash_table_size(fixture->objects[1]), ==, 0);
}

int
main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*test)(Fixture *, gconstpointer);
    } rows[] = {
        {"puts-into-each",                       test_puts_into_each                      },
        {"fails-while-one-has-it-not",           test_fails_while_one_has_it_not          },
        {"asks-only-who-lacks-it",               test_asks_only_who_lacks_it              },
        {"remembers-bytes-not-names",            test_remembers_bytes_not_names           },
        {"each-put-of-a-batch-has-its-own-fate", test_each_put_of_a_batch_has_its_own_fate},
        {"replaces-in-each",                     test_replaces_in_each                    },
        {"reads-from-who-has-it",                test_reads_from_who_has_it               },
        {"lists-what-any-has",                   test_lists_what_any_has                  },
        {"tells-what-the-first-said",            test_tells_what_the_first_said           },
        {"removes-from-each",                    test_removes_from_each                   },
    };

    g_test_init(&argc, &argv, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *path = g_strconcat("/replicated-store/", rows[i].name, NULL);

        g_test_add(path, Fixture, NULL, set_up, rows[i].test, tear_down);
    }
    return g_test_run();
}
