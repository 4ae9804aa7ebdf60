#include "agent/recorder/sealer.h"
#include "crypto/age_key.h"
#include "crypto/crypto_error.h"
#include "storage/spool_outbox.h"
#include "storage/storage_error.h"
#include "tests/fakes/scratch.h"

#include <glib/gstdio.h>
#include <string.h>

/* The digest of nothing. */
#define POLICY                                                                                     \
    "policy e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 record-audio=ok\n"
#define SECOND_US INT64_C(1000000)

/* What the sealer told, shared with its thread. */
typedef struct {
    GMutex mutex;
    GCond changed;
    unsigned n_acknowledgements;
    unsigned n_closed;
    unsigned n_troubles;
} Told;

typedef struct {
    char *folder;
    Spool *spool;
    SealerSession *session;
    SealerTrack *track;
    Told told;
} Fixture;

static void
count(Told *told, unsigned *counter)
{
    g_mutex_lock(&told->mutex);
    (*counter)++;
    g_cond_broadcast(&told->changed);
    g_mutex_unlock(&told->mutex);
}

static void
on_acknowledged(void *user_data)
{
    Told *told = user_data;

    count(told, &told->n_acknowledgements);
}

static void
on_closed(const char *session, void *user_data)
{
    Told *told = user_data;

    g_assert_cmpstr(session, ==, "visit");
    count(told, &told->n_closed);
}

static void
on_trouble(const char *session, const GError *error, void *user_data)
{
    Told *told = user_data;

    count(told, &told->n_troubles);
}

static void
wait_for(Told *told, const unsigned *counter)
{
    const int64_t limit_us = g_get_monotonic_time() + 20 * SECOND_US;

    g_mutex_lock(&told->mutex);
    while (*counter == 0)
        g_assert_true(g_cond_wait_until(&told->changed, &told->mutex, limit_us));
    g_mutex_unlock(&told->mutex);
}

static void
set_up(Fixture *fixture, const void *data)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(AgeIdentity) identity = age_identity_generate(&error);
    g_autoptr(AgeRecipient) recipient = age_identity_recipient(identity);
    const LedgerSession session = {"clinic-a", "visit", 1, POLICY};
    LedgerTrack track = {"a", "audio", "opus", "p1", age_recipient_text(recipient), 0};

    g_mutex_init(&fixture->told.mutex);
    g_cond_init(&fixture->told.changed);
    fixture->folder = scratch_new("sealer");
    fixture->spool = spool_open(fixture->folder, &(SpoolOptions){0}, &error);
    g_assert_no_error(error);
    g_assert_true(spool_add_session(fixture->spool, &session, &error));
    g_assert_true(spool_add_track(fixture->spool, "visit", &track, &error));
    g_assert_true(spool_commit(fixture->spool, &error));
    fixture->session = sealer_session_new("clinic-a", "visit");
    fixture->track = sealer_track_new(fixture->session, "a", track.recipient, 10000, &error);
    g_assert_no_error(error);
}

static void
tear_down(Fixture *fixture, const void *data)
{
    spool_free(fixture->spool);
    sealer_track_free(fixture->track);
    sealer_session_free(fixture->session);
    scratch_remove(fixture->folder);
}

static Sealer *
sealer_for_test(Fixture *fixture, uint64_t queue_bytes)
{
    return sealer_new(&(SealerOptions){
        .spool = fixture->spool,
        .queue_bytes = queue_bytes,
        .on_acknowledged = on_acknowledged,
        .on_session_closed = on_closed,
        .on_trouble = on_trouble,
        .user_data = &fixture->told,
    });
}

static Segment *
segment_for_test(uint32_t index)
{
    Segment *segment = g_new0(Segment, 1);

    segment->index = index;
    segment->start_us = index * SECOND_US;
    segment->duration_us = SECOND_US;
    segment->has_header = index == 0;
    segment->starts_at_keyframe = true;
    segment->pieces = g_new0(struct iovec, 1);
    segment->pieces[0].iov_base = g_strdup("frames");
    segment->pieces[0].iov_len = segment->n_bytes = 6;
    segment->n_pieces = 1;
    return segment;
}

static void
test_acknowledges_what_is_durable(Fixture *fixture, const void *data)
{
    g_autoptr(Sealer) sealer = sealer_for_test(fixture, 0);
    SealerTrackStatus status = {0};
    SpoolStatus spool = {0};

    sealer_take_segment(sealer, fixture->track, segment_for_test(0));
    sealer_take_segment(sealer, fixture->track, segment_for_test(1));
    sealer_take_end(sealer, fixture->track, &(LedgerTrackEnd){.until_us = 2 * SECOND_US});
    sealer_take_stop(sealer, fixture->session, 1);
    wait_for(&fixture->told, &fixture->told.n_closed);

    sealer_track_status(fixture->track, &status);
    spool_status(fixture->spool, &spool);
    g_assert_cmpuint(status.n_segments, ==, 2);
    g_assert_cmpint(status.acknowledged_us, ==, 2 * SECOND_US);
    g_assert_cmpuint(spool.n_segments, ==, 2);
    g_assert_cmpuint(sealer_queued_bytes(sealer), ==, 0);
}

static void
test_flushes_once_for_many(Fixture *fixture, const void *data)
{
    g_autoptr(Sealer) sealer = sealer_for_test(fixture, 0);
    SpoolStatus before = {0};
    SpoolStatus after = {0};

    spool_status(fixture->spool, &before);
    for (uint32_t i = 0; i < 200; i++)
        sealer_take_segment(sealer, fixture->track, segment_for_test(i));
    sealer_take_end(sealer, fixture->track, &(LedgerTrackEnd){.until_us = 200 * SECOND_US});
    sealer_take_stop(sealer, fixture->session, 1);
    wait_for(&fixture->told, &fixture->told.n_closed);

    spool_status(fixture->spool, &after);
    g_assert_cmpuint(after.n_segments, ==, 200);
    g_assert_cmpuint(after.n_commits - before.n_commits, <, 50);
}

static void
test_closes_when_the_last_track_has_ended(Fixture *fixture, const void *data)
{
    g_autoptr(Sealer) sealer = sealer_for_test(fixture, 0);

    sealer_take_stop(sealer, fixture->session, 1);
    sealer_take_segment(sealer, fixture->track, segment_for_test(0));
    wait_for(&fixture->told, &fixture->told.n_acknowledgements);
    g_assert_cmpuint(fixture->told.n_closed, ==, 0);
    sealer_take_end(sealer, fixture->track, &(LedgerTrackEnd){.until_us = SECOND_US});
    wait_for(&fixture->told, &fixture->told.n_closed);
    g_assert_cmpuint(fixture->told.n_troubles, ==, 0);
}

static void
test_hands_on_what_was_counted(Fixture *fixture, const void *data)
{
    g_autoptr(Sealer) sealer = sealer_for_test(fixture, 0);
    const LedgerTrackEnd end = {
        .until_us = SECOND_US,
        .counts = {N_TRACK_COUNTS, {[TRACK_COUNT_RECEIVED] = 50, [TRACK_COUNT_LOST] = 3}},
    };
    g_autoptr(GPtrArray) sessions = NULL;
    const OutboxSession *session = NULL;
    const SpoolTrack *track = NULL;

    sealer_take_end(sealer, fixture->track, &end);
    sealer_take_stop(sealer, fixture->session, 1);
    wait_for(&fixture->told, &fixture->told.n_closed);

    sessions = spool_outbox_view(fixture->spool);
    session = g_ptr_array_index(sessions, 0);
    track = g_ptr_array_index(session->tracks, 0);
    g_assert_cmpint(track->until_us, ==, SECOND_US);
    g_assert_cmpuint(track->counts.n_known, ==, N_TRACK_COUNTS);
    g_assert_cmpmem(track->counts.of, sizeof track->counts.of, end.counts.of, sizeof end.counts.of);
}

static void
test_overload_is_a_gap_and_a_new_part(Fixture *fixture, const void *data)
{
    Sealer *sealer = sealer_for_test(fixture, 5); /* less than one segment */
    const uint32_t n_segments = 1000;
    SealerTrackStatus status = {0};

    for (uint32_t i = 0; i < n_segments; i++)
        sealer_take_segment(sealer, fixture->track, segment_for_test(i));
    sealer_free(sealer);

    sealer_track_status(fixture->track, &status);
    g_assert_cmpuint(status.n_segments, >=, 1); /* what one track may always have waiting */
    g_assert_cmpuint(status.n_lost, >=, 1);
    g_assert_cmpuint(status.n_segments + status.n_lost, ==, n_segments);
    g_assert_true(sealer_track_take_restart(fixture->track));
}

static void
test_what_waits_is_worked_off_at_the_end(Fixture *fixture, const void *data)
{
    Sealer *sealer = sealer_for_test(fixture, 0);
    SealerTrackStatus status = {0};

    for (uint32_t i = 0; i < 20; i++)
        sealer_take_segment(sealer, fixture->track, segment_for_test(i));
    sealer_free(sealer);

    sealer_track_status(fixture->track, &status);
    g_assert_cmpuint(status.n_segments, ==, 20);
}

#define ADD(name, function) g_test_add("/sealer/" name, Fixture, NULL, set_up, function, tear_down)

int
main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;

    g_test_init(&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
    g_assert_true(crypto_start(&error));
    ADD("acknowledges-what-is-durable", test_acknowledges_what_is_durable);
    ADD("flushes-once-for-many", test_flushes_once_for_many);
    ADD("closes-when-the-last-track-has-ended", test_closes_when_the_last_track_has_ended);
    ADD("hands-on-what-was-counted", test_hands_on_what_was_counted);
    ADD("overload-is-a-gap-and-a-new-part", test_overload_is_a_gap_and_a_new_part);
    ADD("what-waits-is-worked-off-at-the-end", test_what_waits_is_worked_off_at_the_end);
    return g_test_run();
}
