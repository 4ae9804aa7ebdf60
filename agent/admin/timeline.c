#include "agent/admin/timeline.h"

#include "agent/admin/time_text.h"

#include <string.h>

typedef struct {
    const char *reason;
    const char *sign;
    const char *ascii;
    const char *meaning;
} Sign;

/* A reason is a word, or the word with more behind it (`paused-consent-missing`). The first two are
 * not reasons; the last is for reasons that have no row. */
static const Sign signs[] = {
    {"",            "█", "=", "recorded"                                       },
    {"",            "▓", "+", "recorded, with a gap too short to draw"         },
    {"silence",     "·",  ".", "silence: the sender sent none (muted, DTX)"     },
    {"paused",      "░", ":", "paused: not everyone present had consented"     },
    {"loss",        "×",  "x", "loss: packets did not arrive"                   },
    {"no-media",    "–", "-", "no-media: nothing was sent"                     },
    {"no-keyframe", "▁", "_", "no-keyframe: could not be decoded yet"          },
    {"overload",    "!",   "!", "overload: the recorder could not keep up"       },
    {"disk",        "▼", "d", "disk: the spool could not be written"           },
    {"corrupt",     "¤",  "c", "corrupt: lost or changed on the recorder's disk"},
    {"interrupted", "╳", "#", "interrupted: the recorder was stopped or killed"},
    {"",            "?",   "?", "another reason: see the gaps below, or `--json`"},
};

enum {
    SIGN_MEDIA = 0,
    SIGN_MIXED = 1,
    SIGN_OTHER = G_N_ELEMENTS(signs) - 1,
};

static unsigned
sign_of(const char *reason)
{
    for (unsigned i = SIGN_MIXED + 1; i < SIGN_OTHER; i++) {
        size_t n = strlen(signs[i].reason);

        if (strncmp(signs[i].reason, reason, n) == 0 && (reason[n] == '\0' || reason[n] == '-'))
            return i;
    }
    return SIGN_OTHER;
}

static const char *
sign_text(unsigned sign, bool is_ascii)
{
    return is_ascii ? signs[sign].ascii : signs[sign].sign;
}

/* How much of each kind falls into one cell. */
typedef struct {
    int64_t covered_us[G_N_ELEMENTS(signs)];
} Cell;

static void
add_span(Cell *cell, const TimelineSpan *span, int64_t from_us, int64_t to_us)
{
    int64_t start_us = MAX(span->start_us, from_us);
    int64_t end_us = MIN(span->start_us + span->duration_us, to_us);
    unsigned sign = span->reason != NULL ? sign_of(span->reason) : SIGN_MEDIA;

    if (end_us > start_us)
        cell->covered_us[sign] += end_us - start_us;
}

/* Returns: the sign for the cell; -1 for a blank. */
static int
judge_cell(const Cell *cell)
{
    unsigned largest = SIGN_MIXED + 1;

    for (unsigned i = largest + 1; i <= SIGN_OTHER; i++) {
        if (cell->covered_us[i] > cell->covered_us[largest])
            largest = i;
    }
    if (cell->covered_us[largest] == 0)
        return cell->covered_us[SIGN_MEDIA] > 0 ? SIGN_MEDIA : -1;
    /* Loss inside a segment lies over media, so the media's share is what the gap leaves of it. */
    return cell->covered_us[largest] * 2 >= cell->covered_us[SIGN_MEDIA] ? (int) largest
                                                                         : SIGN_MIXED;
}

char *
timeline_draw(const GArray *spans, int64_t until_us, unsigned n_cells, bool is_ascii)
{
    GString *row = g_string_new(NULL);

    g_assert(until_us > 0 && n_cells > 0);
    for (unsigned i = 0; i < n_cells; i++) {
        /* In double, because microseconds times cells may overflow for absurd lengths. */
        double cell_us = (double) until_us / n_cells;
        Cell cell = {0};
        int sign = 0;

        for (guint k = 0; k < spans->len; k++) {
            add_span(&cell, &g_array_index(spans, TimelineSpan, k), (int64_t) (cell_us * i),
                     (int64_t) (cell_us * (i + 1)));
        }
        sign = judge_cell(&cell);
        g_string_append(row, sign < 0 ? " " : sign_text((unsigned) sign, is_ascii));
    }
    return g_string_free(row, FALSE);
}

char *
timeline_legend(const char *const *rows, bool is_ascii)
{
    GString *legend = g_string_new(NULL);

    for (unsigned i = 0; i < G_N_ELEMENTS(signs); i++) {
        bool is_used = false;

        for (const char *const *row = rows; *row != NULL && !is_used; row++)
            is_used = strstr(*row, sign_text(i, is_ascii)) != NULL;
        if (is_used)
            g_string_append_printf(legend, "%s %s\n", sign_text(i, is_ascii), signs[i].meaning);
    }
    return g_string_free(legend, FALSE);
}

char *
timeline_scale(int64_t until_us, unsigned n_cells)
{
    g_autofree char *start = time_text_format(0);
    g_autofree char *middle = time_text_format(until_us / 2);
    g_autofree char *end = time_text_format(until_us);
    int width = (int) n_cells;
    int half = width / 2 - (int) strlen(middle) / 2;
    int rest = width - MAX(half, 0) - (int) strlen(middle);

    if (width < 24)
        return g_strdup_printf("%-*s%s", MAX(width - (int) strlen(end), 1), start, end);
    return g_strdup_printf("%-*s%s%*s", half, start, middle, rest, end);
}
