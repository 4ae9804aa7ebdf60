#include "agent/admin/timeline.h"

#include <string.h>

#define S G_USEC_PER_SEC

static char *
draw(const TimelineSpan *spans, size_t n_spans, unsigned n_cells, bool is_ascii)
{
    g_autoptr(GArray) array = g_array_new(FALSE, FALSE, sizeof(TimelineSpan));

    g_array_append_vals(array, spans, (guint) n_spans);
    return timeline_draw(array, 10 * S, n_cells, is_ascii);
}

static void
test_draws_media_and_gaps(void)
{
    static const TimelineSpan spans[] = {
        {0,     4 * S, NULL    },
        {4 * S, 2 * S, "paused"},
        {6 * S, 4 * S, NULL    },
    };
    g_autofree char *ascii = draw(spans, 3, 10, true);
    g_autofree char *blocks = draw(spans, 3, 10, false);

    g_assert_cmpstr(ascii, ==, "====::====");
    g_assert_cmpstr(blocks, ==, "████░░████");
}

static void
test_leaves_blank_where_the_track_is_not(void)
{
    static const TimelineSpan late = {6 * S, 2 * S, NULL};
    g_autofree char *row = draw(&late, 1, 10, true);
    g_autofree char *empty = draw(NULL, 0, 10, true);

    g_assert_cmpstr(row, ==, "      ==  ");
    g_assert_cmpstr(empty, ==, "          ");
}

/* A gap of a millisecond in a visit of an hour must be seen. */
static void
test_shows_the_shortest_gap(void)
{
    static const TimelineSpan spans[] = {
        {0,           10 * S, NULL  },
        {7 * S + 100, 1,      "loss"},
    };
    g_autofree char *row = draw(spans, 2, 10, true);

    g_assert_cmpstr(row, ==, "=======+==");
}

static void
test_each_reason_has_its_sign(void)
{
    static const char *const reasons[] = {"silence",     "paused",   "loss",        "no-media",
                                          "no-keyframe", "overload", "interrupted", "disk-full",
                                          "corrupt",     "lossy"};
    for (int is_ascii = 0; is_ascii < 2; is_ascii++) {
        g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

        for (size_t i = 0; i < G_N_ELEMENTS(reasons); i++) {
            const TimelineSpan span = {0, 10 * S, reasons[i]};

            g_assert_true(g_hash_table_add(seen, draw(&span, 1, 1, is_ascii)));
        }
        g_assert_true(g_hash_table_contains(seen, "?"));
        g_assert_false(g_hash_table_contains(seen, is_ascii ? "=" : "█"));
    }
}

static void
test_a_reason_may_say_more(void)
{
    static const TimelineSpan spans[] = {
        {0,     5 * S, "paused-consent-missing"},
        {5 * S, 5 * S, "disk-failed"           }
    };
    g_autofree char *row = draw(spans, 2, 4, true);

    g_assert_cmpstr(row, ==, "::dd");
}

static void
test_ascii_is_ascii(void)
{
    static const TimelineSpan spans[] = {
        {0,     S, NULL         },
        {S,     S, "silence"    },
        {2 * S, S, "paused"     },
        {3 * S, S, "loss"       },
        {4 * S, S, "no-keyframe"},
        {5 * S, S, "overload"   },
        {6 * S, S, "no-media"   },
    };
    g_autofree char *row = draw(spans, G_N_ELEMENTS(spans), 40, true);

    g_assert_true(g_str_is_ascii(row));
    g_assert_cmpuint(strlen(row), ==, 40);
}

static void
test_legend_has_what_was_drawn(void)
{
    static const char *const rows[] = {"==::==", NULL};
    g_autofree char *legend = timeline_legend(rows, true);

    g_assert_cmpstr(legend, ==, "= recorded\n: paused: not everyone present had consented\n");
}

static void
test_scale_has_the_width(void)
{
    for (unsigned width = 24; width < 200; width++) {
        g_autofree char *scale = timeline_scale(90 * S, width);

        g_assert_cmpuint(strlen(scale), ==, width);
        g_assert_true(g_str_has_prefix(scale, "0:00.0"));
        g_assert_true(g_str_has_suffix(scale, "1:30.0"));
    }
}

/* Cells and microseconds must not overflow or lose the end. */
static void
test_survives_absurd_lengths(void)
{
    static const TimelineSpan span = {0, G_MAXINT64 / 2, NULL};
    g_autoptr(GArray) array = g_array_new(FALSE, FALSE, sizeof(TimelineSpan));
    g_autofree char *row = NULL;
    g_autofree char *tiny = NULL;

    g_array_append_val(array, span);
    row = timeline_draw(array, G_MAXINT64 / 2, 200, true);
    tiny = timeline_draw(array, 1, 3, true);
    g_assert_cmpuint(strspn(row, "="), ==, 200);
    g_assert_cmpuint(strlen(tiny), ==, 3);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/timeline/draws-media-and-gaps", test_draws_media_and_gaps);
    g_test_add_func("/timeline/leaves-blank-where-the-track-is-not",
                    test_leaves_blank_where_the_track_is_not);
    g_test_add_func("/timeline/shows-the-shortest-gap", test_shows_the_shortest_gap);
    g_test_add_func("/timeline/each-reason-has-its-sign", test_each_reason_has_its_sign);
    g_test_add_func("/timeline/a-reason-may-say-more", test_a_reason_may_say_more);
    g_test_add_func("/timeline/ascii-is-ascii", test_ascii_is_ascii);
    g_test_add_func("/timeline/legend-has-what-was-drawn", test_legend_has_what_was_drawn);
    g_test_add_func("/timeline/scale-has-the-width", test_scale_has_the_width);
    g_test_add_func("/timeline/survives-absurd-lengths", test_survives_absurd_lengths);
    return g_test_run();
}
