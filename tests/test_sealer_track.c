#include "agent/recorder/sealer_track.h"
#include "crypto/age_file.h"
#include "crypto/crypto_error.h"

#include <string.h>

#define OBJECT_MS 10000
#define SECOND_US INT64_C(1000000)

typedef struct {
    AgeIdentity *identity;
    GPtrArray *identities;
    SealerSession *session;
    SealerTrack *track;
} Fixture;

static void
set_up(Fixture *fixture, const void *data)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(AgeRecipient) recipient = NULL;

    fixture->identity = age_identity_generate(&error);
    g_assert_no_error(error);
    recipient = age_identity_recipient(fixture->identity);
    fixture->identities = g_ptr_array_new();
    g_ptr_array_add(fixture->identities, fixture->identity);
    fixture->session = sealer_session_new("clinic-a", "visit");
    fixture->track = sealer_track_new(fixture->session, "p1-video", age_recipient_text(recipient),
                                      OBJECT_MS, &error);
    g_assert_no_error(error);
}

static void
tear_down(Fixture *fixture, const void *data)
{
    sealer_track_free(fixture->track);
    sealer_session_free(fixture->session);
    g_ptr_array_unref(fixture->identities);
    age_identity_free(fixture->identity);
}

/* Seals a segment of four seconds that starts at `start_s`. */
static SealedSegment *
seal(Fixture *fixture, uint32_t part, uint32_t index, int64_t start_s)
{
    g_autoptr(GError) error = NULL;
    char text[] = "frames";
    struct iovec piece = {text, strlen(text)};
    const Segment segment = {
        .part = part,
        .index = index,
        .start_us = start_s * SECOND_US,
        .duration_us = 4 * SECOND_US,
        .has_header = index == 0,
        .starts_at_keyframe = true,
        .n_bytes = strlen(text),
        .pieces = &piece,
        .n_pieces = 1,
    };
    SealedSegment *sealed = sealer_track_seal(fixture->track, &segment, &error);

    g_assert_no_error(error);
    return sealed;
}

static void
test_seals_for_its_place_alone(Fixture *fixture, const void *data)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(SealedSegment) sealed = seal(fixture, 2, 7, 30);
    g_autoptr(AgeContext) here = age_context_new_segment("clinic-a", "visit", "p1-video", 2, 7);
    g_autoptr(AgeContext) elsewhere =
        age_context_new_segment("clinic-a", "visit", "p1-video", 2, 8);
    gsize n_bytes = 0;
    const uint8_t *bytes = g_bytes_get_data(sealed->sealed, &n_bytes);
    GByteArray *opened = age_file_open(fixture->identities, here, bytes, n_bytes, &error);

    g_assert_no_error(error);
    g_assert_cmpmem(opened->data, opened->len, "frames", 6);
    age_file_wipe(opened);
    g_assert_null(age_file_open(fixture->identities, elsewhere, bytes, n_bytes, &error));
    g_assert_error(error, CRYPTO_ERROR, CRYPTO_ERROR_CONTEXT);
}

/* Which segment the object of each begins with: part, index, start in seconds, expected. */
static const struct {
    uint32_t part, index;
    int64_t start_s;
    uint32_t object_first;
} rows[] = {
    {0, 0, 0,   0},
    {0, 1, 4,   0},
    {0, 2, 8,   2}, /* it would make twelve seconds */
    {0, 3, 12,  2},
    {0, 5, 20,  5}, /* one is missing */
    {1, 0, 24,  0}, /* another part */
    {1, 1, 28,  0},
    {1, 2, 100, 2}, /* a long pause */
};

static void
test_groups_segments_into_objects(Fixture *fixture, const void *data)
{
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(SealedSegment) sealed =
            seal(fixture, rows[i].part, rows[i].index, rows[i].start_s);

        g_assert_cmpuint(sealed->object_first, ==, rows[i].object_first);
        g_assert_cmpint(sealed->flags & SEGMENT_FLAG_HEADER, ==,
                        rows[i].index == 0 ? SEGMENT_FLAG_HEADER : 0);
    }
}

static void
test_asks_once_for_a_new_part(Fixture *fixture, const void *data)
{
    g_assert_false(sealer_track_take_restart(fixture->track));
    sealer_track_lose(fixture->track, 3);
    sealer_track_lose(fixture->track, 3);

    g_assert_true(sealer_track_has_lost(fixture->track, 3));
    g_assert_false(sealer_track_has_lost(fixture->track, 4));
    g_assert_true(sealer_track_take_restart(fixture->track));
    g_assert_false(sealer_track_take_restart(fixture->track));
}

static void
test_a_session_ends_with_its_last_track(Fixture *fixture, const void *data)
{
    g_assert_null(sealer_session_ends(fixture->session));
    sealer_session_add_end(fixture->session, "p1-video", 9 * SECOND_US);
    g_assert_null(sealer_session_ends(fixture->session));
    sealer_session_stop(fixture->session, 2);
    g_assert_null(sealer_session_ends(fixture->session));
    sealer_session_add_end(fixture->session, "p1-video", 9 * SECOND_US);
    g_assert_nonnull(sealer_session_ends(fixture->session));
    g_assert_cmpuint(sealer_session_ends(fixture->session)->len, ==, 2);
}

#define ADD(name, function)                                                                        \
    g_test_add("/sealer-track/" name, Fixture, NULL, set_up, function, tear_down)

int
main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;

    g_test_init(&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
    g_assert_true(crypto_start(&error));
    ADD("seals-for-its-place-alone", test_seals_for_its_place_alone);
    ADD("groups-segments-into-objects", test_groups_segments_into_objects);
    ADD("asks-once-for-a-new-part", test_asks_once_for_a_new_part);
    ADD("a-session-ends-with-its-last-track", test_a_session_ends_with_its_last_track);
    return g_test_run();
}
