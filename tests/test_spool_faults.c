#include "crypto/crypto_error.h"
#include "storage/recording.h"
#include "storage/spool_outbox.h"
#include "storage/storage_error.h"
#include "storage/uploader.h"
#include "tests/fakes/failing_calls.h"
#include "tests/fakes/spool_fixture.h"
#include "tests/fakes/visit_keys.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* System calls fail, or end the process, at every step: what was acknowledged is there after the
 * next start. */

static const char *const one_track[] = {"p1-audio", NULL};

static guint
count_genuine(const SpoolFixture *fixture)
{
    g_autoptr(Spool) spool = spool_fixture_open(fixture, 4096);
    g_autoptr(GPtrArray) sessions = spool_outbox_view(spool);
    guint n = 0;

    for (guint i = 0; i < sessions->len; i++) {
        const OutboxSession *session = g_ptr_array_index(sessions, i);

        for (guint j = 0; j < session->items->len; j++) {
            const SpoolItem *item = g_ptr_array_index(session->items, j);
            g_autoptr(GBytes) sealed = NULL;

            if (item->record.type != SPOOL_RECORD_SEGMENT)
                continue;
            sealed = spool_fixture_read(spool, item, NULL);
            n += sealed != NULL;
        }
    }
    return n;
}

static void
test_failed_flush_goes_to_a_new_log(void)
{
    g_autoptr(SpoolFixture) fixture = spool_fixture_new();
    Spool *spool = spool_fixture_open(fixture, 4096);

    spool_fixture_begin(spool, "visit-1", one_track);
    spool_fixture_add(spool, "visit-1", "p1-audio", 0);
    spool_fixture_commit(spool);
    spool_fixture_add(spool, "visit-1", "p1-audio", 1);
    failing_calls_arm(CALL_FDATASYNC, 1, 1, EIO);
    spool_fixture_commit(spool);
    /* The one that failed, and the one of the new log: never the same file twice. */
    g_assert_cmpuint(failing_calls_count(CALL_FDATASYNC), ==, 2);
    failing_calls_disarm();
    spool_free(spool);

    g_assert_cmpuint(count_genuine(fixture), ==, 2);
}

/* Returns: how many there were. */
static guint
remove_older_logs(const SpoolFixture *fixture)
{
    g_autofree char *newest = NULL;
    g_autoptr(GBytes) log = spool_fixture_read_log(fixture, &newest);
    g_autoptr(GDir) entries = g_dir_open(fixture->spool_path, 0, NULL);
    guint n = 0;

    for (const char *name = g_dir_read_name(entries); name != NULL;
         name = g_dir_read_name(entries)) {
        g_autofree char *path = g_build_filename(fixture->spool_path, name, NULL);

        if (g_str_has_suffix(name, ".log") && strcmp(name, newest) != 0)
            n += unlink(path) == 0;
    }
    return n;
}

/* A new log's name lives in the folder, which is flushed with the first flush of the log. */
static void
test_new_log_is_flushed_with_its_name(void)
{
    g_autoptr(SpoolFixture) fixture = spool_fixture_new();
    Spool *spool = NULL;

    failing_calls_disarm();
    spool = spool_fixture_open(fixture, 4096);
    /* That, and the file that names the format, with its own name. */
    g_assert_cmpuint(failing_calls_count(CALL_FSYNC), ==, 3);
    g_assert_cmpuint(failing_calls_count(CALL_FDATASYNC), ==, 1);
    spool_fixture_begin(spool, "visit-1", one_track);
    spool_fixture_commit(spool);
    g_assert_cmpuint(failing_calls_count(CALL_FSYNC), ==, 3);
    spool_free(spool);
}

static guint
count_logs(const SpoolFixture *fixture)
{
    g_autoptr(GDir) entries = g_dir_open(fixture->spool_path, 0, NULL);
    guint n = 0;

    for (const char *name = g_dir_read_name(entries); name != NULL; name = g_dir_read_name(entries))
        n += g_str_has_suffix(name, ".log");
    return n;
}

/* A disk that keeps nothing for long gets a new log with each try; they must not fill it up. */
static void
test_dead_logs_do_not_pile_up(void)
{
    g_autoptr(SpoolFixture) fixture = spool_fixture_new();
    Spool *spool = spool_fixture_open(fixture, 4096);
    SpoolStatus status;

    spool_fixture_begin(spool, "visit-1", one_track);
    spool_fixture_add(spool, "visit-1", "p1-audio", 0);
    spool_fixture_commit(spool);
    spool_fixture_add(spool, "visit-1", "p1-audio", 1);
    failing_calls_arm(CALL_FDATASYNC, 1, 1000, EIO);
    for (int i = 0; i < 10; i++) {
        g_autoptr(GError) error = NULL;

        g_assert_false(spool_commit(spool, &error));
        g_assert_error(error, STORAGE_ERROR, STORAGE_ERROR_IO);
    }
    g_assert_cmpuint(count_logs(fixture), <=, 3);
    spool_status(spool, &status);
    g_assert_cmpuint(status.n_dead_files, >=, 10);
    failing_calls_disarm();
    spool_fixture_commit(spool);
    spool_free(spool);

    g_assert_cmpuint(count_genuine(fixture), ==, 2);
}

static void
add_the_second(void *user_data)
{
    spool_fixture_add(user_data, "visit-1", "p1-audio", 1);
}

/* Appending goes on while a flush runs; what came meanwhile is not taken for flushed. */
static void
test_what_comes_during_a_flush_waits_for_the_next(void)
{
    g_autoptr(SpoolFixture) fixture = spool_fixture_new();
    Spool *spool = spool_fixture_open(fixture, 4096);

    spool_fixture_begin(spool, "visit-1", one_track);
    spool_fixture_add(spool, "visit-1", "p1-audio", 0);
    failing_calls_hook_flush(add_the_second, spool);
    spool_fixture_commit(spool);
    failing_calls_arm(CALL_FDATASYNC, 1, 1, EIO);
    spool_fixture_commit(spool);
    g_assert_cmpuint(failing_calls_count(CALL_FDATASYNC), ==, 2);
    failing_calls_disarm();
    spool_free(spool);

    /* The failed log may be lost with all that was not flushed in it: the newest must do without.
     */
    remove_older_logs(fixture);
    g_assert_cmpuint(count_genuine(fixture), ==, 1);
}

static void
test_disk_that_keeps_nothing_is_told(void)
{
    g_autoptr(SpoolFixture) fixture = spool_fixture_new();
    Spool *spool = spool_fixture_open(fixture, 4096);
    g_autoptr(GError) error = NULL;

    spool_fixture_begin(spool, "visit-1", one_track);
    spool_fixture_commit(spool);
    spool_fixture_add(spool, "visit-1", "p1-audio", 0);
    failing_calls_arm(CALL_FDATASYNC, 1, 1000, EIO);
    g_assert_false(spool_commit(spool, &error));
    g_assert_error(error, STORAGE_ERROR, STORAGE_ERROR_IO);
    /* What could not be kept is still in memory, for when the disk is back. */
    failing_calls_disarm();
    spool_fixture_commit(spool);
    spool_free(spool);

    g_assert_cmpuint(count_genuine(fixture), ==, 1);
}

static void
test_failed_write_goes_to_a_new_log(void)
{
    g_autoptr(SpoolFixture) fixture = spool_fixture_new();
    Spool *spool = spool_fixture_open(fixture, 4096);

    spool_fixture_begin(spool, "visit-1", one_track);
    failing_calls_arm(CALL_PWRITEV, 1, 1, EIO);
    spool_fixture_add(spool, "visit-1", "p1-audio", 0);
    failing_calls_disarm();
    spool_fixture_add(spool, "visit-1", "p1-audio", 1);
    spool_fixture_commit(spool);
    spool_free(spool);

    g_assert_cmpuint(count_genuine(fixture), ==, 2);
}

static void
test_short_writes_are_finished(void)
{
    g_autoptr(SpoolFixture) fixture = spool_fixture_new();
    Spool *spool = spool_fixture_open(fixture, 4096);

    failing_calls_shorten(7);
    spool_fixture_begin(spool, "visit-1", one_track);
    spool_fixture_add(spool, "visit-1", "p1-audio", 0);
    spool_fixture_commit(spool);
    failing_calls_disarm();
    spool_free(spool);

    g_assert_cmpuint(count_genuine(fixture), ==, 1);
}

/* Segments are refused when the disk is full; how the session ended still finds the room kept back
 * for it. */
static void
test_full_disk_leaves_room_to_end(void)
{
    g_autoptr(SpoolFixture) fixture = spool_fixture_new();
    Spool *spool = spool_fixture_open(fixture, 4096);
    g_autoptr(SealedSegment) segment = NULL;
    g_autoptr(GError) error = NULL;
    uint32_t n_added = 0;

    spool_fixture_begin(spool, "visit-1", one_track);
    failing_calls_arm(CALL_ALLOCATE, 1, 2, ENOSPC);
    while (error == NULL) {
        segment = spool_fixture_segment("visit-1", "p1-audio", n_added);
        n_added += spool_add_segment(spool, segment, &error);
        g_clear_pointer(&segment, sealed_segment_free);
    }
    g_assert_error(error, STORAGE_ERROR, STORAGE_ERROR_FULL);
    /* Fill what is left, so that the end does not fit by luck. */
    failing_calls_arm(CALL_ALLOCATE, 1, 1, ENOSPC);
    for (int i = 0; failing_calls_count(CALL_ALLOCATE) < 2; i++) {
        const LedgerGap gap = {"p1-audio", n_added * INT64_C(1000000) + i, 1, "overload"};

        g_assert_true(spool_add_gap(spool, "visit-1", &gap, NULL));
    }
    /* The room kept back is in use now: until there is such room again, no more segments. */
    g_clear_error(&error);
    failing_calls_arm(CALL_ALLOCATE, 1, 1, ENOSPC);
    segment = spool_fixture_segment("visit-1", "p1-audio", n_added);
    g_assert_false(spool_add_segment(spool, segment, &error));
    g_assert_error(error, STORAGE_ERROR, STORAGE_ERROR_FULL);
    g_assert_nonnull(strstr(error->message, "to end sessions"));
    failing_calls_disarm();
    spool_fixture_close(spool, "visit-1", one_track, n_added * INT64_C(1000000));
    spool_fixture_commit(spool);
    spool_free(spool);

    g_assert_cmpuint(count_genuine(fixture), ==, n_added);
}

/* Parts that were signed while the disk failed go out once, in order, when it is back. */
static void
test_parts_wait_for_the_disk(void)
{
    g_autoptr(SpoolFixture) fixture = spool_fixture_new();
    g_autoptr(Spool) spool = spool_fixture_open(fixture, 4096);
    g_autoptr(ObjectStore) store = spool_fixture_store(fixture);
    g_autoptr(Recording) recording = NULL;
    g_autoptr(GPtrArray) findings = NULL;
    const UploaderOptions options = {
        .spool = spool, .store = store, .signer = visit_keys_signer(), .interval_ms = 4};
    Uploader *uploader = NULL;

    visit_keys_put_envelope(store, "visit-1");
    spool_fixture_begin(spool, "visit-1", one_track);
    spool_fixture_add(spool, "visit-1", "p1-audio", 0);
    spool_fixture_close(spool, "visit-1", one_track, 1000000);
    spool_fixture_commit(spool);
    failing_calls_arm(CALL_FDATASYNC, 1, 1000000, EIO);
    uploader = uploader_new(&options);
    g_assert_false(uploader_drain(uploader, 30));
    failing_calls_disarm();
    g_assert_true(uploader_drain(uploader, 20000));
    uploader_free(uploader);
    recording = recording_open(store, "clinic-a", "visit-1", visit_keys_trust(), NULL);
    findings = recording_verify(recording, NULL, NULL);

    g_assert_cmpuint(findings->len, ==, 0);
    g_assert_cmpuint(recording_manifest(recording)->number, ==, 1);
}

int
main(int argc, char **argv)
{
    GError *error = NULL;
    int result = 0;

    g_assert_true(crypto_start(&error));
    g_test_init(&argc, &argv, NULL);
    (void) visit_keys_verifiers();
    g_test_add_func("/spool-faults/dead-logs-do-not-pile-up", test_dead_logs_do_not_pile_up);
    g_test_add_func("/spool-faults/failed-flush-goes-to-a-new-log",
                    test_failed_flush_goes_to_a_new_log);
    g_test_add_func("/spool-faults/new-log-is-flushed-with-its-name",
                    test_new_log_is_flushed_with_its_name);
    g_test_add_func("/spool-faults/what-comes-during-a-flush-waits-for-the-next",
                    test_what_comes_during_a_flush_waits_for_the_next);
    g_test_add_func("/spool-faults/disk-that-keeps-nothing-is-told",
                    test_disk_that_keeps_nothing_is_told);
    g_test_add_func("/spool-faults/failed-write-goes-to-a-new-log",
                    test_failed_write_goes_to_a_new_log);
    g_test_add_func("/spool-faults/short-writes-are-finished", test_short_writes_are_finished);
    g_test_add_func("/spool-faults/full-disk-leaves-room-to-end",
                    test_full_disk_leaves_room_to_end);
    g_test_add_func("/spool-faults/parts-wait-for-the-disk", test_parts_wait_for_the_disk);
    result = g_test_run();
    visit_keys_free();
    return result;
}
