#include "storage/spool_outbox.h"
#include "storage/storage_error.h"
#include "tests/fakes/spool_fixture.h"

#include <glib/gstdio.h>
#include <string.h>

static const char *const one_track[] = {"p1-audio", NULL};

static guint
count_items(Spool *spool, SpoolRecordType type)
{
    g_autoptr(GPtrArray) sessions = spool_outbox_view(spool);
    guint n = 0;

    for (guint i = 0; i < sessions->len; i++) {
        const OutboxSession *session = g_ptr_array_index(sessions, i);

        for (guint j = 0; j < session->items->len; j++)
            n += ((const SpoolItem *) g_ptr_array_index(session->items, j))->record.type == type;
    }
    return n;
}

/* Every segment that the spool shows must read back as it was added. */
static void
assert_segments_are_genuine(Spool *spool)
{
    g_autoptr(GPtrArray) sessions = spool_outbox_view(spool);

    for (guint i = 0; i < sessions->len; i++) {
        const OutboxSession *session = g_ptr_array_index(sessions, i);

        for (guint j = 0; j < session->items->len; j++) {
            const SpoolItem *item = g_ptr_array_index(session->items, j);
            g_autoptr(SealedSegment) expected = NULL;
            g_autoptr(GBytes) sealed = NULL;
            GError *error = NULL;

            if (item->record.type != SPOOL_RECORD_SEGMENT)
                continue;
            sealed = spool_fixture_read(spool, item, &error);
            g_assert_no_error(error);
            expected = spool_fixture_segment(session->id, item->record.segment.track,
                                             item->record.segment.index);
            g_assert_true(g_bytes_equal(sealed, expected->sealed));
        }
    }
}

static void
test_committed_survives(void)
{
    g_autoptr(SpoolFixture) fixture = spool_fixture_new();
    g_autoptr(Spool) spool = spool_fixture_open(fixture, 0);

    spool_fixture_begin(spool, "visit-1", one_track);
    for (uint32_t i = 0; i < 5; i++)
        spool_fixture_add(spool, "visit-1", "p1-audio", i);
    spool_fixture_commit(spool);
    g_clear_pointer(&spool, spool_free);
    spool = spool_fixture_open(fixture, 0);

    g_assert_cmpuint(count_items(spool, SPOOL_RECORD_SEGMENT), ==, 5);
    g_assert_cmpuint(count_items(spool, SPOOL_RECORD_TRACK), ==, 1);
    g_assert_cmpuint(count_items(spool, SPOOL_RECORD_POLICY), ==, 1);
    assert_segments_are_genuine(spool);
}

static void
test_shows_only_what_is_durable(void)
{
    g_autoptr(SpoolFixture) fixture = spool_fixture_new();
    g_autoptr(Spool) spool = spool_fixture_open(fixture, 0);
    g_autoptr(GPtrArray) sessions = NULL;

    spool_fixture_begin(spool, "visit-1", one_track);
    spool_fixture_add(spool, "visit-1", "p1-audio", 0);
    sessions = spool_outbox_view(spool);
    g_assert_cmpuint(sessions->len, ==, 0);

    spool_fixture_commit(spool);
    spool_fixture_add(spool, "visit-1", "p1-audio", 1);
    g_assert_cmpuint(count_items(spool, SPOOL_RECORD_SEGMENT), ==, 1);
    spool_fixture_close(spool, "visit-1", one_track, 2000000);
    g_clear_pointer(&sessions, g_ptr_array_unref);
    sessions = spool_outbox_view(spool);
    g_assert_cmpint(((const OutboxSession *) g_ptr_array_index(sessions, 0))->state, ==,
                    SESSION_OPEN);
}

static guint
count_logs(const SpoolFixture *fixture)
{
    g_autoptr(GDir) entries = g_dir_open(fixture->spool_path, 0, NULL);
    guint n = 0;

    for (const char *name = g_dir_read_name(entries); name != NULL;
         name = g_dir_read_name(entries)) {
        n += g_str_has_suffix(name, ".log");
    }
    return n;
}

/* Says that all items of the first session are in a part, and that the part is stored. */
static void
release_everything(Spool *spool)
{
    g_autoptr(GPtrArray) sessions = spool_outbox_view(spool);
    const OutboxSession *session = g_ptr_array_index(sessions, 0);
    g_autoptr(GByteArray) listed = g_byte_array_new();
    g_autoptr(SpoolItem) part = NULL;
    SpoolPart row = {.note = "note", .number = session->n_parts + 1, .state = session->state};
    GError *error = NULL;

    for (guint i = 0; i < session->items->len; i++) {
        spool_body_put_number(
            listed, ((const SpoolItem *) g_ptr_array_index(session->items, i))->record.number);
    }
    row.items = (SpoolList){.bytes = listed->data, .n_numbers = listed->len / 8};
    part = spool_outbox_add_part(spool, session->id, &row, &error);
    g_assert_no_error(error);
    spool_fixture_commit(spool);
    g_assert_true(spool_outbox_release(spool, session->id, row.number, &error));
    g_assert_no_error(error);
}

static void
test_second_opener_is_refused(void)
{
    g_autoptr(SpoolFixture) fixture = spool_fixture_new();
    g_autoptr(Spool) spool = spool_fixture_open(fixture, 0);
    const SpoolOptions options = {0};
    g_autoptr(GError) error = NULL;

    g_assert_null(spool_open(fixture->spool_path, &options, &error));
    g_assert_error(error, STORAGE_ERROR, STORAGE_ERROR_BUSY);
}

static void
test_missing_folder_is_named(void)
{
    const SpoolOptions options = {0};
    g_autoptr(GError) error = NULL;

    g_assert_null(spool_open("/nonexistent/spool", &options, &error));
    g_assert_error(error, STORAGE_ERROR, STORAGE_ERROR_NOT_FOUND);
    g_assert_nonnull(strstr(error->message, "/nonexistent/spool"));
}

/* Finds the only gap with this reason. */
static LedgerGap
find_gap(const OutboxSession *session, const char *reason, guint *n_found)
{
    LedgerGap found = {0};

    *n_found = 0;
    for (guint i = 0; i < session->items->len; i++) {
        const SpoolRecord *record =
            &((const SpoolItem *) g_ptr_array_index(session->items, i))->record;

        if (record->type != SPOOL_RECORD_GAP || strcmp(record->gap.reason, reason) != 0)
            continue;
        found = record->gap;
        (*n_found)++;
    }
    return found;
}

static void
test_open_session_becomes_interrupted(void)
{
    g_autoptr(SpoolFixture) fixture = spool_fixture_new();
    Spool *spool = spool_fixture_open(fixture, 0);

    spool_fixture_begin(spool, "visit-1", one_track);
    spool_fixture_add(spool, "visit-1", "p1-audio", 0);
    spool_fixture_add(spool, "visit-1", "p1-audio", 1);
    spool_fixture_commit(spool);
    spool_heartbeat(spool, INT64_C(1000000000) + 7500000);
    spool_free(spool);
    /* Twice: being killed after recovery must not make it worse. */
    for (int i = 0; i < 2; i++) {
        g_autoptr(GPtrArray) sessions = NULL;
        const OutboxSession *session = NULL;
        LedgerGap gap = {0};
        guint n_gaps = 0;
        SpoolStatus status;

        spool = spool_fixture_open(fixture, 0);
        sessions = spool_outbox_view(spool);
        session = g_ptr_array_index(sessions, 0);
        gap = find_gap(session, "interrupted", &n_gaps);
        g_assert_cmpint(session->state, ==, SESSION_INTERRUPTED);
        g_assert_cmpuint(n_gaps, ==, 1);
        g_assert_cmpint(gap.start_us, ==, 2000000);
        g_assert_cmpint(gap.duration_us, ==, 5500000 + SPOOL_HEARTBEAT_US);
        g_assert_cmpint(((const SpoolTrack *) g_ptr_array_index(session->tracks, 0))->until_us, ==,
                        7500000 + SPOOL_HEARTBEAT_US);
        spool_status(spool, &status);
        g_assert_cmpuint(status.n_recovered, ==, i == 0 ? 1 : 0);
        g_assert_cmpuint(status.n_quarantined, ==, 0);
        spool_free(spool);
    }
}

static void
test_closed_session_stays_closed(void)
{
    g_autoptr(SpoolFixture) fixture = spool_fixture_new();
    g_autoptr(Spool) spool = spool_fixture_open(fixture, 0);
    g_autoptr(GPtrArray) sessions = NULL;
    const OutboxSession *session = NULL;

    spool_fixture_begin(spool, "visit-1", one_track);
    spool_fixture_add(spool, "visit-1", "p1-audio", 0);
    spool_fixture_close(spool, "visit-1", one_track, 1000000);
    spool_fixture_commit(spool);
    g_clear_pointer(&spool, spool_free);
    spool = spool_fixture_open(fixture, 0);
    sessions = spool_outbox_view(spool);
    session = g_ptr_array_index(sessions, 0);

    g_assert_cmpint(session->state, ==, SESSION_CLOSED);
    g_assert_cmpint(((const SpoolTrack *) g_ptr_array_index(session->tracks, 0))->until_us, ==,
                    1000000);
    g_assert_cmpuint(count_items(spool, SPOOL_RECORD_GAP), ==, 0);
}

static void
test_long_logs_give_way(void)
{
    g_autoptr(SpoolFixture) fixture = spool_fixture_new();
    g_autoptr(Spool) spool = spool_fixture_open(fixture, 4096);

    spool_fixture_begin(spool, "visit-1", one_track);
    for (uint32_t i = 0; i < 200; i++) {
        spool_fixture_add(spool, "visit-1", "p1-audio", i);
        spool_fixture_commit(spool);
    }
    g_assert_cmpuint(count_logs(fixture), >, 2);
    g_assert_cmpuint(count_items(spool, SPOOL_RECORD_SEGMENT), ==, 200);
    assert_segments_are_genuine(spool);
    g_clear_pointer(&spool, spool_free);
    spool = spool_fixture_open(fixture, 4096);

    g_assert_cmpuint(count_items(spool, SPOOL_RECORD_SEGMENT), ==, 200);
    assert_segments_are_genuine(spool);
}

static void
test_released_logs_are_deleted(void)
{
    g_autoptr(SpoolFixture) fixture = spool_fixture_new();
    g_autoptr(Spool) spool = spool_fixture_open(fixture, 4096);
    SpoolStatus status;

    spool_fixture_begin(spool, "visit-1", one_track);
    for (uint32_t i = 0; i < 100; i++) {
        spool_fixture_add(spool, "visit-1", "p1-audio", i);
        spool_fixture_commit(spool);
    }
    release_everything(spool);
    g_assert_cmpuint(count_items(spool, SPOOL_RECORD_SEGMENT), ==, 0);
    spool_fixture_add(spool, "visit-1", "p1-audio", 100);
    spool_fixture_commit(spool);

    g_assert_cmpuint(count_logs(fixture), <=, 2);
    spool_status(spool, &status);
    g_assert_cmpuint(status.n_segments, ==, 1);
    g_clear_pointer(&spool, spool_free);
    spool = spool_fixture_open(fixture, 4096);
    g_assert_cmpuint(count_items(spool, SPOOL_RECORD_SEGMENT), ==, 1);
    spool_status(spool, &status);
    g_assert_cmpuint(status.n_quarantined, ==, 0);
}

/* Until a new log's checkpoint is flushed, the old log is all there is. */
static void
test_old_log_stays_until_the_new_is_durable(void)
{
    g_autoptr(SpoolFixture) fixture = spool_fixture_new();
    g_autoptr(Spool) spool = spool_fixture_open(fixture, 4096);
    const SpoolPart row = {.note = "note", .number = 1};
    const LedgerGap gap = {"p1-audio", 0, 1, "loss"};
    g_autoptr(SpoolItem) part = NULL;

    spool_fixture_begin(spool, "visit-1", one_track);
    part = spool_outbox_add_part(spool, "visit-1", &row, NULL);
    g_assert_nonnull(part);
    while (count_logs(fixture) == 1) {
        g_assert_true(spool_add_gap(spool, "visit-1", &gap, NULL));
        spool_fixture_commit(spool);
    }
    g_assert_true(spool_outbox_release(spool, "visit-1", 1, NULL));
    g_assert_cmpuint(count_logs(fixture), ==, 2);
    spool_fixture_commit(spool);

    g_assert_cmpuint(count_logs(fixture), ==, 1);
}

static void
test_signed_part_waits_through_a_restart(void)
{
    g_autoptr(SpoolFixture) fixture = spool_fixture_new();
    g_autoptr(Spool) spool = spool_fixture_open(fixture, 0);
    g_autoptr(SpoolItem) part = NULL;
    const SpoolPart row = {.note = "a signed note\n", .number = 1};
    g_autoptr(GPtrArray) sessions = NULL;
    const OutboxSession *session = NULL;

    spool_fixture_begin(spool, "visit-1", one_track);
    part = spool_outbox_add_part(spool, "visit-1", &row, NULL);
    spool_fixture_commit(spool);
    g_clear_pointer(&spool, spool_free);
    spool = spool_fixture_open(fixture, 0);
    sessions = spool_outbox_view(spool);
    session = g_ptr_array_index(sessions, 0);

    g_assert_nonnull(session->part);
    g_assert_cmpstr(session->part->record.part.note, ==, "a signed note\n");
    g_assert_cmpuint(session->n_parts, ==, 1);
}

static void
test_stored_session_is_forgotten(void)
{
    g_autoptr(SpoolFixture) fixture = spool_fixture_new();
    g_autoptr(Spool) spool = spool_fixture_open(fixture, 0);
    g_autoptr(GPtrArray) sessions = NULL;

    spool_fixture_begin(spool, "visit-1", one_track);
    spool_fixture_add(spool, "visit-1", "p1-audio", 0);
    spool_fixture_close(spool, "visit-1", one_track, 1000000);
    spool_fixture_commit(spool);
    release_everything(spool);
    spool_fixture_commit(spool);
    g_clear_pointer(&spool, spool_free);
    spool = spool_fixture_open(fixture, 0);
    sessions = spool_outbox_view(spool);

    g_assert_cmpuint(sessions->len, ==, 0);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/spool/committed-survives", test_committed_survives);
    g_test_add_func("/spool/shows-only-what-is-durable", test_shows_only_what_is_durable);
    g_test_add_func("/spool/second-opener-is-refused", test_second_opener_is_refused);
    g_test_add_func("/spool/missing-folder-is-named", test_missing_folder_is_named);
    g_test_add_func("/spool/open-session-becomes-interrupted",
                    test_open_session_becomes_interrupted);
    g_test_add_func("/spool/closed-session-stays-closed", test_closed_session_stays_closed);
    g_test_add_func("/spool/long-logs-give-way", test_long_logs_give_way);
    g_test_add_func("/spool/released-logs-are-deleted", test_released_logs_are_deleted);
    g_test_add_func("/spool/old-log-stays-until-the-new-is-durable",
                    test_old_log_stays_until_the_new_is_durable);
    g_test_add_func("/spool/signed-part-waits-through-a-restart",
                    test_signed_part_waits_through_a_restart);
    g_test_add_func("/spool/stored-session-is-forgotten", test_stored_session_is_forgotten);
    return g_test_run();
}
