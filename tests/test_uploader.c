#include "crypto/crypto_error.h"
#include "storage/storage_error.h"
#include "tests/fakes/upload_bench.h"
#include "tests/fakes/visit_keys.h"

#include <string.h>

static const char *const two_tracks[] = {"p1-audio", "p1-video", NULL};
static const char *const one_track[] = {"p1-audio", NULL};

static void
test_stores_a_closed_session(void)
{
    g_autoptr(UploadBench) bench = upload_bench_new();

    upload_bench_record(bench, two_tracks, 5);
    upload_bench_close(bench, two_tracks, 5);
    upload_bench_upload(bench);

    g_assert_cmpint(g_atomic_int_get(&bench->n_stored), ==, 1);
    g_assert_cmpint(bench->end, ==, SESSION_CLOSED);
    g_assert_true(upload_bench_has(bench, "tp1-audio/0-0.tape"));
    g_assert_true(upload_bench_has(bench, "tp1-video/0-3.tape"));
    g_assert_cmpuint(upload_bench_count_waiting(bench), ==, 0);
    g_assert_cmpuint(upload_bench_verify(bench), ==, 10);
}

static void
test_first_part_comes_with_the_session(void)
{
    g_autoptr(UploadBench) bench = upload_bench_new();

    upload_bench_record(bench, one_track, 0);
    upload_bench_upload(bench);

    g_assert_true(upload_bench_has(bench, "manifest/1.note"));
    g_assert_cmpint(g_atomic_int_get(&bench->n_stored), ==, 0);
}

static void
test_unfinished_object_waits(void)
{
    g_autoptr(UploadBench) bench = upload_bench_new();

    upload_bench_record(bench, one_track, 5);
    upload_bench_upload(bench);

    g_assert_true(upload_bench_has(bench, "tp1-audio/0-0.tape"));
    g_assert_false(upload_bench_has(bench, "tp1-audio/0-3.tape"));
    g_assert_cmpuint(upload_bench_count_waiting(bench), ==, 2);
    upload_bench_close(bench, one_track, 5);
    upload_bench_upload(bench);
    g_assert_true(upload_bench_has(bench, "tp1-audio/0-3.tape"));
    g_assert_cmpuint(upload_bench_verify(bench), ==, 5);
}

static void
test_keeps_segments_until_stored(void)
{
    g_autoptr(UploadBench) bench = upload_bench_new();
    Uploader *uploader = NULL;

    upload_bench_record(bench, one_track, 3);
    upload_bench_close(bench, one_track, 3);
    flaky_store_fail(bench->store, 1000000, STORAGE_ERROR_TRANSIENT, false);
    uploader = upload_bench_start(bench);
    g_assert_false(uploader_drain(uploader, 50));
    g_assert_cmpuint(upload_bench_count_waiting(bench), ==, 3);
    g_assert_cmpint(g_atomic_int_get(&bench->n_troubles), >, 0);
    g_assert_cmpint(g_atomic_int_get(&bench->n_parked), ==, 0);
    flaky_store_fail(bench->store, 0, 0, false);
    g_assert_true(uploader_drain(uploader, 20000));
    uploader_free(uploader);

    g_assert_cmpuint(upload_bench_count_waiting(bench), ==, 0);
    g_assert_cmpuint(upload_bench_verify(bench), ==, 3);
}

static void
test_keeps_segments_until_listed(void)
{
    g_autoptr(UploadBench) bench = upload_bench_new();
    Uploader *uploader = NULL;

    upload_bench_record(bench, one_track, 3);
    upload_bench_close(bench, one_track, 3);
    flaky_store_aim(bench->store, ".note");
    flaky_store_fail(bench->store, 1000000, STORAGE_ERROR_TRANSIENT, false);
    uploader = upload_bench_start(bench);
    g_assert_false(uploader_drain(uploader, 50));
    uploader_free(uploader);

    g_assert_true(upload_bench_has(bench, "tp1-audio/0-0.tape"));
    g_assert_cmpuint(upload_bench_count_waiting(bench), ==, 3);
    g_assert_cmpint(g_atomic_int_get(&bench->n_stored), ==, 0);
}

/* Stops at each put in turn, with and without the object having arrived, and starts again from the
 * disk. */
static void
test_goes_on_after_each_step(void)
{
    static const char *const steps[] = {"0-0.tape", "0-3.tape", "1.note", "2.note", "3.note"};
    /* With an eye on each access a step takes seconds. */
    const size_t stride = g_getenv("SEALTAPE_TEST_THREADS") != NULL ? 3 : 1;

    for (size_t i = 0; i < 2 * G_N_ELEMENTS(steps); i += stride) {
        g_autoptr(UploadBench) bench = upload_bench_new();
        Uploader *uploader = NULL;

        flaky_store_aim(bench->store, steps[i / 2]);
        flaky_store_fail(bench->store, 1000000, STORAGE_ERROR_TRANSIENT, i % 2 == 1);
        upload_bench_record(bench, one_track, 4);
        uploader = upload_bench_start(bench);
        (void) uploader_drain(uploader, 30);
        upload_bench_close(bench, one_track, 4);
        (void) uploader_drain(uploader, 30);
        uploader_free(uploader);
        upload_bench_restart_spool(bench);
        flaky_store_fail(bench->store, 0, 0, false);
        upload_bench_upload(bench);

        g_assert_cmpuint(upload_bench_count_waiting(bench), ==, 0);
        g_assert_cmpuint(upload_bench_verify(bench), ==, 4);
    }
}

static void
test_conflict_parks_the_session(void)
{
    g_autoptr(UploadBench) bench = upload_bench_new();
    g_autoptr(GBytes) planted = g_bytes_new_static("planted", 7);
    Uploader *uploader = NULL;
    UploaderStatus status;

    g_assert_true(
        object_store_put(bench->store, "clinic-a/visit-1/tp1-audio/0-0.tape", planted, NULL));
    upload_bench_record(bench, one_track, 3);
    upload_bench_close(bench, one_track, 3);
    uploader = upload_bench_start(bench);
    g_assert_false(uploader_drain(uploader, 20000));
    uploader_status(uploader, &status);
    uploader_free(uploader);

    g_assert_true(status.is_parked);
    g_assert_cmpuint(status.n_failures_by[STORAGE_ERROR_CONFLICT], ==, 1);
    /* The session began at 1000 s; the first segment, of one second, waits since its end. */
    g_assert_cmpint(status.oldest_unix_us, ==, INT64_C(1001000000));
    g_assert_cmpint(g_atomic_int_get(&bench->n_parked), ==, 1);
    g_assert_cmpuint(upload_bench_count_waiting(bench), ==, 3);
    g_assert_true(g_bytes_equal(
        g_hash_table_lookup(bench->objects, "clinic-a/visit-1/tp1-audio/0-0.tape"), planted));
}

static void
test_parked_session_does_not_block_others(void)
{
    g_autoptr(UploadBench) bench = upload_bench_new();
    g_autoptr(GBytes) planted = g_bytes_new_static("planted", 7);
    Uploader *uploader = NULL;

    g_assert_true(
        object_store_put(bench->store, "clinic-a/visit-1/tp1-audio/0-0.tape", planted, NULL));
    upload_bench_record(bench, one_track, 3);
    upload_bench_close(bench, one_track, 3);
    spool_fixture_begin(bench->spool, "visit-2", one_track);
    spool_fixture_add(bench->spool, "visit-2", "p1-audio", 0);
    spool_fixture_close(bench->spool, "visit-2", one_track, 1000000);
    spool_fixture_commit(bench->spool);
    uploader = upload_bench_start(bench);
    (void) uploader_drain(uploader, 20000);
    uploader_free(uploader);

    g_assert_cmpint(g_atomic_int_get(&bench->n_stored), ==, 1);
    g_assert_true(g_hash_table_contains(bench->objects, "clinic-a/visit-2/tp1-audio/0-0.tape"));
}

/* A segment that the local disk no longer has as it was must not be stored as good. */
static void
test_corrupt_segment_becomes_a_gap(void)
{
    g_autoptr(UploadBench) bench = upload_bench_new();
    g_autofree char *name = NULL;
    g_autoptr(GBytes) log = NULL;
    g_autofree uint8_t *bytes = NULL;
    gsize n_bytes = 0;
    uint8_t *hit = NULL;
    guint n_segments = 0;
    SpoolStatus status;

    upload_bench_record(bench, one_track, 3);
    upload_bench_close(bench, one_track, 3);
    log = spool_fixture_read_log(bench->fixture, &name);
    upload_bench_restart_spool(
        bench); /* from now on that is an older log, and its segments are not read at start */
    spool_free(bench->spool);
    bytes = g_memdup2(g_bytes_get_data(log, &n_bytes), g_bytes_get_size(log));
    hit = memmem(bytes, n_bytes, "sealed bytes of segment 1", 25);
    *hit ^= 1;
    spool_fixture_write_log(bench->fixture, name, bytes, n_bytes);
    bench->spool = spool_fixture_open(bench->fixture, 0);
    upload_bench_upload(bench);
    spool_status(bench->spool, &status);
    n_segments = upload_bench_verify(bench);

    g_assert_cmpuint(n_segments, ==, 2);
    g_assert_cmpuint(status.n_quarantined, ==, 1);
    g_assert_cmpint(g_atomic_int_get(&bench->n_stored), ==, 1);
}

static void
test_interrupted_session_is_stored_as_such(void)
{
    g_autoptr(UploadBench) bench = upload_bench_new();

    upload_bench_record(bench, two_tracks, 4);
    spool_heartbeat(bench->spool, INT64_C(1000000000) + 6000000);
    upload_bench_restart_spool(bench);
    upload_bench_upload(bench);

    g_assert_cmpint(bench->end, ==, SESSION_INTERRUPTED);
    g_assert_cmpuint(upload_bench_verify(bench), ==, 8);
}

/* Batches and local flushes of one look are the same for one track and for a hundred. */
static void
test_cost_does_not_grow_with_tracks(void)
{
    unsigned n_batches[2] = {0};
    uint64_t n_commits[2] = {0};

    for (int i = 0; i < 2; i++) {
        g_autoptr(UploadBench) bench = upload_bench_new();
        g_autoptr(GPtrArray) tracks = g_ptr_array_new_with_free_func(g_free);
        const int n_tracks = i == 0 ? 1 : 100;
        const unsigned before = flaky_store_n_batches(bench->store);
        SpoolStatus status;

        for (int track = 0; track < n_tracks; track++)
            g_ptr_array_add(tracks, g_strdup_printf("track-%d", track));
        g_ptr_array_add(tracks, NULL);
        upload_bench_record(bench, (const char *const *) tracks->pdata, 3);
        upload_bench_close(bench, (const char *const *) tracks->pdata, 3);
        spool_status(bench->spool, &status);
        n_commits[i] = status.n_commits;
        upload_bench_upload(bench);
        spool_status(bench->spool, &status);
        n_commits[i] = status.n_commits - n_commits[i];
        n_batches[i] = flaky_store_n_batches(bench->store) - before;
        g_assert_cmpuint(upload_bench_verify(bench), ==, 3 * n_tracks);
    }
    g_assert_cmpuint(n_batches[0], ==, 2);
    g_assert_cmpuint(n_batches[1], ==, 2);
    g_assert_cmpuint(n_commits[0], ==, n_commits[1]);
}

int
main(int argc, char **argv)
{
    GError *error = NULL;
    int result = 0;

    g_test_init(&argc, &argv, NULL);
    g_assert_true(crypto_start(&error));
    g_test_add_func("/uploader/stores-a-closed-session", test_stores_a_closed_session);
    g_test_add_func("/uploader/first-part-comes-with-the-session",
                    test_first_part_comes_with_the_session);
    g_test_add_func("/uploader/unfinished-object-waits", test_unfinished_object_waits);
    g_test_add_func("/uploader/keeps-segments-until-stored", test_keeps_segments_until_stored);
    g_test_add_func("/uploader/keeps-segments-until-listed", test_keeps_segments_until_listed);
    g_test_add_func("/uploader/goes-on-after-each-step", test_goes_on_after_each_step);
    g_test_add_func("/uploader/conflict-parks-the-session", test_conflict_parks_the_session);
    g_test_add_func("/uploader/parked-session-does-not-block-others",
                    test_parked_session_does_not_block_others);
    g_test_add_func("/uploader/corrupt-segment-becomes-a-gap", test_corrupt_segment_becomes_a_gap);
    g_test_add_func("/uploader/interrupted-session-is-stored-as-such",
                    test_interrupted_session_is_stored_as_such);
    g_test_add_func("/uploader/cost-does-not-grow-with-tracks",
                    test_cost_does_not_grow_with_tracks);
    result = g_test_run();
    visit_keys_free();
    return result;
}
