#include "storage/spool_outbox.h"
#include "storage/storage_error.h"
#include "tests/fakes/spool_fixture.h"

/* What may be told to the spool, by how many, and how much. */

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

static void
test_commit_without_news_does_not_flush(void)
{
    g_autoptr(SpoolFixture) fixture = spool_fixture_new();
    g_autoptr(Spool) spool = spool_fixture_open(fixture, 0);
    SpoolStatus before;
    SpoolStatus after;

    spool_fixture_begin(spool, "visit-1", one_track);
    spool_fixture_commit(spool);
    spool_status(spool, &before);
    spool_fixture_commit(spool);
    spool_status(spool, &after);

    g_assert_cmpuint(after.n_commits, ==, before.n_commits);
}

static void
test_unknown_and_ended_sessions_are_refused(void)
{
    g_autoptr(SpoolFixture) fixture = spool_fixture_new();
    g_autoptr(Spool) spool = spool_fixture_open(fixture, 0);
    g_autoptr(SealedSegment) segment = spool_fixture_segment("visit-1", "p1-audio", 0);
    const LedgerSession again = {.org = "clinic-a", .session = "visit-1"};
    g_autoptr(GError) error = NULL;

    g_assert_false(spool_add_segment(spool, segment, &error));
    g_assert_error(error, STORAGE_ERROR, STORAGE_ERROR_NOT_FOUND);
    g_clear_error(&error);
    spool_fixture_begin(spool, "visit-1", one_track);
    g_assert_false(spool_add_session(spool, &again, &error));
    g_assert_error(error, STORAGE_ERROR, STORAGE_ERROR_CONFLICT);
    g_clear_error(&error);
    spool_fixture_close(spool, "visit-1", one_track, 0);
    g_assert_false(spool_add_segment(spool, segment, &error));
    g_assert_error(error, STORAGE_ERROR, STORAGE_ERROR_NOT_FOUND);
}

static void
test_values_that_no_manifest_may_hold_are_refused(void)
{
    static const LedgerGap gaps[] = {
        {"p1-audio", -1,        5,  "loss"     },
        {"p1-audio", 5,         -1, "loss"     },
        {"p1-audio", 5,         1,  ""         },
        {"p1-audio", 5,         1,  "two words"},
        {"p1-audio", 5,         1,  "Loss"     },
        {"p1-audio", INT64_MAX, 1,  "loss"     },
    };
    static const char *const policies[] = {
        "permit\n",
        "policy abc\n",
        "policy aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "policy aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa  ok\n",
        "policy aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa \303\244\n",
        "mark quarantined\n",
        "mark quarantined Withdrawn\n",
        "mark erase a reason\n",
    };
    g_autoptr(SpoolFixture) fixture = spool_fixture_new();
    g_autoptr(Spool) spool = spool_fixture_open(fixture, 0);

    spool_fixture_begin(spool, "visit-1", one_track);
    for (size_t i = 0; i < G_N_ELEMENTS(gaps); i++) {
        g_autoptr(GError) error = NULL;

        g_assert_false(spool_add_gap(spool, "visit-1", &gaps[i], &error));
        g_assert_error(error, STORAGE_ERROR, STORAGE_ERROR_CORRUPT);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(policies); i++) {
        g_autoptr(GError) error = NULL;

        g_assert_false(spool_add_policy(spool, "visit-1", policies[i], &error));
        g_assert_error(error, STORAGE_ERROR, STORAGE_ERROR_CORRUPT);
    }
}

enum { N_THREADS = 6, N_ROUNDS = 40 };

static void *
add_and_commit(void *data)
{
    Spool *spool = data;

    for (int i = 0; i < N_ROUNDS; i++) {
        const LedgerGap gap = {"p1-audio", i, 1, "loss"};

        g_assert_true(spool_add_gap(spool, "visit-1", &gap, NULL));
        g_assert_true(spool_commit(spool, NULL));
    }
    return NULL;
}

static void
test_threads_share_it(void)
{
    g_autoptr(SpoolFixture) fixture = spool_fixture_new();
    g_autoptr(Spool) spool = spool_fixture_open(fixture, 4096);
    GThread *threads[N_THREADS];

    spool_fixture_begin(spool, "visit-1", one_track);
    for (int i = 0; i < N_THREADS; i++)
        threads[i] = g_thread_new("committer", add_and_commit, spool);
    for (int i = 0; i < N_THREADS; i++)
        (void) g_thread_join(threads[i]);
    g_assert_cmpuint(count_items(spool, SPOOL_RECORD_GAP), ==, N_THREADS * N_ROUNDS);
    g_clear_pointer(&spool, spool_free);
    spool = spool_fixture_open(fixture, 4096);

    g_assert_cmpuint(count_items(spool, SPOOL_RECORD_GAP), ==, N_THREADS * N_ROUNDS + 1);
}

/* A day's outage: opening reads what is needed to go on, not what was recorded. */
static void
test_opens_with_ten_thousand_segments(void)
{
    g_autoptr(SpoolFixture) fixture = spool_fixture_new();
    g_autoptr(Spool) spool = spool_fixture_open(fixture, 256 << 10);
    int64_t begun_us = 0;

    spool_fixture_begin(spool, "visit-1", one_track);
    for (uint32_t i = 0; i < 10000; i++) {
        spool_fixture_add(spool, "visit-1", "p1-audio", i);
        if (i % 100 == 0)
            spool_fixture_commit(spool);
    }
    spool_fixture_commit(spool);
    g_clear_pointer(&spool, spool_free);
    begun_us = g_get_monotonic_time();
    spool = spool_fixture_open(fixture, 256 << 10);
    g_test_message("open: %" G_GINT64_FORMAT " ms", (g_get_monotonic_time() - begun_us) / 1000);

    g_assert_cmpuint(count_items(spool, SPOOL_RECORD_SEGMENT), ==, 10000);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/spool-append/commit-without-news-does-not-flush",
                    test_commit_without_news_does_not_flush);
    g_test_add_func("/spool-append/unknown-and-ended-sessions-are-refused",
                    test_unknown_and_ended_sessions_are_refused);
    g_test_add_func("/spool-append/values-that-no-manifest-may-hold-are-refused",
                    test_values_that_no_manifest_may_hold_are_refused);
    g_test_add_func("/spool-append/threads-share-it", test_threads_share_it);
    g_test_add_func("/spool-append/opens-with-ten-thousand-segments",
                    test_opens_with_ten_thousand_segments);
    return g_test_run();
}
