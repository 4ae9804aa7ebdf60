#include "crypto/age_context.h"
#include "storage/manifest_words.h"
#include "storage/object_key.h"
#include "storage/reseal_note.h"
#include "storage/storage_error.h"

#include <string.h>

/* One function a kind of line; `word`: its words, the first of them its name. As with the manifest,
 * what was read is written again and must be the same bytes, so that nothing has two spellings. */

enum { MARK_BYTES = 16 };

static bool
to_number(const char *word, int64_t min, uint32_t *number)
{
    int64_t value = 0;

    if (!manifest_words_to_number(word, min, UINT32_MAX, &value))
        return false;
    *number = (uint32_t) value;
    return true;
}

static bool
to_length(const char *word, uint64_t *length)
{
    int64_t value = 0;

    if (!manifest_words_to_number(word, 0, INT64_MAX, &value))
        return false;
    *length = (uint64_t) value;
    return true;
}

/* Whether it lies in the folder of the note's own generation. */
static bool
is_own_object(const ResealNote *self, const char *object, const char *suffix)
{
    g_autofree char *folder = g_strdup_printf("r%u/t", self->envelope.generation);

    return object_key_is_valid(object) && g_str_has_prefix(object, folder) &&
           g_str_has_suffix(object, suffix);
}

static bool
read_org(ResealNote *self, char **word)
{
    self->org = g_strdup(word[1]);
    return age_context_id_is_valid(word[1]);
}

static bool
read_session(ResealNote *self, char **word)
{
    self->session = g_strdup(word[1]);
    return age_context_id_is_valid(word[1]);
}

static bool
read_number(ResealNote *self, char **word)
{
    return to_number(word[1], 1, &self->number);
}

static bool
read_previous(ResealNote *self, char **word)
{
    self->has_previous = strcmp(word[1], "-") != 0;
    return self->has_previous == (self->number > 1) &&
           (!self->has_previous || digest_from_hex(&self->previous, word[1]));
}

static bool
read_manifest(ResealNote *self, char **word)
{
    return to_number(word[1], 1, &self->n_parts) && digest_from_hex(&self->manifest, word[2]);
}

static bool
read_at(ResealNote *self, char **word)
{
    g_autoptr(GDateTime) at = g_date_time_new_from_iso8601(word[1], NULL);

    if (at != NULL)
        self->at_unix_s = g_date_time_to_unix(at);
    return at != NULL;
}

static bool
read_by(ResealNote *self, char **word)
{
    self->by = g_strdup(word[1]);
    return manifest_words_is_word(word[1]);
}

static bool
read_software(ResealNote *self, char **word)
{
    self->software = g_strdup(word[1]);
    return manifest_words_is_word(word[1]);
}

static bool
read_against(ResealNote *self, char **word)
{
    self->against = g_strdup(word[1]);
    return strlen(word[1]) == MARK_BYTES && strspn(word[1], "0123456789abcdef") == MARK_BYTES;
}

static bool
read_generation(ResealEnvelope *row, char **word)
{
    return to_number(word[1], 1, &row->generation) && digest_from_hex(&row->digest, word[2]);
}

static bool
read_envelope(ResealNote *self, char **word)
{
    return read_generation(&self->envelope, word);
}

/* In ascending order, so none twice. */
static bool
read_gone(ResealNote *self, char **word)
{
    const ResealEnvelope *last =
        self->gone->len > 0 ? &g_array_index(self->gone, ResealEnvelope, self->gone->len - 1)
                            : NULL;
    ResealEnvelope row = {0};

    if (!read_generation(&row, word) || row.generation >= self->envelope.generation ||
        (last != NULL && row.generation <= last->generation))
        return false;
    g_array_append_val(self->gone, row);
    return true;
}

static bool
read_track(ResealNote *self, char **word)
{
    const ResealTrack row = {word[1], word[2], word[3]};

    if (!age_context_id_is_valid(word[1]) || !manifest_words_is_word(word[2]) ||
        !manifest_words_is_word(word[3]) || strcmp(word[2], word[3]) == 0)
        return false;
    reseal_note_add_track(self, &row);
    return true;
}

static bool
read_segment(ResealNote *self, char **word)
{
    ResealSegment row = {.track = word[1], .object = word[5]};

    if (!age_context_id_is_valid(word[1]) || !to_number(word[2], 0, &row.part) ||
        !to_number(word[3], 0, &row.index) || !digest_from_hex(&row.before, word[4]) ||
        !is_own_object(self, word[5], ".tape") || !to_length(word[6], &row.offset) ||
        !to_length(word[7], &row.length) || !digest_from_hex(&row.now, word[8]))
        return false;
    reseal_note_add_segment(self, &row);
    return true;
}

static bool
read_past(ResealNote *self, char **word)
{
    ResealPast row = {.object = word[1]};

    if (!is_own_object(self, word[1], ".past") || !digest_from_hex(&row.digest, word[2]))
        return false;
    reseal_note_add_past(self, &row);
    return true;
}

static bool
read_said(ResealNote *self, char **word)
{
    ResealSaid row;

    if (!digest_from_hex(&row.name, word[1]) || !digest_from_hex(&row.before, word[2]) ||
        !digest_from_hex(&row.now, word[3]))
        return false;
    g_array_append_val(self->said, row);
    return true;
}

/* Every line there is, in the order in which they stand. */
static const struct {
    const char *name;
    guint n_words;
    bool is_one; /* it stands there once; the others as often as they like */
    bool (*read)(ResealNote *self, char **word);
} kinds[] = {
    {"org",      2, true,  read_org     },
    {"session",  2, true,  read_session },
    {"number",   2, true,  read_number  },
    {"prev",     2, true,  read_previous},
    {"manifest", 3, true,  read_manifest},
    {"at",       2, true,  read_at      },
    {"by",       2, true,  read_by      },
    {"software", 2, true,  read_software},
    {"against",  2, true,  read_against },
    {"envelope", 3, true,  read_envelope},
    {"gone",     3, false, read_gone    },
    {"track",    4, false, read_track   },
    {"seg",      9, false, read_segment },
    {"past",     3, false, read_past    },
    {"said",     4, false, read_said    },
};

/* `kind`: the one of the line before; moved on. */
static bool
read_line(ResealNote *self, const char *line, size_t *kind)
{
    g_auto(GStrv) word = g_strsplit(line, " ", -1);

    for (; *kind < G_N_ELEMENTS(kinds); ++*kind) {
        if (word[0] != NULL && strcmp(word[0], kinds[*kind].name) == 0)
            break;
        if (kinds[*kind].is_one)
            return false;
    }
    if (*kind == G_N_ELEMENTS(kinds) || g_strv_length(word) != kinds[*kind].n_words ||
        !kinds[*kind].read(self, word))
        return false;
    *kind += kinds[*kind].is_one;
    return true;
}

/* Returns: the line that is wrong, from 1; 0: none is. */
static guint
read_lines(ResealNote *self, char **lines, guint n_lines)
{
    size_t kind = 0;

    if (n_lines == 0 || strcmp(lines[0], "sealtape-reseal/v1") != 0)
        return 1;
    /* The last newline leaves an empty line. */
    for (guint i = 1; i + 1 < n_lines; i++) {
        if (!read_line(self, lines[i], &kind))
            return i + 1;
    }
    return self->gone->len > 0 && self->tracks->len > 0 ? 0 : n_lines;
}

ResealNote *
reseal_note_parse(const char *text, GError **error)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    g_autoptr(ResealNote) self = reseal_note_new(NULL, NULL);
    g_autofree char *again = NULL;
    const guint wrong = read_lines(self, lines, g_strv_length(lines));

    if (wrong != 0) {
        g_set_error(error, STORAGE_ERROR, STORAGE_ERROR_CORRUPT,
                    "line %u of the note on a sealing anew is not well-formed, or says what this "
                    "version does not know",
                    wrong);
        return NULL;
    }
    again = reseal_note_to_text(self);
    if (strcmp(again, text) == 0)
        return g_steal_pointer(&self);
    g_set_error(error, STORAGE_ERROR, STORAGE_ERROR_CORRUPT,
                "the note on a sealing anew is not in its canonical form");
    return NULL;
}
