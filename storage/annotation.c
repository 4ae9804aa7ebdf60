#include "storage/annotation.h"

#include "crypto/age_context.h"
#include "storage/manifest_words.h"
#include "storage/storage_error.h"

#include <inttypes.h>
#include <string.h>

/* As with the manifest: what was read is written again and must be the same bytes, so that nothing
 * has two spellings. */

enum { N_LINES = 8, DATE_BYTES = 10, MARK_BYTES = 16 };

enum {
    MATTER = 1 << ANNOTATION_MATTER,
    PARTICIPANT = 1 << ANNOTATION_PARTICIPANT,
    PURPOSE = 1 << ANNOTATION_PURPOSE,
    STATE = 1 << ANNOTATION_STATE,
    REASON = 1 << ANNOTATION_REASON,
    DATE = 1 << ANNOTATION_DATE,
    RULE = 1 << ANNOTATION_RULE,
    TABLE = 1 << ANNOTATION_TABLE,
    REQUEST = 1 << ANNOTATION_REQUEST,
    GENERATION = 1 << ANNOTATION_GENERATION,
    AGAINST = 1 << ANNOTATION_AGAINST,
    KEYS = 1 << ANNOTATION_KEYS,
    STATEMENT = 1 << ANNOTATION_STATEMENT,
    CERTIFICATE = 1 << ANNOTATION_CERTIFICATE,
    EVIDENCE = 1 << ANNOTATION_EVIDENCE,
    RECIPIENT = 1 << ANNOTATION_RECIPIENT,
};

/* What each kind must say, and what it may, in the order of AnnotationKind. */
static const struct {
    const char *name;
    int needed;
    int allowed; /* besides */
} kinds[] = {
    {"released",           0,                             PARTICIPANT           },
    {"release-withdrawn",  0,                             PARTICIPANT           },
    {"hold-placed",        MATTER,                        REASON | STATEMENT    },
    {"hold-released",      MATTER,                        REASON | STATEMENT    },
    {"quarantined",        REASON,                        STATEMENT             },
    {"quarantine-lifted",  0,                             STATEMENT             },
    {"restricted",         0,                             REASON | STATEMENT    },
    {"restriction-lifted", 0,                             STATEMENT             },
    {"consent",            PARTICIPANT | PURPOSE | STATE, EVIDENCE | RECIPIENT  },
    {"classified",         STATE,                         DATE                  },
    {"retain-until",       DATE | RULE | TABLE,           0                     },
    {"amended",            STATEMENT,                     PARTICIPANT           },
    {"erasure-requested",  REASON,                        STATEMENT             },
    {"erasure-withdrawn",  REQUEST,                       0                     },
    {"erasure-approved",   REQUEST,                       0                     },
    {"erasure-begun",      REASON,                        REQUEST | RULE | TABLE},
    {"erased",             STATE | CERTIFICATE,           DATE                  },
    {"reseal-begun",       REASON | GENERATION | AGAINST, REQUEST | KEYS        },
    {"resealed",           GENERATION | CERTIFICATE,      DATE                  },
};

G_STATIC_ASSERT(G_N_ELEMENTS(kinds) == N_ANNOTATION_KINDS);

static bool
is_date(const char *text)
{
    g_autofree char *midnight = g_strconcat(text, "T00:00:00Z", NULL);
    g_autoptr(GDateTime) day =
        strlen(text) == DATE_BYTES ? g_date_time_new_from_iso8601(midnight, NULL) : NULL;

    return day != NULL;
}

static bool
is_number(const char *text)
{
    int64_t number = 0;

    return manifest_words_to_number(text, 1, UINT32_MAX, &number);
}

static bool
is_digest(const char *text)
{
    Digest digest;

    return digest_from_hex(&digest, text);
}

static bool
is_mark(const char *text)
{
    return strlen(text) == MARK_BYTES && strspn(text, "0123456789abcdef") == MARK_BYTES;
}

static const struct {
    const char *name;
    bool (*is_valid)(const char *text);
    const char *form;
} fields[N_ANNOTATION_FIELDS] = {
    [ANNOTATION_MATTER] = {"matter",      age_context_id_is_valid,  "an id"                   },
    [ANNOTATION_PARTICIPANT] = {"participant", age_context_id_is_valid,  "an id"                   },
    [ANNOTATION_PURPOSE] = {"purpose",     manifest_words_is_reason, "a word of a-z and '-'"   },
    [ANNOTATION_STATE] = {"state",       manifest_words_is_reason, "a word of a-z and '-'"   },
    [ANNOTATION_REASON] = {"reason",      manifest_words_is_reason, "a word of a-z and '-'"   },
    [ANNOTATION_DATE] = {"date",        is_date,                  "a day, YYYY-MM-DD"       },
    [ANNOTATION_RULE] = {"rule",        age_context_id_is_valid,  "an id"                   },
    [ANNOTATION_TABLE] = {"table",       age_context_id_is_valid,  "an id"                   },
    [ANNOTATION_REQUEST] = {"request",     is_number,                "an annotation's number"  },
    [ANNOTATION_GENERATION] = {"generation",  is_number,                "an envelope's generation"},
    [ANNOTATION_AGAINST] = {"against",     is_mark,                  "the mark of a key"       },
    [ANNOTATION_KEYS] = {"keys",        is_digest,                "a SHA-256"               },
    [ANNOTATION_STATEMENT] = {"statement",   is_digest,                "a SHA-256"               },
    [ANNOTATION_CERTIFICATE] = {"certificate", is_digest,                "a SHA-256"               },
    [ANNOTATION_EVIDENCE] = {"evidence",    age_context_id_is_valid,  "an id"                   },
    [ANNOTATION_RECIPIENT] = {"recipient",   age_context_id_is_valid,  "an id"                   },
};

const char *
annotation_kind_name(AnnotationKind kind)
{
    return kinds[kind].name;
}

const char *
annotation_field_name(AnnotationField field)
{
    return fields[field].name;
}

Annotation *
annotation_new(const char *org, const char *session, AnnotationKind kind)
{
    Annotation *self = g_new0(Annotation, 1);

    self->org = g_strdup(org);
    self->session = g_strdup(session);
    self->kind = kind;
    return self;
}

void
annotation_set(Annotation *self, AnnotationField field, const char *value)
{
    g_free(self->values[field]);
    self->values[field] = g_strdup(value);
}

void
annotation_free(Annotation *self)
{
    if (self == NULL)
        return;
    g_free(self->org);
    g_free(self->session);
    g_free(self->by);
    for (size_t i = 0; i < N_ANNOTATION_FIELDS; i++)
        g_free(self->values[i]);
    g_free(self);
}

/* Returns: what is wrong with `field`; NULL: nothing. */
static const char *
fault_of(const Annotation *self, size_t field)
{
    const char *value = self->values[field];
    const int bit = 1 << field;
    const bool is_needed = (kinds[self->kind].needed & bit) != 0;
    const bool is_allowed = is_needed || (kinds[self->kind].allowed & bit) != 0;

    if (value == NULL)
        return is_needed ? "is missing" : NULL;
    if (!is_allowed)
        return "does not belong there";
    return fields[field].is_valid(value) ? NULL : fields[field].form;
}

bool
annotation_check(const Annotation *self, GError **error)
{
    if (self->by == NULL || !manifest_words_is_word(self->by)) {
        g_set_error(error, STORAGE_ERROR, STORAGE_ERROR_DENIED,
                    "an annotation must say who it is by, in one word of at most 200 characters");
        return false;
    }
    for (size_t i = 0; i < N_ANNOTATION_FIELDS; i++) {
        const char *fault = fault_of(self, i);

        if (fault == NULL)
            continue;
        g_set_error(error, STORAGE_ERROR, STORAGE_ERROR_DENIED, "%s: `%s`%s%s",
                    kinds[self->kind].name, fields[i].name,
                    fault == fields[i].form ? " must be " : " ", fault);
        return false;
    }
    return true;
}

static char *
time_to_text(int64_t unix_s)
{
    g_autoptr(GDateTime) at = g_date_time_new_from_unix_utc(unix_s);

    return at != NULL ? g_date_time_format(at, "%Y-%m-%dT%H:%M:%SZ") : NULL;
}

char *
annotation_to_text(const Annotation *self)
{
    GString *text = g_string_new("sealtape-annotation/v1\n");
    g_autofree char *previous = self->has_previous ? digest_to_hex(&self->previous) : g_strdup("-");
    g_autofree char *at = time_to_text(self->at_unix_s);

    g_string_append_printf(text, "org %s\nsession %s\nnumber %u\nprev %s\nat %s\nby %s\n%s",
                           self->org, self->session, self->number, previous, at, self->by,
                           kinds[self->kind].name);
    for (size_t i = 0; i < N_ANNOTATION_FIELDS; i++) {
        if (self->values[i] != NULL)
            g_string_append_printf(text, " %s=%s", fields[i].name, self->values[i]);
    }
    g_string_append_c(text, '\n');
    return g_string_free(text, false);
}

/* `word`: `name=value`. Returns: false for a name nobody knows, and for one that was said. */
static bool
read_field(Annotation *self, const char *word)
{
    const char *equals = strchr(word, '=');

    for (size_t i = 0; equals != NULL && i < N_ANNOTATION_FIELDS; i++) {
        if (strlen(fields[i].name) == (size_t) (equals - word) &&
            strncmp(fields[i].name, word, (size_t) (equals - word)) == 0) {
            annotation_set(self, (AnnotationField) i, equals + 1);
            return true;
        }
    }
    return false;
}

static bool
read_told(Annotation *self, const char *line)
{
    g_auto(GStrv) words = g_strsplit(line, " ", -1);
    size_t kind = 0;

    while (kind < N_ANNOTATION_KINDS && g_strcmp0(kinds[kind].name, words[0]) != 0)
        kind++;
    if (kind == N_ANNOTATION_KINDS)
        return false;
    self->kind = (AnnotationKind) kind;
    for (guint i = 1; words[i] != NULL; i++) {
        if (!read_field(self, words[i]))
            return false;
    }
    return true;
}

static bool
read_time(Annotation *self, const char *text)
{
    g_autoptr(GDateTime) at = g_date_time_new_from_iso8601(text, NULL);

    if (at == NULL)
        return false;
    self->at_unix_s = g_date_time_to_unix(at);
    return true;
}

static bool
read_head_value(Annotation *self, size_t line, const char *value)
{
    int64_t number = 0;

    switch (line) {
    case 1:
        self->org = g_strdup(value);
        return age_context_id_is_valid(value);
    case 2:
        self->session = g_strdup(value);
        return age_context_id_is_valid(value);
    case 3:
        if (!manifest_words_to_number(value, 1, UINT32_MAX, &number))
            return false;
        self->number = (uint32_t) number;
        return true;
    case 4:
        self->has_previous = strcmp(value, "-") != 0;
        return !self->has_previous || digest_from_hex(&self->previous, value);
    case 5:
        return read_time(self, value);
    default:
        self->by = g_strdup(value);
        return manifest_words_is_word(value);
    }
}

/* Returns: the first line that is not as it should be, from 0; N_LINES: all are. */
static size_t
read_lines(Annotation *self, char **lines)
{
    static const char *const names[] = {NULL, "org ", "session ", "number ", "prev ", "at ", "by "};

    if (strcmp(lines[0], "sealtape-annotation/v1") != 0)
        return 0;
    for (size_t i = 1; i < G_N_ELEMENTS(names); i++) {
        if (!g_str_has_prefix(lines[i], names[i]) ||
            !read_head_value(self, i, lines[i] + strlen(names[i])))
            return i;
    }
    return read_told(self, lines[N_LINES - 1]) ? N_LINES : N_LINES - 1;
}

Annotation *
annotation_parse(const char *text, GError **error)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", N_LINES + 2);
    g_autoptr(Annotation) self = g_new0(Annotation, 1);
    g_autofree char *again = NULL;
    g_autoptr(GError) fault = NULL;
    size_t line = 0;

    if (g_strv_length(lines) == N_LINES + 1)
        line = read_lines(self, lines);
    if (line < N_LINES) {
        g_set_error(error, STORAGE_ERROR, STORAGE_ERROR_CORRUPT,
                    "line %zu of the annotation is not well-formed, or says what this version does "
                    "not know",
                    line + 1);
        return NULL;
    }
    if (!annotation_check(self, &fault)) {
        g_set_error(error, STORAGE_ERROR, STORAGE_ERROR_CORRUPT, "%s", fault->message);
        return NULL;
    }
    again = annotation_to_text(self);
    if (strcmp(again, text) == 0)
        return g_steal_pointer(&self);
    g_set_error(error, STORAGE_ERROR, STORAGE_ERROR_CORRUPT,
                "the annotation is not in its canonical form");
    return NULL;
}
