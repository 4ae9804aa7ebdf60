#include "agent/recorder/gap_tiler.h"

#include <stdbool.h>

/* Writes down what comes out, as `start+duration reason; `. */
static void
note_gap(int64_t start_us, int64_t duration_us, const char *reason, void *user_data)
{
    g_string_append_printf(user_data, "%" G_GINT64_FORMAT "+%" G_GINT64_FORMAT " %s; ", start_us,
                           duration_us, reason);
}

typedef struct {
    GString *log;
    GapTiler *tiler;
} Fixture;

static void
set_up(Fixture *fixture, const void *data)
{
    fixture->log = g_string_new(NULL);
    fixture->tiler = gap_tiler_new(100, note_gap, fixture->log);
}

static void
tear_down(Fixture *fixture, const void *data)
{
    gap_tiler_free(fixture->tiler);
    g_string_free(fixture->log, TRUE);
}

static void
test_fills_the_hole_before_the_first_segment(Fixture *fixture, const void *data)
{
    gap_tiler_add_segment(fixture->tiler, 400, 900);

    g_assert_cmpstr(fixture->log->str, ==, "100+300 no-media; ");
}

static void
test_says_nothing_between_segments_that_touch(Fixture *fixture, const void *data)
{
    gap_tiler_add_segment(fixture->tiler, 100, 500);
    gap_tiler_add_segment(fixture->tiler, 500, 900);
    g_assert_cmpint(gap_tiler_finish(fixture->tiler, 900), ==, 900);

    g_assert_cmpstr(fixture->log->str, ==, "");
}

static void
test_names_a_hole_as_it_was_reported(Fixture *fixture, const void *data)
{
    gap_tiler_add_segment(fixture->tiler, 100, 500);
    gap_tiler_add_gap(fixture->tiler, 520, 300, "loss");
    gap_tiler_add_segment(fixture->tiler, 900, 1000);

    g_assert_cmpstr(fixture->log->str, ==,
                    "500+20 source-restart; 520+300 loss; 820+80 source-restart; ");
}

static void
test_passes_a_gap_inside_a_segment_through(Fixture *fixture, const void *data)
{
    gap_tiler_add_gap(fixture->tiler, 200, 100, "silence");
    gap_tiler_add_segment(fixture->tiler, 100, 500);

    g_assert_cmpstr(fixture->log->str, ==, "200+100 silence; ");
}

static void
test_splits_a_gap_where_a_segment_ends(Fixture *fixture, const void *data)
{
    gap_tiler_add_segment(fixture->tiler, 100, 500);
    gap_tiler_add_gap(fixture->tiler, 400, 300, "loss");
    (void) gap_tiler_finish(fixture->tiler, 600);

    g_assert_cmpstr(fixture->log->str, ==, "400+100 loss; 500+100 loss; ");
}

static void
test_a_track_without_media_is_one_gap(Fixture *fixture, const void *data)
{
    gap_tiler_add_gap(fixture->tiler, 100, 900, "paused-consent-missing");
    g_assert_cmpint(gap_tiler_finish(fixture->tiler, 1000), ==, 1000);

    g_assert_cmpstr(fixture->log->str, ==, "100+900 paused-consent-missing; ");
}

static void
test_a_segment_past_the_stop_moves_the_end(Fixture *fixture, const void *data)
{
    gap_tiler_add_segment(fixture->tiler, 100, 1200);

    g_assert_cmpint(gap_tiler_finish(fixture->tiler, 1000), ==, 1200);
    g_assert_cmpstr(fixture->log->str, ==, "");
}

static void
test_a_gap_past_the_last_segment_moves_the_end(Fixture *fixture, const void *data)
{
    gap_tiler_add_gap(fixture->tiler, 400, 300, "loss");
    gap_tiler_add_segment(fixture->tiler, 100, 500);

    g_assert_cmpint(gap_tiler_finish(fixture->tiler, 450), ==, 700);
    g_assert_cmpstr(fixture->log->str, ==, "400+300 loss; ");
}

typedef struct {
    GArray *covered; /* int64_t pairs: start, end */
} Cover;

static void
cover_gap(int64_t start_us, int64_t duration_us, const char *reason, void *user_data)
{
    Cover *cover = user_data;
    const int64_t end_us = start_us + duration_us;

    g_assert_cmpint(duration_us, >, 0);
    g_array_append_val(cover->covered, start_us);
    g_array_append_val(cover->covered, end_us);
}

/* Whether `at_us` lies in any pair. */
static bool
is_covered(const GArray *pairs, int64_t at_us)
{
    for (guint i = 0; i + 1 < pairs->len; i += 2)
        if (g_array_index(pairs, int64_t, i) <= at_us &&
            at_us < g_array_index(pairs, int64_t, i + 1))
            return true;
    return false;
}

/* Whatever is reported, in whatever order holes and segments fall: each microsecond is covered. */
static void
test_always_tiles(void)
{
    for (int round = 0; round < 300; round++) {
        Cover cover = {g_array_new(FALSE, FALSE, sizeof(int64_t))};
        g_autoptr(GapTiler) tiler = gap_tiler_new(0, cover_gap, &cover);
        int64_t at_us = 0;
        int64_t until_us = 0;

        for (int i = 0; i < 8; i++) {
            const int64_t start_us = at_us + g_test_rand_int_range(0, 40);
            const int64_t end_us = start_us + g_test_rand_int_range(1, 40);

            gap_tiler_add_gap(tiler, at_us + g_test_rand_int_range(0, 30),
                              g_test_rand_int_range(0, 50), "loss");
            gap_tiler_add_segment(tiler, start_us, end_us);
            g_array_append_val(cover.covered, start_us);
            g_array_append_val(cover.covered, end_us);
            at_us = end_us;
        }
        until_us = gap_tiler_finish(tiler, at_us + g_test_rand_int_range(0, 50));
        for (int64_t moment_us = 0; moment_us < until_us; moment_us++)
            g_assert_true(is_covered(cover.covered, moment_us));
        for (guint i = 1; i < cover.covered->len; i += 2)
            g_assert_cmpint(g_array_index(cover.covered, int64_t, i), <=, until_us);
        g_array_unref(cover.covered);
    }
}

#define ADD(name, function)                                                                        \
    g_test_add("/gap-tiler/" name, Fixture, NULL, set_up, function, tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
    ADD("fills-the-hole-before-the-first-segment", test_fills_the_hole_before_the_first_segment);
    ADD("says-nothing-between-segments-that-touch", test_says_nothing_between_segments_that_touch);
    ADD("names-a-hole-as-it-was-reported", test_names_a_hole_as_it_was_reported);
    ADD("passes-a-gap-inside-a-segment-through", test_passes_a_gap_inside_a_segment_through);
    ADD("splits-a-gap-where-a-segment-ends", test_splits_a_gap_where_a_segment_ends);
    ADD("a-track-without-media-is-one-gap", test_a_track_without_media_is_one_gap);
    ADD("a-segment-past-the-stop-moves-the-end", test_a_segment_past_the_stop_moves_the_end);
    ADD("a-gap-past-the-last-segment-moves-the-end",
        test_a_gap_past_the_last_segment_moves_the_end);
    g_test_add_func("/gap-tiler/always-tiles", test_always_tiles);
    return g_test_run();
}
