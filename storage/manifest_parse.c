#include "crypto/age_context.h"
#include "storage/manifest.h"
#include "storage/manifest_words.h"
#include "storage/object_key.h"
#include "storage/storage_error.h"

#include <string.h>

/* Reading a part: each line is known by its first word and checked field by field; at the end what
 * was read is written again and must be the same bytes, so nothing (an order, a space) has two
 * spellings. */

enum { MAX_WORDS = 12, N_HEAD_LINES = 6, MAX_LINES = 1000000 };

typedef struct {
    ManifestPart *part;
    char **words; /* of the present line, without the first */
    guint n_words;
    const char *rest; /* the same, unsplit */
} Line;

static bool
read_u32(const char *word, uint32_t *number)
{
    int64_t value = 0;

    if (!manifest_words_to_number(word, 0, UINT32_MAX, &value))
        return false;
    *number = (uint32_t) value;
    return true;
}

static bool
read_time(const char *word, int64_t *time_us)
{
    return manifest_words_to_number(word, 0, INT64_MAX / 4, time_us);
}

static bool
read_id(const char *word, char **id)
{
    if (!age_context_id_is_valid(word))
        return false;
    *id = g_strdup(word);
    return true;
}

static bool
read_word(const char *word, char **copy)
{
    if (!manifest_words_is_word(word))
        return false;
    *copy = g_strdup(word);
    return true;
}

/* Rows are added before they are read, so that the part frees what a bad line left half made. */
static void *
add_row(GPtrArray *rows, size_t n_bytes)
{
    void *row = g_malloc0(n_bytes);

    g_ptr_array_add(rows, row);
    return row;
}

static bool
read_policy(const Line *line)
{
    Digest digest;
    g_autofree char *hex = g_strdup(line->n_words > 0 ? line->words[0] : "");

    if (!digest_from_hex(&digest, hex))
        return false;
    for (guint i = 0; i < line->n_words; i++) {
        if (!manifest_words_is_word(line->words[i]))
            return false;
    }
    g_ptr_array_add(line->part->policies, g_strdup(line->rest));
    return true;
}

/* One that nobody knows is no fault of the text: whoever opens or deletes is who must refuse. */
static bool
read_mark(const Line *line)
{
    ManifestMark *row = add_row(line->part->marks, sizeof *row);

    return read_word(line->words[0], &row->mark) && manifest_words_is_reason(line->words[1]) &&
           read_word(line->words[1], &row->reason);
}

static bool
read_track(const Line *line)
{
    ManifestTrack *row = add_row(line->part->tracks, sizeof *row);
    char **word = line->words;

    return read_id(word[0], &row->id) && read_word(word[1], &row->kind) &&
           read_word(word[2], &row->codec) && read_id(word[3], &row->participant) &&
           read_word(word[4], &row->recipient) &&
           manifest_words_to_number(word[5], INT64_MIN / 4, INT64_MAX / 4, &row->anchor_unix_us) &&
           read_time(word[6], &row->from_us);
}

static bool
read_clock(const Line *line)
{
    ManifestClock *row = add_row(line->part->clocks, sizeof *row);
    char **word = line->words;

    return read_id(word[0], &row->track) && read_u32(word[1], &row->part) &&
           read_time(word[2], &row->start_us) && read_u32(word[3], &row->rtp_timestamp);
}

/* The object must be one of this track and part, and nowhere else in the store. */
static bool
object_fits(const ManifestSegment *row)
{
    g_autofree char *prefix = g_strdup_printf("t%s/%u-", row->track, row->part);
    const char *first = row->object + strlen(prefix);
    g_autofree char *again = NULL;

    if (!g_str_has_prefix(row->object, prefix))
        return false;
    again = object_key_tape(row->track, row->part, (uint32_t) g_ascii_strtoull(first, NULL, 10));
    return strcmp(again, row->object) == 0;
}

static bool
read_segment(const Line *line)
{
    ManifestSegment *row = add_row(line->part->segments, sizeof *row);
    char **word = line->words;
    int64_t offset = 0;
    int64_t length = 0;

    if (!read_id(word[0], &row->track) || !read_u32(word[1], &row->part) ||
        !read_u32(word[2], &row->index) || !read_time(word[3], &row->start_us) ||
        !read_time(word[4], &row->duration_us) || !manifest_words_to_flags(word[5], &row->flags) ||
        !read_word(word[6], &row->object) ||
        !manifest_words_to_number(word[7], 0, INT64_MAX / 4, &offset) ||
        !manifest_words_to_number(word[8], 1, INT64_MAX / 4, &length))
        return false;
    row->offset = (uint64_t) offset;
    row->length = (uint64_t) length;
    return digest_from_hex(&row->digest, word[9]) && object_fits(row);
}

static bool
read_gap(const Line *line)
{
    ManifestGap *row = add_row(line->part->gaps, sizeof *row);
    char **word = line->words;

    return read_id(word[0], &row->track) && read_time(word[1], &row->start_us) &&
           read_time(word[2], &row->duration_us) && read_word(word[3], &row->reason) &&
           manifest_words_is_reason(row->reason);
}

static bool
read_end(const Line *line)
{
    ManifestEnd *row = add_row(line->part->ends, sizeof *row);
    char **word = line->words;

    return read_id(word[0], &row->track) && read_u32(word[1], &row->n_segments) &&
           read_time(word[2], &row->duration_us);
}

static bool
read_count(const Line *line)
{
    ManifestCount *row = add_row(line->part->counts, sizeof *row);
    const guint n_counts = line->n_words - MIN(line->n_words, 2);
    int64_t expected = 0;

    if (!track_counts_may_be(n_counts) || !read_id(line->words[0], &row->track) ||
        !manifest_words_to_number(line->words[1], 0, INT64_MAX, &expected))
        return false;
    for (guint i = 0; i < n_counts; i++) {
        int64_t number = 0;

        if (!manifest_words_to_number(line->words[2 + i], 0, TRACK_COUNT_MAX, &number))
            return false;
        row->counts.of[i] = (uint64_t) number;
    }
    row->counts.n_known = (uint8_t) n_counts;
    return (uint64_t) expected == track_counts_expected(&row->counts);
}

static const struct {
    const char *name;
    guint n_words; /* 0: any */
    bool (*read)(const Line *line);
} line_kinds[] = {
    {"policy", 0,  read_policy },
    {"mark",   2,  read_mark   },
    {"track",  7,  read_track  },
    {"clock",  4,  read_clock  },
    {"seg",    10, read_segment},
    {"gap",    4,  read_gap    },
    {"end",    3,  read_end    },
    {"count",  0,  read_count  },
};

static bool
read_line(ManifestPart *part, const char *text)
{
    g_auto(GStrv) words = g_strsplit(text, " ", -1);
    const char *space = strchr(text, ' ');
    Line line = {.part = part, .words = words + 1, .rest = space == NULL ? "" : space + 1};

    if (space == NULL)
        return false;
    line.n_words = g_strv_length(line.words);
    for (size_t i = 0; i < G_N_ELEMENTS(line_kinds); i++) {
        if (strcmp(line_kinds[i].name, words[0]) == 0) {
            return (line_kinds[i].n_words == 0 || line_kinds[i].n_words == line.n_words) &&
                   line_kinds[i].read(&line);
        }
    }
    return false;
}

static bool
read_previous(ManifestPart *part, const char *word)
{
    part->has_previous = strcmp(word, "-") != 0;
    return !part->has_previous || digest_from_hex(&part->previous, word);
}

/* Returns: what stands behind `name` and a space; NULL if the line says something else. */
static const char *
value_of(const char *line, const char *name)
{
    const size_t n = strlen(name);

    return strncmp(line, name, n) == 0 && line[n] == ' ' ? line + n + 1 : NULL;
}

/* Returns: how many of the six head lines are as they should be. */
static guint
read_head(ManifestPart *part, char **lines)
{
    const char *values[N_HEAD_LINES] = {NULL};
    static const char *const names[N_HEAD_LINES] = {NULL,   "org",  "session",
                                                    "part", "prev", "state"};

    for (guint i = 1; i < N_HEAD_LINES; i++)
        values[i] = value_of(lines[i], names[i]);
    if (strcmp(lines[0], "sealtape-manifest/v1") != 0)
        return 0;
    if (values[1] == NULL || !age_context_id_is_valid(values[1]))
        return 1;
    if (values[2] == NULL || !age_context_id_is_valid(values[2]))
        return 2;
    if (values[3] == NULL || !read_u32(values[3], &part->number) || part->number == 0)
        return 3;
    if (values[4] == NULL || !read_previous(part, values[4]))
        return 4;
    if (values[5] == NULL || !manifest_words_to_state(values[5], &part->state))
        return 5;
    part->org = g_strdup(values[1]);
    part->session = g_strdup(values[2]);
    return N_HEAD_LINES;
}

static ManifestPart *
fail_line(GError **error, guint line, const char *text)
{
    g_autofree char *shown = g_strndup(text, 80);
    g_autofree char *valid = g_utf8_make_valid(shown, -1);

    g_set_error(error, STORAGE_ERROR, STORAGE_ERROR_CORRUPT,
                "line %u of the manifest part is not well-formed: '%s'", line, valid);
    return NULL;
}

/* GLib makes room for as many pieces as are allowed: were these not counted, 8 MiB for each part.
 */
static char **
split_lines(const char *text)
{
    int n = 1;

    for (const char *end = strchr(text, '\n'); end != NULL && n < MAX_LINES;
         end = strchr(end + 1, '\n'))
        n++;
    return g_strsplit(text, "\n", n);
}

ManifestPart *
manifest_part_parse(const char *text, GError **error)
{
    g_auto(GStrv) lines = split_lines(text);
    const guint n_lines = g_strv_length(lines);
    g_autoptr(ManifestPart) part = manifest_part_new(NULL, NULL, 0);
    g_autofree char *again = NULL;
    guint n_good = 0;

    if (n_lines <= N_HEAD_LINES)
        return fail_line(error, n_lines, "it ends too early");
    n_good = read_head(part, lines);
    if (n_good < N_HEAD_LINES)
        return fail_line(error, n_good + 1, lines[n_good]);
    for (guint i = N_HEAD_LINES; i + 1 < n_lines; i++) {
        if (!read_line(part, lines[i]))
            return fail_line(error, i + 1, lines[i]);
    }
    again = manifest_part_to_text(part);
    if (strcmp(again, text) == 0)
        return g_steal_pointer(&part);
    g_set_error(error, STORAGE_ERROR, STORAGE_ERROR_CORRUPT,
                "the manifest part's lines are not in their canonical order");
    return NULL;
}
