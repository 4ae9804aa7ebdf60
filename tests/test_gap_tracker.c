#include "agent/recorder/gap_tracker.h"

#include <glib.h>
#include <string.h>

/* One letter for each 20 ms: `m` media, `.` nothing, `x` lost, `l` too much, `p` a pause begins,
 * `r` it ends, `n` the stream began anew. Expected: start-end reason, in units of 20 ms; gaps are
 * told from 5 units on. */
static const struct {
    const char *name;
    const char *timeline;
    const char *gaps;
} rows[] = {
    {"media all the way",              "mmmmmm",                ""                                    },
    {"nothing",                        "......",                "0-6 no-media "                       },
    {"at both ends",                   ".mmm..",                "0-1 no-media 4-6 no-media "          },
    {"short holes are not told",       "mm....mmxxxxmm",        ""                                    },
    {"a silence",                      "mm.....mm",             "2-7 silence "                        },
    {"a loss",                         "mmxxxxxmm",             "2-7 loss "                           },
    {"a loss in a silence",            "mm..xx.mm",             "2-7 loss "                           },
    {"comfort noise",                  "mm.....m.....m.....mm", "2-19 silence "                       },
    {"media parts two silences",       "mm.....mm.....mm",      "2-7 silence 9-14 silence "           },
    {"a loss ends a silence",          "mm.....mxxxxxm.....mm", "2-7 silence 8-13 loss 14-19 silence "},
    {"silence to the end",             "mm.....m......",        "2-7 silence 8-14 no-media "          },
    {"a pause",                        "mmp...rmm",             "2-5 pause "                          },
    {"a pause first",                  "p...rmm",               "0-3 pause "                          },
    {"a pause last",                   "mmp...",                "2-5 pause "                          },
    {"nothing, a pause, nothing",      "..p..r..",              "0-2 no-media 2-4 pause 4-6 no-media "},
    {"a short hole goes to the pause", "mm..p..rmm",            "2-6 pause "                          },
    {"a long one does not",            "mm.....p..rmm",         "2-7 silence 7-9 pause "              },
    {"silence after a pause",          "mmp..r.....mm",         "2-4 pause 4-9 silence "              },
    {"an empty pause",                 "mmprmm",                ""                                    },
    {"two pauses",                     "mmp..r..p..rmm",        "2-4 pause 4-8 pause "                },
    {"too much",                       "mmlllllmm",             "2-7 limit-bitrate "                  },
    {"too much and a loss",            "mmllxllmm",             "2-7 limit-bitrate "                  },
    {"too much to the end",            "mmllllll",              "2-8 limit-bitrate "                  },
    {"too much, then a pause",         "mmlllllp..rmm",         "2-7 limit-bitrate 7-9 pause "        },
    {"only the hole that was",         "mmlllllmm.....mm",      "2-7 limit-bitrate 9-14 silence "     },
    {"silence before a restart",       "mm.....nm.....mm",      "2-7 silence 8-13 silence "           },
};

static void
on_gap(int64_t start_us, int64_t duration_us, const char *reason, void *user_data)
{
    g_string_append_printf(user_data, "%d-%d %s ", (int) (start_us / 20000),
                           (int) ((start_us + duration_us) / 20000), reason);
}

static void
walk(GapTracker *tracker, const char *timeline)
{
    int64_t now_us = 0;

    for (const char *at = timeline; *at != '\0'; at++) {
        switch (*at) {
        case 'm':
            gap_tracker_media(tracker, now_us);
            break;
        case 'x':
            gap_tracker_lost(tracker);
            break;
        case 'l':
            gap_tracker_limited(tracker);
            break;
        case 'p':
            gap_tracker_pause(tracker, "pause", now_us);
            break;
        case 'r':
            gap_tracker_resume(tracker, now_us);
            break;
        case 'n':
            gap_tracker_restart(tracker);
            break;
        default:
            break;
        }
        now_us += strchr("prn", *at) == NULL ? 20000 : 0;
    }
    gap_tracker_finish(tracker, now_us);
}

static void
test_names_every_hole(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GString) gaps = g_string_new(NULL);
        GapTracker tracker;

        gap_tracker_init(&tracker, 0, 100000);
        tracker.on_gap = on_gap;
        tracker.user_data = gaps;
        walk(&tracker, rows[i].timeline);
        g_test_message("%s", rows[i].name);
        g_assert_cmpstr(gaps->str, ==, rows[i].gaps);
    }
}

/* Longer than ten seconds: told while it lasts, without a hole in between. */
static void
test_a_long_silence_is_told_in_pieces(void)
{
    g_autoptr(GString) timeline = g_string_new("mm");
    g_autoptr(GString) gaps = g_string_new(NULL);
    GapTracker tracker;

    for (unsigned i = 0; i < 50; i++)
        g_string_append(timeline, "...................m"); /* 400 ms */
    gap_tracker_init(&tracker, 0, 100000);
    tracker.on_gap = on_gap;
    tracker.user_data = gaps;
    walk(&tracker, timeline->str);

    g_assert_cmpstr(gaps->str, ==, "2-501 silence 502-1001 silence ");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/gap_tracker/names-every-hole", test_names_every_hole);
    g_test_add_func("/gap_tracker/a-long-silence-is-told-in-pieces",
                    test_a_long_silence_is_told_in_pieces);
    return g_test_run();
}
