#include "crypto/crypto_error.h"
#include "storage/catalogue_rows.h"
#include "storage/catalogue_writer.h"
#include "storage/storage_error.h"
#include "tests/fakes/catalogue_fixture.h"
#include "tests/fakes/visit_keys.h"

#include <glib/gstdio.h>
#include <sqlite3.h>
#include <string.h>
#include <unistd.h>

typedef struct {
    CatalogueFixture *catalogue;
    CatalogueWriter *writer;
    GMutex mutex;
    char *trouble;       /* the last one, NULL once it was over */
    unsigned n_troubles; /* told */
} Fixture;

static void
on_trouble(const char *sentence, void *user_data)
{
    Fixture *self = user_data;

    g_mutex_lock(&self->mutex);
    g_free(self->trouble);
    self->trouble = g_strdup(sentence);
    self->n_troubles += sentence != NULL;
    g_mutex_unlock(&self->mutex);
}

static void
start(Fixture *self, ObjectStore *store)
{
    self->writer = catalogue_writer_new(&(CatalogueWriterOptions){
        .path = self->catalogue->path,
        .store = store != NULL ? store : self->catalogue->store,
        .verifiers = visit_keys_verifiers(),
        .interval_ms = 10,
        .on_trouble = on_trouble,
        .user_data = self,
    });
}

static void
stop(Fixture *self)
{
    g_clear_pointer(&self->writer, catalogue_writer_free);
}

static bool
has_trouble(void *user_data)
{
    Fixture *self = user_data;
    bool has = false;

    g_mutex_lock(&self->mutex);
    has = self->trouble != NULL;
    g_mutex_unlock(&self->mutex);
    return has;
}

static bool
is_even(void *user_data)
{
    Fixture *self = user_data;
    CatalogueWriterStatus status = {0};

    catalogue_writer_status(self->writer, &status);
    return status.n_waiting == 0 && !status.is_behind && !has_trouble(self) &&
           g_file_test(self->catalogue->path, G_FILE_TEST_EXISTS);
}

static void
set_up(Fixture *self, gconstpointer unused)
{
    self->catalogue = catalogue_fixture_new();
    g_mutex_init(&self->mutex);
}

static void
tear_down(Fixture *self, gconstpointer unused)
{
    stop(self);
    catalogue_fixture_free(self->catalogue);
    g_free(self->trouble);
    g_mutex_clear(&self->mutex);
}

/* What a rebuild of the store gives, in another file. */
static void
assert_equals_rebuilt(Fixture *self)
{
    g_autofree char *written = catalogue_fixture_dump(self->catalogue);
    g_autofree char *path = self->catalogue->path;
    g_autofree char *rebuilt = NULL;

    self->catalogue->path = g_strconcat(path, ".again", NULL);
    catalogue_fixture_rebuild(self->catalogue);
    rebuilt = catalogue_fixture_dump(self->catalogue);
    g_free(self->catalogue->path);
    self->catalogue->path = g_steal_pointer(&path);
    g_assert_cmpstr(written, ==, rebuilt);
    g_assert_nonnull(strstr(written, "session clinic-a"));
}

static void
record(Fixture *self, const char *session)
{
    g_autoptr(GPtrArray) notes = catalogue_fixture_record(self->catalogue, session);

    catalogue_writer_add_envelope(self->writer, "clinic-a", session, 1);
    for (guint i = 0; i < notes->len; i++)
        catalogue_writer_add_part(self->writer, notes->pdata[i]);
}

static void
test_equals_what_is_rebuilt(Fixture *self, gconstpointer unused)
{
    start(self, NULL);
    record(self, "visit-1");
    record(self, "visit-2");
    stop(self);

    g_assert_cmpuint(self->n_troubles, ==, 0);
    assert_equals_rebuilt(self);
}

static void
test_finds_what_was_there_before(Fixture *self, gconstpointer unused)
{
    g_autoptr(GPtrArray) notes = catalogue_fixture_record(self->catalogue, "visit-1");

    start(self, NULL);
    catalogue_fixture_wait(is_even, self);

    assert_equals_rebuilt(self);
}

/* As after a kill: the next start finds what was never told. */
static void
test_finds_what_a_killed_one_missed(Fixture *self, gconstpointer unused)
{
    g_autoptr(Catalogue) catalogue = NULL;
    g_autoptr(GPtrArray) notes = NULL;
    g_autoptr(GError) error = NULL;

    start(self, NULL);
    record(self, "visit-1");
    stop(self);
    notes = catalogue_fixture_record(self->catalogue, "visit-2");
    catalogue = catalogue_fixture_open(self->catalogue, CATALOGUE_WRITE);
    g_assert_true(catalogue_begin(catalogue, &error));
    g_assert_true(catalogue_set_fact(catalogue, "running", 1, &error));
    g_assert_true(catalogue_end(catalogue, true, &error));
    start(self, NULL);
    catalogue_fixture_wait(is_even, self);

    assert_equals_rebuilt(self);
}

static void
test_a_missing_part_is_fetched(Fixture *self, gconstpointer unused)
{
    g_autoptr(GPtrArray) notes = NULL;

    start(self, NULL);
    catalogue_fixture_wait(is_even, self);
    notes = catalogue_fixture_record(self->catalogue, "visit-1");
    catalogue_writer_add_part(self->writer, notes->pdata[1]);
    stop(self);
    start(self, NULL);
    catalogue_fixture_wait(is_even, self);

    assert_equals_rebuilt(self);
}

static void
test_waits_while_it_is_locked(Fixture *self, gconstpointer unused)
{
    sqlite3 *other = NULL;

    start(self, NULL);
    catalogue_fixture_wait(is_even, self);
    g_assert_cmpint(sqlite3_open(self->catalogue->path, &other), ==, SQLITE_OK);
    g_assert_cmpint(sqlite3_exec(other, "BEGIN EXCLUSIVE", NULL, NULL, NULL), ==, SQLITE_OK);
    record(self, "visit-1");
    record(self, "visit-2");
    catalogue_fixture_wait(has_trouble, self);
    g_assert_nonnull(strstr(self->trouble, "locked"));
    g_assert_cmpint(sqlite3_exec(other, "ROLLBACK", NULL, NULL, NULL), ==, SQLITE_OK);
    g_assert_cmpint(sqlite3_close(other), ==, SQLITE_OK);
    catalogue_fixture_wait(is_even, self);

    g_assert_cmpuint(self->n_troubles, ==, 1);
    assert_equals_rebuilt(self);
}

static void
test_a_damaged_one_is_made_anew(Fixture *self, gconstpointer unused)
{
    g_autofree char *damaged = g_strconcat(self->catalogue->path, ".damaged", NULL);

    start(self, NULL);
    record(self, "visit-1");
    stop(self);
    g_assert_cmpint(truncate(self->catalogue->path, 6000), ==, 0);
    start(self, NULL);
    record(self, "visit-2");
    catalogue_fixture_wait(is_even, self);

    g_assert_true(g_file_test(damaged, G_FILE_TEST_IS_REGULAR));
    assert_equals_rebuilt(self);
}

static void
test_goes_on_in_a_rebuilt_one(Fixture *self, gconstpointer unused)
{
    start(self, NULL);
    record(self, "visit-1");
    catalogue_fixture_wait(is_even, self);
    catalogue_fixture_rebuild(self->catalogue);
    record(self, "visit-2");
    stop(self);

    assert_equals_rebuilt(self);
}

static void
test_a_removed_one_is_made_anew(Fixture *self, gconstpointer unused)
{
    start(self, NULL);
    record(self, "visit-1");
    catalogue_fixture_wait(is_even, self);
    g_assert_cmpint(g_unlink(self->catalogue->path), ==, 0);
    record(self, "visit-2");
    catalogue_fixture_wait(is_even, self);

    assert_equals_rebuilt(self);
}

static void
test_tells_what_can_not_be_mended(Fixture *self, gconstpointer unused)
{
    g_autoptr(GPtrArray) notes = NULL;

    g_assert_cmpint(g_mkdir(self->catalogue->path, 0700), ==, 0);
    start(self, NULL);
    record(self, "visit-1");
    catalogue_fixture_wait(has_trouble, self);
    g_assert_nonnull(strstr(self->trouble, "it is a folder"));
    g_assert_cmpint(g_rmdir(self->catalogue->path), ==, 0);
    catalogue_fixture_wait(is_even, self);

    g_assert_cmpuint(self->n_troubles, ==, 1);
    assert_equals_rebuilt(self);
}

static void
add(const char *name, void (*test)(Fixture *, gconstpointer))
{
    g_autofree char *path = g_strconcat("/catalogue_writer/", name, NULL);

    g_test_add(path, Fixture, NULL, set_up, test, tear_down);
}

int
main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    int status = 0;

    g_test_init(&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
    g_assert_true(crypto_start(&error));
    add("equals-what-is-rebuilt", test_equals_what_is_rebuilt);
    add("finds-what-was-there-before", test_finds_what_was_there_before);
    add("finds-what-a-killed-one-missed", test_finds_what_a_killed_one_missed);
    add("a-missing-part-is-fetched", test_a_missing_part_is_fetched);
    add("waits-while-it-is-locked", test_waits_while_it_is_locked);
    add("a-damaged-one-is-made-anew", test_a_damaged_one_is_made_anew);
    add("goes-on-in-a-rebuilt-one", test_goes_on_in_a_rebuilt_one);
    add("a-removed-one-is-made-anew", test_a_removed_one_is_made_anew);
    add("tells-what-can-not-be-mended", test_tells_what_can_not_be_mended);
    status = g_test_run();
    visit_keys_free();
    return status;
}
