#include "crypto/crypto_error.h"
#include "storage/storage_error.h"
#include "tests/fakes/upload_bench.h"
#include "tests/fakes/visit_keys.h"

#include <glib/gstdio.h>
#include <string.h>

/* What must be in the store before media: it gets there first, late or not. */

/* Not a real envelope: nobody opens it here. */
#define KEYS "env/2.age"

static const char *const one_track[] = {"p1-audio", NULL};

static void
keep(UploadBench *bench, const char *name, const char *content, bool replaces)
{
    GError *error = NULL;
    const LedgerObject object = {name, (const uint8_t *) content, strlen(content), replaces};

    g_assert_true(spool_add_object(bench->spool, "visit-1", &object, &error));
    g_assert_no_error(error);
}

static void
begin(UploadBench *bench, uint32_t n_segments)
{
    upload_bench_record(bench, one_track, 0);
    keep(bench, KEYS, "sealed keys", false);
    for (uint32_t i = 0; i < n_segments; i++)
        spool_fixture_add(bench->spool, "visit-1", "p1-audio", i);
    spool_fixture_commit(bench->spool);
}

static void
check_content(UploadBench *bench, const char *name, const char *content)
{
    g_autofree char *key = g_strconcat("clinic-a/visit-1/", name, NULL);
    GBytes *stored = g_hash_table_lookup(bench->objects, key);

    g_autoptr(GBytes) wanted = g_bytes_new_static(content, strlen(content));

    g_assert_nonnull(stored);
    g_assert_true(g_bytes_equal(stored, wanted));
}

static void
test_no_media_before_the_envelope(void)
{
    g_autoptr(UploadBench) bench = upload_bench_new();
    Uploader *uploader = NULL;

    begin(bench, 4);
    upload_bench_close(bench, one_track, 4);
    flaky_store_aim(bench->store, KEYS);
    flaky_store_fail(bench->store, 1000000, STORAGE_ERROR_TRANSIENT, false);
    uploader = upload_bench_start(bench);
    g_assert_false(uploader_drain(uploader, 50));
    g_assert_false(upload_bench_has(bench, "tp1-audio/0-0.tape"));
    g_assert_false(upload_bench_has(bench, "manifest/1.note"));
    g_assert_cmpuint(upload_bench_count_waiting(bench), ==, 4);
    flaky_store_fail(bench->store, 0, 0, false);
    g_assert_true(uploader_drain(uploader, 20000));
    uploader_free(uploader);

    check_content(bench, KEYS, "sealed keys");
    g_assert_cmpuint(upload_bench_count_waiting(bench), ==, 0);
}

static void
test_survives_a_restart(void)
{
    g_autoptr(UploadBench) bench = upload_bench_new();

    begin(bench, 2);
    upload_bench_restart_spool(bench);
    upload_bench_restart_spool(bench);
    upload_bench_upload(bench);

    check_content(bench, KEYS, "sealed keys");
    g_assert_cmpuint(upload_bench_count_waiting(bench), ==, 0);
}

/* The answer to the put was lost, and so was the process: the same bytes go again. */
static void
test_putting_twice_is_once(void)
{
    g_autoptr(UploadBench) bench = upload_bench_new();
    Uploader *uploader = NULL;

    begin(bench, 1);
    flaky_store_aim(bench->store, KEYS);
    flaky_store_fail(bench->store, 1, STORAGE_ERROR_TRANSIENT, true);
    uploader = upload_bench_start(bench);
    (void) uploader_drain(uploader, 30);
    uploader_free(uploader);
    upload_bench_restart_spool(bench);
    flaky_store_fail(bench->store, 0, 0, false);
    upload_bench_upload(bench);

    g_assert_cmpint(g_atomic_int_get(&bench->n_parked), ==, 0);
    check_content(bench, KEYS, "sealed keys");
}

static void
test_foreign_envelope_parks_the_session(void)
{
    g_autoptr(UploadBench) bench = upload_bench_new();
    g_autoptr(GBytes) foreign = g_bytes_new_static("not ours", 8);
    Uploader *uploader = NULL;

    g_assert_true(object_store_put(bench->store, "clinic-a/visit-1/" KEYS, foreign, NULL));
    begin(bench, 3);
    uploader = upload_bench_start(bench);
    g_assert_false(uploader_drain(uploader, 50));
    uploader_free(uploader);

    g_assert_cmpint(g_atomic_int_get(&bench->n_parked), ==, 1);
    check_content(bench, KEYS, "not ours");
    g_assert_false(upload_bench_has(bench, "tp1-audio/0-0.tape"));
    g_assert_cmpuint(upload_bench_count_waiting(bench), ==, 3);
}

static void
test_newest_metadata_stays(void)
{
    g_autoptr(UploadBench) bench = upload_bench_new();

    begin(bench, 1);
    keep(bench, "meta.age", "one person", false);
    keep(bench, "meta.age", "two people", true);
    spool_fixture_commit(bench->spool);
    upload_bench_restart_spool(bench);
    upload_bench_upload(bench);
    check_content(bench, "meta.age", "two people");

    g_assert_cmpuint(upload_bench_count_waiting(bench), ==, 0);
}

static void
test_later_metadata_replaces(void)
{
    g_autoptr(UploadBench) bench = upload_bench_new();

    begin(bench, 1);
    keep(bench, "meta.age", "one person", false);
    spool_fixture_commit(bench->spool);
    upload_bench_upload(bench);
    check_content(bench, "meta.age", "one person");
    keep(bench, "meta.age", "two people", true);
    spool_fixture_commit(bench->spool);
    upload_bench_upload(bench);

    check_content(bench, "meta.age", "two people");
}

static void
test_odd_objects_are_refused(void)
{
    static const LedgerObject odd[] = {
        {"../env/1.age", (const uint8_t *) "x", 1, false},
        {"",             (const uint8_t *) "x", 1, false},
        {"env/1.age",    (const uint8_t *) "",  0, false},
    };
    g_autoptr(UploadBench) bench = upload_bench_new();

    upload_bench_record(bench, one_track, 0);
    for (size_t i = 0; i < G_N_ELEMENTS(odd); i++) {
        g_autoptr(GError) error = NULL;

        g_assert_false(spool_add_object(bench->spool, "visit-1", &odd[i], &error));
        g_assert_error(error, STORAGE_ERROR, STORAGE_ERROR_CORRUPT);
    }
}

static void
test_older_program_refuses_the_folder(void)
{
    g_autoptr(UploadBench) bench = upload_bench_new();
    g_autofree char *path = g_build_filename(bench->fixture->spool_path, "format", NULL);
    g_autofree char *format = NULL;
    g_autoptr(GError) error = NULL;

    g_assert_true(g_file_get_contents(path, &format, NULL, NULL));
    g_assert_cmpstr(format, ==, "2\n");
    spool_free(g_steal_pointer(&bench->spool));
    g_assert_true(g_file_set_contents(path, "3\n", -1, NULL));
    g_assert_null(spool_open(bench->fixture->spool_path, NULL, &error));
    g_assert_error(error, STORAGE_ERROR, STORAGE_ERROR_CONFLICT);
    g_assert_nonnull(strstr(error->message, "newer version"));
    /* A folder of the first version says nothing, and is read. */
    g_assert_cmpint(g_unlink(path), ==, 0);
    bench->spool = spool_fixture_open(bench->fixture, 0);
}

int
main(int argc, char **argv)
{
    int status = 0;

    g_test_init(&argc, &argv, NULL);
    g_assert_true(crypto_start(NULL));
    g_test_add_func("/upload-ahead/no-media-before-the-envelope",
                    test_no_media_before_the_envelope);
    g_test_add_func("/upload-ahead/survives-a-restart", test_survives_a_restart);
    g_test_add_func("/upload-ahead/putting-twice-is-once", test_putting_twice_is_once);
    g_test_add_func("/upload-ahead/foreign-envelope-parks-the-session",
                    test_foreign_envelope_parks_the_session);
    g_test_add_func("/upload-ahead/newest-metadata-stays", test_newest_metadata_stays);
    g_test_add_func("/upload-ahead/later-metadata-replaces", test_later_metadata_replaces);
    g_test_add_func("/upload-ahead/odd-objects-are-refused", test_odd_objects_are_refused);
    g_test_add_func("/upload-ahead/older-program-refuses-the-folder",
                    test_older_program_refuses_the_folder);
    status = g_test_run();
    visit_keys_free();
    return status;
}
