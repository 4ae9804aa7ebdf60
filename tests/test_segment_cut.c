#include "agent/media/segment_cut.h"

#include <glib.h>

#define S   INT64_C(1000000)
#define MIB ((size_t) 1024 * 1024)

static const struct {
    const char *name;
    SegmentCutCase given;
    SegmentCut cut;
} rows[] = {
    {"young",                       {4 * S, 3 * S, 0, 1000, 100, true, true},           SEGMENT_CUT_NO          },
    {"due-at-keyframe",             {4 * S, 4 * S, 0, 1000, 100, true, true},           SEGMENT_CUT_BEFORE_FRAME},
    {"keyframe-that-was-asked-for",
     {4 * S, 4 * S + S / 2, 0, 1000, 100, true, true},
     SEGMENT_CUT_BEFORE_FRAME                                                                                   },
    {"late-keyframe",
     {4 * S, 4 * S + S / 2 + 1, 0, 1000, 100, true, true},
     SEGMENT_CUT_BEFORE_LATE_KEYFRAME                                                                           },
    {"very-late-keyframe",
     {4 * S, 9 * S, 0, 1000, 100, true, true},
     SEGMENT_CUT_BEFORE_LATE_KEYFRAME                                                                           },
    {"keyframe-after-silence",
     {4 * S, 9 * S, 5 * S, 1000, 100, true, true},
     SEGMENT_CUT_BEFORE_FRAME                                                                                   },
    {"sound-long-due",              {4 * S, 5 * S, 0, 1000, 100, false, true},          SEGMENT_CUT_BEFORE_FRAME},
    {"due-by-rounding",             {4 * S, 4 * S - 334, 0, 1000, 100, true, true},     SEGMENT_CUT_BEFORE_FRAME},
    {"due-without-keyframe",
     {4 * S, 4 * S, 0, 1000, 100, true, false},
     SEGMENT_CUT_NO_WANT_KEYFRAME                                                                               },
    {"overdue-without-keyframe",
     {4 * S, 8 * S - 1, 0, 1, 1, true, false},
     SEGMENT_CUT_NO_WANT_KEYFRAME                                                                               },
    {"too-late-to-wait",            {4 * S, 8 * S, 0, 1000, 100, true, false},          SEGMENT_CUT_BEFORE_FRAME},
    {"after-a-long-silence",
     {4 * S, 5 * S, 4 * S + 1, 1000, 100, true, false},
     SEGMENT_CUT_BEFORE_FRAME                                                                                   },
    {"after-a-short-silence",
     {4 * S, 5 * S, 3 * S, 1, 1, true, false},
     SEGMENT_CUT_NO_WANT_KEYFRAME                                                                               },
    {"sound-young",                 {4 * S, 4 * S - 20000, 0, 1000, 100, false, true},  SEGMENT_CUT_NO          },
    {"sound-due",                   {4 * S, 4 * S, 0, 1000, 100, false, true},          SEGMENT_CUT_BEFORE_FRAME},
    {"large",                       {4 * S, 1 * S, 0, 6 * MIB - 99, 100, true, false},  SEGMENT_CUT_BEFORE_FRAME},
    {"just-not-large",              {4 * S, 1 * S, 0, 6 * MIB - 100, 100, true, false}, SEGMENT_CUT_NO          },
    {"back-in-time",                {4 * S, -1 * S, -1 * S, 1000, 100, true, true},     SEGMENT_CUT_NO          },
};

static void
test_row(const void *data)
{
    const size_t i = GPOINTER_TO_SIZE(data);

    g_assert_cmpint(segment_cut_decide(&rows[i].given), ==, rows[i].cut);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *path = g_strconcat("/segment-cut/", rows[i].name, NULL);

        g_test_add_data_func(path, GSIZE_TO_POINTER(i), test_row);
    }
    return g_test_run();
}
