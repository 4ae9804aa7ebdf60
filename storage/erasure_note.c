#include "storage/erasure_note.h"

#include "crypto/age_context.h"
#include "storage/manifest_words.h"
#include "storage/storage_error.h"

#include <string.h>

enum { N_HEAD = 16 };

ErasureNote *
erasure_note_new(const char *org, const char *session, ErasurePart part)
{
    ErasureNote *self = g_new0(ErasureNote, 1);

    self->org = g_strdup(org);
    self->session = g_strdup(session);
    self->part = part;
    self->lines = g_ptr_array_new_with_free_func(g_free);
    return self;
}

void
erasure_note_free(ErasureNote *self)
{
    if (self == NULL)
        return;
    g_free(self->org);
    g_free(self->session);
    g_free(self->id);
    g_free(self->by);
    g_free(self->software);
    g_free(self->reason);
    g_free(self->rule);
    g_free(self->table);
    g_free(self->requested);
    g_free(self->approved);
    g_free(self->until);
    g_ptr_array_unref(self->lines);
    g_free(self);
}

void
erasure_note_add(ErasureNote *self, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    g_ptr_array_add(self->lines, g_strdup_vprintf(format, arguments));
    va_end(arguments);
}

static void
add_word(GString *text, const char *name, const char *value)
{
    g_string_append_printf(text, "%s %s\n", name, value != NULL ? value : "-");
}

char *
erasure_note_to_text(const ErasureNote *self)
{
    GString *text = g_string_new("sealtape-erasure/v1\n");
    g_autofree char *previous = self->has_previous ? digest_to_hex(&self->previous) : g_strdup("-");
    g_autoptr(GDateTime) at = g_date_time_new_from_unix_utc(self->at_unix_s);
    g_autofree char *time = g_date_time_format(at, "%Y-%m-%dT%H:%M:%SZ");

    add_word(text, "org", self->org);
    add_word(text, "session", self->session);
    g_string_append_printf(text, "number %u\n", self->number);
    add_word(text, "prev", previous);
    add_word(text, "part", self->part == ERASURE_ORDER ? "order" : "certificate");
    add_word(text, "at", time);
    add_word(text, "id", self->id);
    add_word(text, "by", self->by);
    add_word(text, "software", self->software);
    add_word(text, "reason", self->reason);
    add_word(text, "rule", self->rule);
    add_word(text, "table", self->table);
    add_word(text, "requested", self->requested);
    add_word(text, "approved", self->approved);
    add_word(text, "until", self->until);
    for (guint i = 0; i < self->lines->len; i++)
        g_string_append_printf(text, "%s\n", (const char *) self->lines->pdata[i]);
    return g_string_free(text, false);
}

/* Takes what stands behind `name` and a space. Returns: false if the line says something else. */
static bool
take(const char *line, const char *name, char **value)
{
    const size_t n_name = strlen(name);

    if (strncmp(line, name, n_name) != 0 || line[n_name] != ' ' ||
        !manifest_words_is_word(line + n_name + 1))
        return false;
    *value = g_strdup(line + n_name + 1);
    return true;
}

static bool
read_numbers(ErasureNote *self, char **lines)
{
    g_autofree char *number = NULL;
    g_autofree char *previous = NULL;
    g_autofree char *part = NULL;
    g_autofree char *at = NULL;
    g_autoptr(GDateTime) time = NULL;
    int64_t value = 0;

    if (!take(lines[3], "number", &number) || !take(lines[4], "prev", &previous) ||
        !take(lines[5], "part", &part) || !take(lines[6], "at", &at) ||
        !manifest_words_to_number(number, 1, UINT32_MAX, &value))
        return false;
    self->number = (uint32_t) value;
    self->has_previous = strcmp(previous, "-") != 0;
    self->part = strcmp(part, "order") == 0 ? ERASURE_ORDER : ERASURE_CERTIFICATE;
    time = g_date_time_new_from_iso8601(at, NULL);
    if (time == NULL || (self->has_previous && !digest_from_hex(&self->previous, previous)))
        return false;
    self->at_unix_s = g_date_time_to_unix(time);
    return true;
}

static bool
read_head(ErasureNote *self, char **lines)
{
    const struct {
        const char *name;
        char **value;
    } words[] = {
        {"id",        &self->id       },
        {"by",        &self->by       },
        {"software",  &self->software },
        {"reason",    &self->reason   },
        {"rule",      &self->rule     },
        {"table",     &self->table    },
        {"requested", &self->requested},
        {"approved",  &self->approved },
        {"until",     &self->until    },
    };

    if (strcmp(lines[0], "sealtape-erasure/v1") != 0 || !take(lines[1], "org", &self->org) ||
        !take(lines[2], "session", &self->session) || !read_numbers(self, lines))
        return false;
    for (size_t i = 0; i < G_N_ELEMENTS(words); i++) {
        if (!take(lines[7 + i], words[i].name, words[i].value))
            return false;
    }
    return age_context_id_is_valid(self->org) && age_context_id_is_valid(self->session);
}

ErasureNote *
erasure_note_parse(const char *text, GError **error)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    const guint n_lines = g_strv_length(lines);
    g_autoptr(ErasureNote) self = erasure_note_new(NULL, NULL, ERASURE_ORDER);
    g_autofree char *again = NULL;

    if (n_lines > N_HEAD && read_head(self, lines)) {
        for (guint i = N_HEAD; i + 1 < n_lines; i++)
            g_ptr_array_add(self->lines, g_strdup(lines[i]));
        again = erasure_note_to_text(self);
        if (strcmp(again, text) == 0)
            return g_steal_pointer(&self);
    }
    g_set_error(error, STORAGE_ERROR, STORAGE_ERROR_CORRUPT,
                "it is no order or certificate of an erasure that this version knows");
    return NULL;
}

char *
erasure_note_key(const char *org, const char *session, uint32_t number)
{
    return g_strdup_printf("%s/erased/%s/%u.note", org, session, number);
}
