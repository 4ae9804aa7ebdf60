#include "agent/recorder/seal_quota.h"

#include <glib.h>

/* Shares are of 100 bytes, and beyond each track's one segment 250 may wait. */
enum { SHARE = 100, MOST = 250, N_TRACKS = 1000 };

static const char tracks[N_TRACKS];

static SealQuotaShare
share_of(int track)
{
    return (SealQuotaShare){.track = &tracks[track], .n_bytes = SHARE};
}

static void
test_each_track_has_one_whatever_waits(void)
{
    g_autoptr(SealQuota) quota = seal_quota_new(MOST);

    for (int i = 0; i < N_TRACKS; i++) {
        SealQuotaShare share = share_of(i);

        g_assert_true(seal_quota_take(quota, &share));
    }
    g_assert_cmpuint(seal_quota_waiting(quota), ==, N_TRACKS * SHARE);
}

static void
test_further_ones_are_limited_for_all_together(void)
{
    g_autoptr(SealQuota) quota = seal_quota_new(MOST);
    SealQuotaShare first = share_of(0);
    SealQuotaShare second = share_of(0);
    SealQuotaShare refused = share_of(1);

    g_assert_true(seal_quota_take(quota, &first));
    g_assert_true(seal_quota_take(quota, &second));
    g_assert_true(seal_quota_take(quota, &(SealQuotaShare){&tracks[1], SHARE, false}));
    g_assert_true(seal_quota_take(quota, &(SealQuotaShare){&tracks[1], SHARE, false}));
    g_assert_false(seal_quota_take(quota, &refused)); /* a third one: 300 bytes */
    g_assert_cmpuint(seal_quota_waiting(quota), ==, 4 * SHARE);

    seal_quota_give_back(quota, &first);
    g_assert_false(seal_quota_take(quota, &refused)); /* the further one of the track waits on */
    seal_quota_give_back(quota, &second);
    g_assert_true(seal_quota_take(quota, &refused));
}

static void
test_one_alone_may_be_of_any_size(void)
{
    g_autoptr(SealQuota) quota = seal_quota_new(MOST);
    SealQuotaShare huge = {.track = &tracks[0], .n_bytes = 100 * MOST};
    SealQuotaShare next = {.track = &tracks[0], .n_bytes = UINT64_MAX};

    g_assert_true(seal_quota_take(quota, &huge));
    g_assert_false(seal_quota_take(quota, &next));
    seal_quota_give_back(quota, &huge);
    g_assert_cmpuint(seal_quota_waiting(quota), ==, 0);
    g_assert_true(seal_quota_take(quota, &huge));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
    g_test_add_func("/seal_quota/each-track-has-one-whatever-waits",
                    test_each_track_has_one_whatever_waits);
    g_test_add_func("/seal_quota/further-ones-are-limited-for-all-together",
                    test_further_ones_are_limited_for_all_together);
    g_test_add_func("/seal_quota/one-alone-may-be-of-any-size", test_one_alone_may_be_of_any_size);
    return g_test_run();
}
