#include "crypto/crypto_error.h"
#include "storage/annotation_log.h"
#include "storage/dir_store.h"
#include "storage/object_key.h"
#include "storage/repair.h"
#include "tests/fakes/catalogue_fixture.h"
#include "tests/fakes/visit_keys.h"

#include <glib/gstdio.h>
#include <string.h>

typedef struct {
    unsigned n_done, n_lacking, n_failed, n_erased;
} Outcome;

static void
on_object(const char *relative, RepairOutcome outcome, const char *detail, void *user_data)
{
    Outcome *self = user_data;

    g_test_message("%s: %d %s", relative, (int) outcome, detail);
    self->n_done += outcome == REPAIR_DONE;
    self->n_lacking += outcome == REPAIR_LACKING;
    self->n_failed += outcome == REPAIR_FAILED;
    self->n_erased += outcome == REPAIR_ERASED;
}

/* Repairs visit-1 of `store` from `source` (taken). */
static Outcome
repair(ObjectStore *store, RepairSource *source, bool is_plan)
{
    g_autoptr(GPtrArray) sources =
        g_ptr_array_new_with_free_func((GDestroyNotify) repair_source_free);
    Outcome outcome = {0};
    g_autoptr(GError) error = NULL;
    const RepairRequest request = {
        .store = store,
        .verifiers = visit_keys_verifiers(),
        .annotators = visit_keys_verifiers(),
        .sources = sources,
        .is_plan = is_plan,
        .on_object = on_object,
        .user_data = &outcome,
    };

    g_ptr_array_add(sources, source);
    g_assert_true(repair_session(&request, "clinic-a", "visit-1", &error));
    g_assert_no_error(error);
    return outcome;
}

/* Returns: an empty store, beside the fixture's. */
static ObjectStore *
other_store(const CatalogueFixture *fixture, char **path)
{
    g_autoptr(GError) error = NULL;
    ObjectStore *store = NULL;

    *path = g_build_filename(fixture->spool->root, "other", NULL);
    g_assert_cmpint(g_mkdir_with_parents(*path, 0700), ==, 0);
    store = dir_store_open(*path, &error);
    g_assert_no_error(error);
    return store;
}

static void
assert_same(ObjectStore *one, ObjectStore *other)
{
    g_autoptr(GPtrArray) keys = object_store_list(one, "", NULL);
    g_autoptr(GPtrArray) copies = object_store_list(other, "", NULL);

    g_assert_cmpuint(keys->len, ==, copies->len);
    for (guint i = 0; i < keys->len; i++) {
        const char *key = g_ptr_array_index(keys, i);
        g_autoptr(GBytes) body = object_store_get(one, key, NULL);
        g_autoptr(GBytes) copy = object_store_get(other, key, NULL);

        g_assert_true(copy != NULL && g_bytes_equal(body, copy));
    }
}

static void
test_an_empty_store_gets_everything(void)
{
    g_autoptr(CatalogueFixture) fixture = catalogue_fixture_new();
    g_autoptr(GPtrArray) notes = catalogue_fixture_record(fixture, "visit-1");
    g_autofree char *path = NULL;
    g_autoptr(ObjectStore) other = other_store(fixture, &path);
    const Outcome planned = repair(other, repair_source_new_store("a", fixture->store), true);
    g_autoptr(GPtrArray) nothing = object_store_list(other, "", NULL);
    const Outcome done = repair(other, repair_source_new_store("a", fixture->store), false);
    const Outcome again = repair(other, repair_source_new_store("a", fixture->store), false);

    g_assert_cmpuint(planned.n_done, ==, 7); /* four objects, two parts, an envelope */
    g_assert_cmpuint(nothing->len, ==, 0);
    g_assert_cmpuint(done.n_done, ==, 7);
    g_assert_cmpuint(again.n_done + again.n_lacking + again.n_failed, ==, 0);
    assert_same(fixture->store, other);
}

/* Every byte of what a source gives is checked: a changed object or part is not taken over. */
static void
test_a_changed_source_is_not_believed(void)
{
    static const char *const names[] = {"tp1-audio/0-0.tape", "manifest/1.note"};

    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autoptr(CatalogueFixture) fixture = catalogue_fixture_new();
        g_autoptr(GPtrArray) notes = catalogue_fixture_record(fixture, "visit-1");
        g_autofree char *file =
            g_build_filename(fixture->spool->store_path, "clinic-a", "visit-1", names[i], NULL);
        g_autofree char *path = NULL;
        g_autoptr(ObjectStore) other = other_store(fixture, &path);
        g_autofree char *key = g_strconcat("clinic-a/visit-1/", names[i], NULL);
        g_autofree char *bytes = NULL;
        g_autoptr(GBytes) taken = NULL;
        gsize n_bytes = 0;
        Outcome outcome;

        g_assert_true(g_file_get_contents(file, &bytes, &n_bytes, NULL));
        bytes[n_bytes / 2] ^= 1;
        g_assert_true(g_file_set_contents(file, bytes, (gssize) n_bytes, NULL));
        outcome = repair(other, repair_source_new_store("a", fixture->store), false);
        taken = object_store_get(other, key, NULL);

        g_assert_cmpuint(outcome.n_lacking, >=, 1);
        g_assert_null(taken);
    }
}

static void
test_nothing_is_overwritten(void)
{
    g_autoptr(CatalogueFixture) fixture = catalogue_fixture_new();
    g_autoptr(GPtrArray) notes = catalogue_fixture_record(fixture, "visit-1");
    g_autofree char *path = NULL;
    g_autoptr(ObjectStore) other = other_store(fixture, &path);
    g_autoptr(GBytes) junk = g_bytes_new_static("junk", 4);
    g_autoptr(GBytes) object = NULL;
    g_autoptr(GBytes) part = NULL;
    g_autoptr(GError) error = NULL;
    Outcome outcome;

    g_assert_true(object_store_put(other, "clinic-a/visit-1/tp1-audio/0-0.tape", junk, &error));
    g_assert_true(object_store_put(other, "clinic-a/visit-1/manifest/2.note", junk, &error));
    outcome = repair(other, repair_source_new_store("a", fixture->store), false);
    object = object_store_get(other, "clinic-a/visit-1/tp1-audio/0-0.tape", &error);
    part = object_store_get(other, "clinic-a/visit-1/manifest/2.note", &error);

    g_assert_no_error(error);
    g_assert_cmpuint(outcome.n_failed, ==, 1);
    g_assert_true(g_bytes_equal(object, junk));
    g_assert_true(g_bytes_equal(part, junk));
}

static void
test_the_spool_is_a_source(void)
{
    g_autoptr(CatalogueFixture) fixture = catalogue_fixture_new();
    g_autoptr(GPtrArray) notes = catalogue_fixture_record(fixture, "visit-1");
    g_autoptr(GPtrArray) keys = object_store_list(fixture->store, "", NULL);
    g_autoptr(GError) error = NULL;
    RepairSource *spool = repair_source_open_spool(fixture->spool->spool_path, &error);
    g_autofree char *path = NULL;
    g_autoptr(ObjectStore) other = other_store(fixture, &path);
    Outcome outcome;

    g_assert_no_error(error);
    outcome = repair(other, spool, false);

    /* All but the envelope, which never was there. */
    g_assert_cmpuint(outcome.n_done, ==, keys->len - 1);
    g_assert_cmpuint(outcome.n_lacking, ==, 1);
}

static void
put_bytes(ObjectStore *store, const char *key, const char *text)
{
    g_autoptr(GBytes) body = g_bytes_new(text, strlen(text));
    g_autoptr(GError) error = NULL;

    g_assert_true(object_store_put(store, key, body, &error));
    g_assert_no_error(error);
}

/* Amends visit-1 by `text`. Returns: the name of the statement, owned. */
static char *
amend(ObjectStore *store, const char *text)
{
    const AnnotationWriter writer = {
        .store = store, .signer = visit_keys_signer(), .verifiers = visit_keys_verifiers()};
    g_autoptr(Annotation) next = annotation_new("clinic-a", "visit-1", ANNOTATION_AMENDED);
    const Digest digest = digest_of(text, strlen(text));
    g_autofree char *hex = digest_to_hex(&digest);
    char *key = object_key_statement("clinic-a", "visit-1", hex);
    g_autoptr(GError) error = NULL;

    put_bytes(store, key, text);
    next->by = g_strdup("unix:anna");
    annotation_set(next, ANNOTATION_STATEMENT, hex);
    g_assert_true(annotation_log_add(&writer, next, &error));
    g_assert_no_error(error);
    return key;
}

/* What was told of it comes back in its order, and each statement that is what was signed for. */
static void
test_annotations_and_statements_come_back(void)
{
    g_autoptr(CatalogueFixture) fixture = catalogue_fixture_new();
    g_autoptr(GPtrArray) notes = catalogue_fixture_record(fixture, "visit-1");
    g_autofree char *first = amend(fixture->store, "one");
    g_autofree char *second = amend(fixture->store, "two");
    g_autofree char *path = NULL;
    g_autofree char *file = g_build_filename(fixture->spool->store_path, first, NULL);
    g_autoptr(ObjectStore) other = other_store(fixture, &path);
    Outcome outcome;

    g_assert_true(g_file_set_contents(file, "0ne", 3, NULL));
    outcome = repair(other, repair_source_new_store("a", fixture->store), false);
    g_assert_cmpuint(outcome.n_done, ==, 7 + 2 + 1);
    g_assert_cmpuint(outcome.n_lacking, ==, 1);
    g_assert_null(object_store_get(other, first, NULL));
    g_assert_true(g_file_set_contents(file, "one", 3, NULL));
    outcome = repair(other, repair_source_new_store("a", fixture->store), false);
    g_assert_cmpuint(outcome.n_done, ==, 1);
    assert_same(fixture->store, other);
}

/* A note that does not follow the one that lies there is not taken over. */
static void
test_annotations_of_another_chain_do_not_come(void)
{
    g_autoptr(CatalogueFixture) fixture = catalogue_fixture_new();
    g_autoptr(GPtrArray) notes = catalogue_fixture_record(fixture, "visit-1");
    g_autofree char *first = amend(fixture->store, "one");
    g_autofree char *second = amend(fixture->store, "two");
    g_autofree char *path = NULL;
    g_autoptr(ObjectStore) other = other_store(fixture, &path);
    g_autofree char *third = amend(other, "three");
    Outcome outcome = repair(other, repair_source_new_store("a", fixture->store), false);

    g_assert_cmpuint(outcome.n_done, ==, 7);
    g_assert_cmpuint(outcome.n_failed + outcome.n_lacking, ==, 0);
    g_assert_null(object_store_get(other, "clinic-a/visit-1/notes/2.note", NULL));
}

static void
test_what_was_erased_does_not_come_back(void)
{
    for (int i = 0; i < 2; i++) {
        g_autoptr(CatalogueFixture) fixture = catalogue_fixture_new();
        g_autoptr(GPtrArray) notes = catalogue_fixture_record(fixture, "visit-1");
        g_autofree char *path = NULL;
        g_autoptr(ObjectStore) other = other_store(fixture, &path);
        g_autoptr(GPtrArray) keys = NULL;
        Outcome outcome;

        put_bytes(i == 0 ? other : fixture->store, "clinic-a/erased/visit-1/1.note", "order");
        outcome = repair(other, repair_source_new_store("a", fixture->store), false);
        g_assert_cmpuint(outcome.n_erased, ==, 1);
        g_assert_cmpuint(outcome.n_done + outcome.n_lacking + outcome.n_failed, ==, 0);
        keys = object_store_list(other, "clinic-a/visit-1/", NULL);
        g_assert_cmpuint(keys->len, ==, 0);
    }
}

int
main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    int status = 0;

    g_test_init(&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
    g_assert_true(crypto_start(&error));
    g_test_add_func("/repair/an-empty-store-gets-everything", test_an_empty_store_gets_everything);
    g_test_add_func("/repair/a-changed-source-is-not-believed",
                    test_a_changed_source_is_not_believed);
    g_test_add_func("/repair/annotations-and-statements-come-back",
                    test_annotations_and_statements_come_back);
    g_test_add_func("/repair/annotations-of-another-chain-do-not-come",
                    test_annotations_of_another_chain_do_not_come);
    g_test_add_func("/repair/what-was-erased-does-not-come-back",
                    test_what_was_erased_does_not_come_back);
    g_test_add_func("/repair/nothing-is-overwritten", test_nothing_is_overwritten);
    g_test_add_func("/repair/the-spool-is-a-source", test_the_spool_is_a_source);
    status = g_test_run();
    visit_keys_free();
    return status;
}
