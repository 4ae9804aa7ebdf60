#include "storage/storage_error.h"
#include "tests/fakes/failing_calls.h"
#include "tests/fakes/spool_fixture.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

static void
put(ObjectStore *store, const char *key)
{
    g_autoptr(GBytes) body = g_bytes_new_static("sealed", 6);
    GError *error = NULL;

    g_assert_true(object_store_put(store, key, body, &error));
    g_assert_no_error(error);
}

static GPtrArray *
list(ObjectStore *store, const char *prefix)
{
    GError *error = NULL;
    GPtrArray *found = object_store_list_versions(store, prefix, &error);

    g_assert_no_error(error);
    return found;
}

/* Removes all of `found`. Returns: how many failed. */
static unsigned
remove_all(ObjectStore *store, const GPtrArray *found)
{
    g_autofree ObjectRemoval *removals = g_new0(ObjectRemoval, found->len + 1);
    unsigned n_failed = 0;

    for (guint i = 0; i < found->len; i++)
        removals[i].what = found->pdata[i];
    object_store_remove_versions(store, removals, found->len);
    for (guint i = 0; i < found->len; i++) {
        n_failed += removals[i].error != NULL;
        g_clear_error(&removals[i].error);
    }
    return n_failed;
}

static void
test_removes_all_and_only_that(void)
{
    g_autoptr(SpoolFixture) fixture = spool_fixture_new();
    g_autoptr(ObjectStore) store = spool_fixture_store(fixture);
    g_autofree char *partial = NULL;
    g_autofree char *outside = g_build_filename(fixture->root, "outside", NULL);
    g_autofree char *link = NULL;
    g_autofree char *session = g_build_filename(fixture->store_path, "c", "s1", NULL);
    g_autoptr(GPtrArray) found = NULL;
    g_autoptr(GPtrArray) left = NULL;
    g_autoptr(GPtrArray) others = NULL;

    put(store, "c/s1/env/1.age");
    put(store, "c/s1/ta/0-0.tape");
    put(store, "c/s1/tb/0-0.tape");
    put(store, "c/s10/ta/0-0.tape");
    /* What a crash left half written, and a link that somebody planted. */
    partial = g_build_filename(session, "ta", ".0123456789abcdef.partial", NULL);
    link = g_build_filename(session, "tb", "link.tape", NULL);
    g_assert_true(g_file_set_contents(partial, "half", -1, NULL));
    g_assert_true(g_file_set_contents(outside, "precious", -1, NULL));
    g_assert_cmpint(symlink(outside, link), ==, 0);
    found = list(store, "c/s1/");
    g_assert_cmpuint(found->len, ==, 5);
    g_assert_cmpint(((ObjectVersion *) found->pdata[1])->kind, ==, OBJECT_VERSION_UPLOAD);
    g_assert_cmpuint(((ObjectVersion *) found->pdata[0])->n_bytes, ==, 6);

    g_assert_cmpuint(remove_all(store, found), ==, 0);

    left = list(store, "c/s1/");
    others = list(store, "c/s10/");
    g_assert_cmpuint(left->len, ==, 0);
    g_assert_cmpuint(others->len, ==, 1);
    g_assert_false(g_file_test(session, G_FILE_TEST_EXISTS));
    g_assert_true(g_file_test(outside, G_FILE_TEST_EXISTS));
    /* Once more is a success: somebody was faster. */
    g_assert_cmpuint(remove_all(store, found), ==, 0);
}

static void
test_says_what_stays(void)
{
    g_autoptr(SpoolFixture) fixture = spool_fixture_new();
    g_autoptr(ObjectStore) store = spool_fixture_store(fixture);
    g_autoptr(GPtrArray) found = NULL;
    g_autoptr(GPtrArray) left = NULL;

    put(store, "c/s1/env/1.age");
    put(store, "c/s1/env/2.age");
    found = list(store, "c/s1/");
    failing_calls_arm(CALL_UNLINKAT, 1, 1, EACCES);
    g_assert_cmpuint(remove_all(store, found), ==, 1);
    failing_calls_disarm();
    left = list(store, "c/s1/");
    g_assert_cmpuint(left->len, ==, 1);
    failing_calls_arm(CALL_FSYNC, 1, 1, EIO);
    g_assert_cmpuint(remove_all(store, left), ==, 1);
    failing_calls_disarm();
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/dir-store-erase/removes-all-and-only-that", test_removes_all_and_only_that);
    g_test_add_func("/dir-store-erase/says-what-stays", test_says_what_stays);
    return g_test_run();
}
