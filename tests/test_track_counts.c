#include "crypto/crypto_error.h"
#include "storage/recording.h"
#include "storage/spool_outbox.h"
#include "storage/storage_error.h"
#include "tests/fakes/upload_bench.h"
#include "tests/fakes/visit_keys.h"

#include <string.h>

/* The counts of a track on their way from its end through the spool into the manifest. */

static const char *const one_track[] = {"p1-audio", NULL};
static const char *const two_tracks[] = {"p1-audio", "p1-video", NULL};

static void
assert_counts(const TrackCounts *counts)
{
    const TrackCounts wanted = spool_fixture_counts();

    g_assert_cmpuint(counts->n_known, ==, N_TRACK_COUNTS);
    g_assert_cmpmem(counts->of, sizeof counts->of, wanted.of, sizeof wanted.of);
}

static void
test_expects_what_came_and_what_did_not(void)
{
    const TrackCounts counts = spool_fixture_counts();
    g_autoptr(GHashTable) names = g_hash_table_new(g_str_hash, g_str_equal);

    g_assert_cmpuint(track_counts_expected(&counts), ==, 800);
    for (TrackCount i = 0; i < N_TRACK_COUNTS; i++)
        g_assert_true(g_hash_table_add(names, (char *) track_counts_name(i)));
}

/* Each of the many sessions begins a new file sooner or later, so the ends are restated too. */
static void
test_survive_restarts_and_new_files(void)
{
    g_autoptr(SpoolFixture) fixture = spool_fixture_new();
    g_autoptr(Spool) spool = spool_fixture_open(fixture, 4096);
    g_autoptr(GPtrArray) sessions = NULL;

    for (unsigned i = 0; i < 20; i++) {
        g_autofree char *session = g_strdup_printf("visit-%u", i);

        spool_fixture_begin(spool, session, two_tracks);
        spool_fixture_add(spool, session, "p1-audio", 0);
        spool_fixture_close(spool, session, two_tracks, 1000000);
        spool_fixture_commit(spool);
    }
    for (unsigned i = 0; i < 2; i++) {
        g_clear_pointer(&spool, spool_free);
        spool = spool_fixture_open(fixture, 4096);
    }

    sessions = spool_outbox_view(spool);
    g_assert_cmpuint(sessions->len, ==, 20);
    for (guint i = 0; i < sessions->len; i++) {
        const OutboxSession *session = g_ptr_array_index(sessions, i);

        g_assert_cmpuint(session->tracks->len, ==, 2);
        assert_counts(&((const SpoolTrack *) g_ptr_array_index(session->tracks, 0))->counts);
        assert_counts(&((const SpoolTrack *) g_ptr_array_index(session->tracks, 1))->counts);
    }
}

static void
test_refuses_what_no_manifest_may_hold(void)
{
    g_autoptr(SpoolFixture) fixture = spool_fixture_new();
    g_autoptr(Spool) spool = spool_fixture_open(fixture, 0);
    g_autoptr(GArray) ends = g_array_new(false, false, sizeof(LedgerTrackEnd));
    g_autoptr(GError) error = NULL;
    LedgerTrackEnd end = {"p1-audio", 1000000, spool_fixture_counts()};

    end.counts.of[TRACK_COUNT_KERNEL_DROPPED] = TRACK_COUNT_MAX + 1;
    g_array_append_val(ends, end);
    spool_fixture_begin(spool, "visit-1", one_track);

    g_assert_false(spool_close_session(spool, "visit-1", ends, &error));
    g_assert_error(error, STORAGE_ERROR, STORAGE_ERROR_CORRUPT);
}

/* Returns: `record`'s frame and body, with only the first `n_body_bytes` of it. */
static GBytes *
shorten(GBytes *record, size_t n_body_bytes)
{
    gsize n_bytes = 0;
    const uint8_t *start = g_bytes_get_data(record, &n_bytes);
    g_autofree uint8_t *bytes = g_memdup2(start, n_bytes);
    const Digest body = digest_of(bytes + SPOOL_FRAME_BYTES, n_body_bytes);
    const uint32_t length = GUINT32_TO_LE((uint32_t) n_body_bytes);
    uint8_t parts[SPOOL_FRAME_BYTES];
    Digest digest;

    memcpy(bytes + 16, &length, sizeof length);
    memcpy(parts, bytes, SPOOL_FRAME_BYTES - 32);
    memcpy(parts + SPOOL_FRAME_BYTES - 32, body.bytes, 32);
    digest = digest_of(parts, sizeof parts);
    memcpy(bytes + SPOOL_FRAME_BYTES - 32, digest.bytes, 32);
    return g_bytes_new(bytes, SPOOL_FRAME_BYTES + n_body_bytes);
}

/* A spool of the time before there were counts, or as many, is read; one with some of them is not.
 */
static void
check_record(const SpoolRecord *record, const TrackCounts *(*counts_of)(const SpoolItem *item))
{
    g_autoptr(GBytes) whole = spool_record_encode(record);
    const size_t n_body_bytes = g_bytes_get_size(whole) - SPOOL_FRAME_BYTES;
    const size_t n_before = n_body_bytes - sizeof record->track_end.counts.of;

    const size_t n_basic = n_before + TRACK_COUNTS_BASIC * sizeof(uint64_t);
    const size_t n_second = n_before + TRACK_COUNTS_SECOND * sizeof(uint64_t);

    for (size_t n = n_before; n <= n_body_bytes; n++) {
        g_autoptr(GBytes) cut = shorten(whole, n);
        SpoolItem *item = spool_item_new(g_bytes_ref(cut));

        g_assert_cmpint(item != NULL, ==,
                        n == n_before || n == n_basic || n == n_second || n == n_body_bytes);
        if (item == NULL)
            continue;
        if (n == n_body_bytes)
            assert_counts(counts_of(item));
        g_assert_cmpuint(counts_of(item)->n_known, ==, (n - n_before) / sizeof(uint64_t));
        spool_item_unref(item);
    }
}

static const TrackCounts *
counts_of_end(const SpoolItem *item)
{
    return &item->record.track_end.counts;
}

static const TrackCounts *
counts_of_state(const SpoolItem *item)
{
    return &item->record.track_state.counts;
}

static void
test_reads_records_without_them(void)
{
    const SpoolRecord end = {
        .type = SPOOL_RECORD_TRACK_END,
        .number = 7,
        .session = "visit-1",
        .track_end = {"p1-audio", 1000000, spool_fixture_counts()},
    };
    const SpoolRecord state = {
        .type = SPOOL_RECORD_TRACK_STATE,
        .session = "visit-1",
        .track_state = {.track = "p1-audio", .counts = spool_fixture_counts()},
    };

    check_record(&end, counts_of_end);
    check_record(&state, counts_of_state);
}

static Recording *
open_recording(UploadBench *bench)
{
    g_autoptr(GError) error = NULL;
    Recording *recording =
        recording_open(bench->store, "clinic-a", "visit-1", visit_keys_trust(), &error);

    g_assert_no_error(error);
    return recording;
}

static void
test_stand_in_the_last_part(void)
{
    g_autoptr(UploadBench) bench = upload_bench_new();
    g_autoptr(Recording) recording = NULL;
    const ManifestPart *manifest = NULL;

    upload_bench_record(bench, two_tracks, 3);
    upload_bench_upload(bench);
    upload_bench_close(bench, two_tracks, 3);
    upload_bench_upload(bench);
    (void) upload_bench_verify(bench);
    recording = open_recording(bench);
    manifest = recording_manifest(recording);

    g_assert_cmpuint(manifest->counts->len, ==, 2);
    for (guint i = 0; i < manifest->counts->len; i++) {
        const ManifestCount *row = g_ptr_array_index(manifest->counts, i);

        g_assert_cmpstr(row->track, ==, two_tracks[i]);
        assert_counts(&row->counts);
    }
}

static void
test_are_not_there_after_an_interruption(void)
{
    g_autoptr(UploadBench) bench = upload_bench_new();
    g_autoptr(Recording) recording = NULL;

    upload_bench_record(bench, one_track, 3);
    upload_bench_restart_spool(bench);
    upload_bench_upload(bench);
    (void) upload_bench_verify(bench);
    recording = open_recording(bench);

    g_assert_cmpint(recording_manifest(recording)->state, ==, SESSION_INTERRUPTED);
    g_assert_cmpuint(recording_manifest(recording)->counts->len, ==, 0);
}

int
main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;

    g_test_init(&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
    g_assert_true(crypto_start(&error));
    g_test_add_func("/track-counts/expects-what-came-and-what-did-not",
                    test_expects_what_came_and_what_did_not);
    g_test_add_func("/track-counts/survive-restarts-and-new-files",
                    test_survive_restarts_and_new_files);
    g_test_add_func("/track-counts/refuses-what-no-manifest-may-hold",
                    test_refuses_what_no_manifest_may_hold);
    g_test_add_func("/track-counts/reads-records-without-them", test_reads_records_without_them);
    g_test_add_func("/track-counts/stand-in-the-last-part", test_stand_in_the_last_part);
    g_test_add_func("/track-counts/are-not-there-after-an-interruption",
                    test_are_not_there_after_an_interruption);
    return g_test_run();
}
