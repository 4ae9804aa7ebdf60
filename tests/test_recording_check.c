#include "storage/recording_check.h"
#include "storage/recording_private.h"

#include <string.h>

/* Manifests that are genuine and well-formed and still do not make sense, each with the code that
 * says so. */

#define DIGEST "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define HEAD   "sealtape-manifest/v1\norg clinic-a\nsession visit-1\npart 1\nprev -\nstate closed\n"
#define OPEN_HEAD                                                                                  \
    "sealtape-manifest/v1\norg clinic-a\nsession visit-1\npart 1\nprev -\nstate open\n"
#define TRACK                   "track a audio opus p1 age1abc 0 0\n"
#define COUNT                   "count a 51 50 1 2 3 4 5 6 7\n"
#define SEG(part, index, start) /* one second */                                                   \
    "seg a " #part " " #index " " #start " 1000000 k ta/" #part "-0.tape 0 5 " DIGEST "\n"

static const struct {
    const char *name, *text;
    const char *code; /* NULL: nothing may be found */
} rows[] = {
    {"whole",                              HEAD TRACK SEG(0,                      0,                                                  0) SEG(0,                                                                                                                                                                                                1,1000000) "end a 2 2000000\n", NULL},
    {"nothing-recorded",                                HEAD TRACK "gap a 0 2000000 no-media\nend a 0 2000000\n",                                                                     NULL                                                                                                     },
    {"two-parts",                          HEAD TRACK SEG(0,                      0,                                                  0) SEG(1,                                                                                                                                                                                                                      0,1000000) "end a 2 2000000\n", NULL},
    {"rounding",                                HEAD TRACK SEG(0,                                                                     0,                                                                                                              900) SEG(0,                                                                                                                                                                                                1,1001900) "end a 2 2002000\n", NULL},
    {"gap-over-a-segment",                                   HEAD TRACK SEG(0,                                            0,                                                                                          0) "gap a 5 100 loss\nend a 1 1000000\n",                                                                                                                                                                                                                                                                      NULL},
    {"corrupt-lost",
     HEAD TRACK SEG(0,0,0) SEG(0,                                                                                                  2,                                                                                                      2000000) "gap a 1000000 1000000 corrupt\nend a 2 3000000\n",
     NULL},
    {"first-corrupt-lost",
     HEAD TRACK SEG(0,                                                                            1,                                                                                                                                                                                    1000000) "gap a 0 1000000 corrupt\nend a 1 2000000\n",NULL},
    {"first-corrupt-lost-behind-silence",
     HEAD TRACK SEG(
         0,                                                            1,                                  1000000) "gap a 0 44000 no-media\ngap a 44000 956000 corrupt\nend a 1 2000000\n",
     NULL},
    {"first-corrupt-lost-of-a-late-track",
     HEAD "track a audio opus p1 age1abc 0 5000000\n" SEG(
         0,                                                                       1,                                                             6000000) "gap a 5000000 1000000 corrupt\nend a 1 2000000\n",
     NULL},
    {"lost-without-a-word",
     HEAD TRACK SEG(0,                                                                       0,                                                  0) SEG(0,                                                                                                                                                   2,2000000) "gap a 1000000 1000000 loss\nend a 2 3000000\n",
     "segment-missing"},
    {"corrupt-elsewhere",
     HEAD TRACK SEG(0,                                                            0,                                       0) SEG(0,                                                                                                                                  2,1000000) "gap a 2000000 1000000 corrupt\nend a 2 3000000\n",
     "segment-missing"},
    {"begins-late",                    HEAD TRACK SEG(0,                                                         1,                                                                                         0) "end a 1 1000000\n",                                                                                                                                                                                     "segment-missing"},
    {"new-part-begins-late",
     HEAD TRACK SEG(0,             0,                                                                                                               0) SEG(1,                                                                                                                                                                                                                                                                                                                         1,2000000) "gap a 1000000 1000000 loss\nend a 2 3000000\n",
     "segment-missing"},
    {"twice",                                   HEAD TRACK SEG(0,0,0) SEG(0,                                                                                                                                                                                                                                                                                                                      0,1000000) "end a 2 2000000\n", "segment-order"},
    {"backwards-in-index",
     HEAD TRACK SEG(0,                                                    0,0) SEG(0,1,1000000) SEG(0, 0, 2000000) "end a 3 3000000\n",
     "segment-order"},
    {"backwards-in-part",                              HEAD TRACK SEG(1,                 0,                                                                         0) SEG(0,0,1000000) "end a 2 2000000\n",
     "segment-order"},
    {"backwards-in-time",                     HEAD TRACK SEG(0,                                                          0,                                                                                         1000000) SEG(0,                                                                                                                                                                                                                                                                                                                                      1,0) "end a 2 2000000\n",
     "segment-order"},
    {"hole",                                   HEAD TRACK SEG(0,                                                          0,                                                                                                           0) SEG(0,                                                                                                                                                                                                                                                                                                                         1,1002000) "end a 2 2002000\n", "timeline-hole"},
    {"hole-at-the-start",                  HEAD TRACK SEG(0,          0,                                           5000) "end a 1 1005000\n",                                                                                                                                                                                                                                                                                                                                 "timeline-hole"},
    {"hole-at-the-end",                      HEAD TRACK SEG(0,                                                           0,                                                                                           0) "end a 1 1005000\n",                                                                                                                                                                  "timeline-hole"},
    {"goes-on-after-its-end",                                   HEAD TRACK SEG(0,                                                  0,                                                                                                                 0) "end a 1 900000\n",                                                                                                                                                                                                                                                              "end-mismatch"},
    {"wrong-count",                                   HEAD TRACK SEG(0,       0,0) "end a 2 1000000\n",                                                                                                                                                                                                                                                                                                                        "end-mismatch"},
    {"no-end",                  HEAD TRACK SEG(0,                      0,                                                              0),"end-mismatch"},
    {"two-ends",                    HEAD TRACK SEG(0,                    0,           0) "end a 1 1000000\nend a 1 1000000\n",                                                                                                                                                                                                  "end-mismatch"},
    {"two-tracks-of-a-name",              HEAD TRACK TRACK SEG(0, 0, 0) "end a 1 1000000\n",                                                                                                  "track-repeated"},
    {"unknown-track",                        HEAD SEG(0,           0,                                                      0) "end a 1 1000000\n",                                                                   "track-unknown"},
    {"counted",                             HEAD TRACK SEG(0,                                 0,                                                             0) "end a 1 1000000\n" COUNT,                                                                                                                                                                                                                                                                                          NULL},
    {"counted-twice",                           HEAD TRACK SEG(0,                             0,                                                           0) "end a 1 1000000\n" COUNT COUNT,                                                                                                                                                                                                     "count-mismatch"                                   },
    {"counted-without-end",               OPEN_HEAD TRACK SEG(0,                 0,                                                                  0) COUNT,                                                                                                                                                                                                                 "count-mismatch"},
    {"counted-but-unknown",                      HEAD "end a 0 0\n" COUNT,                          "count-mismatch"                                                                },
    {"still-open",                            OPEN_HEAD TRACK SEG(0,                     0,                                      0),                                                                                                                                                                                                                                                   "manifest-open"},
};

static void
test_row(gconstpointer data)
{
    const size_t row = GPOINTER_TO_SIZE(data);
    GError *error = NULL;
    g_autoptr(ManifestPart) part = manifest_part_parse(rows[row].text, &error);
    g_autoptr(GPtrArray) findings = recording_new_findings();
    bool is_found = false;

    g_assert_no_error(error);
    recording_check_manifest(part, findings);
    for (guint i = 0; i < findings->len; i++) {
        const RecordingFinding *finding = g_ptr_array_index(findings, i);

        g_test_message("%s: %s", finding->code, finding->message);
        is_found |= rows[row].code != NULL && strcmp(finding->code, rows[row].code) == 0;
    }

    g_assert_true(rows[row].code == NULL ? findings->len == 0 : is_found);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *path = g_strconcat("/recording-check/", rows[i].name, NULL);

        g_test_add_data_func(path, GSIZE_TO_POINTER(i), test_row);
    }
    return g_test_run();
}
