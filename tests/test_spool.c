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
            sealed = spool_outbox_read(spool, item, &error);
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

    spool_fixture_begin(spool, "visit-1", one_track);
    spool_fixture_add(spool, "visit-1", "p1-audio", 0);
    g_assert_cmpuint(spool_outbox_view(spool)->len, ==, 0);

    spool_fixture_commit(spool);
    g_assert_cmpuint(count_items(spool, SPOOL_RECORD_SEGMENT), ==, 1);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/spool/committed-survives", test_committed_survives);
    g_test_add_func("/spool/shows-only-what-is-durable", test_shows_only_what_is_durable);
    return g_test_run();
}
