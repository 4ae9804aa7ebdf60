#include "agent/store/configured_store.h"
#include "storage/storage_error.h"
#include "tests/fakes/scratch.h"

#include <glib/gstdio.h>
#include <string.h>

/* Two folders, and the settings of a store in the first with a replica in the second. */
typedef struct {
    char *folder, *near, *far;
    StoreSettings store, replica;
} Fixture;

static void
set_up(Fixture *self, gconstpointer data)
{
    self->folder = scratch_new("sealtape-store");
    self->near = g_build_filename(self->folder, "near", NULL);
    self->far = g_build_filename(self->folder, "far", NULL);
    g_assert_cmpint(g_mkdir(self->near, 0700), ==, 0);
    g_assert_cmpint(g_mkdir(self->far, 0700), ==, 0);
    self->store.type = self->replica.type = STORE_TYPE_DIRECTORY;
    self->store.path = self->near;
    self->replica.path = self->far;
    self->replica.name = (char *) "offsite";
    self->store.replicas = g_ptr_array_new();
}

static void
tear_down(Fixture *self, gconstpointer data)
{
    g_ptr_array_unref(self->store.replicas);
    g_free(self->near);
    g_free(self->far);
    scratch_remove(self->folder);
}

static void
assert_holds(const char *folder, const char *key, const char *expected)
{
    g_autofree char *path = g_build_filename(folder, key, NULL);
    g_autofree char *content = NULL;

    g_assert_true(g_file_get_contents(path, &content, NULL, NULL) == (expected != NULL));
    g_assert_cmpstr(content, ==, expected);
}

static void
put_one(ObjectStore *store, const char *key)
{
    g_autoptr(GBytes) body = g_bytes_new_static("one", 3);
    g_autoptr(GError) error = NULL;

    g_assert_true(object_store_put(store, key, body, &error));
    g_assert_no_error(error);
}

static void
test_without_replicas_is_one_store(Fixture *self, gconstpointer data)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(ObjectStore) store = configured_store_open(&self->store, &error);

    g_assert_no_error(error);
    put_one(store, "a/b.tape");

    assert_holds(self->near, "a/b.tape", "one");
    assert_holds(self->far, "a/b.tape", NULL);
}

static void
test_a_replica_gets_everything(Fixture *self, gconstpointer data)
{
    g_autoptr(GError) error = NULL;

    g_ptr_array_add(self->store.replicas, &self->replica);
    g_autoptr(ObjectStore) store = configured_store_open(&self->store, &error);
    g_assert_no_error(error);
    put_one(store, "a/b.tape");

    assert_holds(self->near, "a/b.tape", "one");
    assert_holds(self->far, "a/b.tape", "one");
}

static void
test_one_alone_is_the_one_asked_for(Fixture *self, gconstpointer data)
{
    g_autoptr(GError) error = NULL;

    g_ptr_array_add(self->store.replicas, &self->replica);
    g_autoptr(ObjectStore) near = configured_store_open_one(&self->store, &error);
    g_autoptr(ObjectStore) far = configured_store_open_one(&self->replica, &error);
    g_assert_no_error(error);
    put_one(near, "near.tape");
    put_one(far, "far.tape");

    assert_holds(self->near, "far.tape", NULL);
    assert_holds(self->far, "near.tape", NULL);
}

static void
test_a_fault_names_its_setting(Fixture *self, gconstpointer data)
{
    g_autoptr(GError) error = NULL;

    g_assert_cmpint(g_rmdir(self->far), ==, 0);
    g_ptr_array_add(self->store.replicas, &self->replica);
    g_assert_null(configured_store_open(&self->store, &error));
    g_assert_error(error, STORAGE_ERROR, STORAGE_ERROR_NOT_FOUND);
    g_assert_true(g_str_has_prefix(error->message, "replica offsite.path: "));
    g_clear_error(&error);

    g_assert_cmpint(g_rmdir(self->near), ==, 0);
    g_assert_null(configured_store_open(&self->store, &error));
    g_assert_error(error, STORAGE_ERROR, STORAGE_ERROR_NOT_FOUND);
    g_assert_true(g_str_has_prefix(error->message, "store.path: "));
}

static void
test_a_directory_needs_no_probe(Fixture *self, gconstpointer data)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) rows = configured_store_probe(&self->store, &error);

    g_assert_no_error(error);
    g_assert_cmpuint(rows->len, ==, 0);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(path, test)                                                                            \
    g_test_add("/configured_store/" path, Fixture, NULL, set_up, test, tear_down)
    ADD("without-replicas-is-one-store", test_without_replicas_is_one_store);
    ADD("a-replica-gets-everything", test_a_replica_gets_everything);
    ADD("one-alone-is-the-one-asked-for", test_one_alone_is_the_one_asked_for);
    ADD("a-fault-names-its-setting", test_a_fault_names_its_setting);
    ADD("a-directory-needs-no-probe", test_a_directory_needs_no_probe);
    return g_test_run();
}
