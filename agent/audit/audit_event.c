#include "agent/audit/audit_event.h"

#include <string.h>

enum { MAX_VALUE_BYTES = 128, MAX_CLIENTS_BYTES = 640 };

static const char *const outcome_texts[] = {
    [AUDIT_OK] = "ok",
    [AUDIT_REFUSED] = "refused",
    [AUDIT_FAILED] = "failed",
};

typedef enum { TEXT, TIME_US, COUNT } FieldForm;

#define FIELD(form, member)                                                                        \
    {                                                                                              \
#member, form, offsetof(AuditEvent, member)                                                \
    }

/* In the order in which a record has them. */
static const struct {
    const char *name;
    FieldForm form;
    size_t offset;
} fields[] = {
    FIELD(TEXT, session),     FIELD(TEXT, participant), FIELD(TEXT, purpose),
    FIELD(TEXT, state),       FIELD(TEXT, reason),      FIELD(TEXT, text_version),
    FIELD(TEXT, evidence),    FIELD(TEXT, policy),      FIELD(TEXT, actor),
    FIELD(TEXT, role),        FIELD(TEXT, use),         FIELD(TEXT, token),
    FIELD(TEXT, grant),       FIELD(TEXT, address),     FIELD(TEXT, approver),
    FIELD(TEXT, review),      FIELD(TEXT, client),      FIELD(TEXT, tracks),
    FIELD(TIME_US, from_us),  FIELD(TIME_US, to_us),    FIELD(TEXT, recipient),
    FIELD(TEXT, basis),       FIELD(TEXT, key),         FIELD(TEXT, new_key),
    FIELD(TEXT, matter),      FIELD(TEXT, rule),        FIELD(TEXT, until),
    FIELD(TEXT, certificate), FIELD(TEXT, object),      FIELD(TEXT, detail),
    FIELD(COUNT, count),
};

static const char *const *
text_at(const AuditEvent *self, size_t i)
{
    return (const char *const *) (const void *) ((const char *) self + fields[i].offset);
}

/* Returns: the value of field `i` as a text, owned; NULL if it is not set. */
static char *
value_of(const AuditEvent *self, size_t i)
{
    const void *place = (const char *) self + fields[i].offset;

    if (fields[i].form == TEXT)
        return g_strdup(*text_at(self, i));
    if (fields[i].form == TIME_US) {
        return self->from_us == 0 && self->to_us == 0
                   ? NULL
                   : g_strdup_printf("%" G_GINT64_FORMAT, *(const int64_t *) place);
    }
    return self->count == 0 ? NULL : g_strdup_printf("%" G_GUINT64_FORMAT, self->count);
}

/* Everything that could end a word, or a line, or be no ASCII, is encoded as in a URL. */
static void
append_value(GString *words, const char *name, const char *value)
{
    static const char *const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                     "0123456789._:/@+,-";
    const size_t n_most = strcmp(name, "client") == 0 ? MAX_CLIENTS_BYTES : MAX_VALUE_BYTES;
    size_t n_bytes = 0;

    g_string_append_printf(words, " %s=", name);
    for (const char *next = value; *next != '\0' && n_bytes < n_most; next++, n_bytes++) {
        if (strchr(plain, *next) != NULL) {
            g_string_append_c(words, *next);
        } else {
            g_string_append_printf(words, "%%%02X", (unsigned char) *next);
        }
    }
}

void
audit_event_each(const AuditEvent *self, AuditFieldFunc on_field, void *user_data)
{
    for (size_t i = 0; i < G_N_ELEMENTS(fields); i++) {
        g_autofree char *value = value_of(self, i);

        if (value != NULL)
            on_field(fields[i].name, value, user_data);
    }
}

static void
on_field(const char *name, const char *value, void *user_data)
{
    append_value(user_data, name, value);
}

char *
audit_event_words(const AuditEvent *self)
{
    GString *words = g_string_new(audit_kind_text(self->kind));

    g_string_append_printf(words, " %s", outcome_texts[self->outcome]);
    audit_event_each(self, on_field, words);
    g_assert(words->len <= AUDIT_EVENT_MOST_BYTES);
    return g_string_free(words, FALSE);
}

static bool
parse_outcome(const char *text, AuditOutcome *outcome)
{
    for (size_t i = 0; i < G_N_ELEMENTS(outcome_texts); i++) {
        if (strcmp(outcome_texts[i], text) == 0) {
            *outcome = (AuditOutcome) i;
            return true;
        }
    }
    return false;
}

static void
set_field(AuditEvent *self, size_t i, const char *value)
{
    void *place = (char *) self + fields[i].offset;

    if (fields[i].form == TEXT) {
        *(const char **) place = value;
    } else if (fields[i].form == TIME_US) {
        *(int64_t *) place = g_ascii_strtoll(value, NULL, 10);
    } else {
        *(uint64_t *) place = g_ascii_strtoull(value, NULL, 10);
    }
}

/* Decodes `word` in place: what is encoded only gets shorter. Returns: false - nobody wrote that.
 */
static bool
decode(char *word)
{
    char *to = word;

    for (const char *from = word; *from != '\0'; from++) {
        if (*from != '%') {
            *to++ = *from;
            continue;
        }
        if (!g_ascii_isxdigit(from[1]) || !g_ascii_isxdigit(from[2]))
            return false;
        *to = (char) (g_ascii_xdigit_value(from[1]) * 16 + g_ascii_xdigit_value(from[2]));
        if (*to++ == '\0')
            return false;
        from += 2;
    }
    *to = '\0';
    return true;
}

/* Digits and marks of ISO 8601 alone, which every format may have as they stand. */
static bool
is_time(const char *text)
{
    g_autoptr(GDateTime) time = NULL;

    if (strspn(text, "0123456789-:.TZ") == strlen(text))
        time = g_date_time_new_from_iso8601(text, NULL);
    return time != NULL;
}

static bool
parse_field(AuditEvent *self, char *word)
{
    char *value = strchr(word, '=');

    if (value == NULL)
        return false;
    *value++ = '\0';
    if (!decode(value))
        return false;
    for (size_t i = 0; i < G_N_ELEMENTS(fields); i++) {
        if (strcmp(fields[i].name, word) == 0)
            set_field(self, i, value);
    }
    return true;
}

bool
audit_record_parse(AuditRecord *self, const char *line, size_t n_bytes)
{
    g_autofree char *text = g_strndup(line, n_bytes);

    self->texts = g_strsplit(text, " ", -1);
    if (strlen(text) != n_bytes || g_strv_length(self->texts) < 4 ||
        !g_ascii_string_to_unsigned(self->texts[0], 10, 0, G_MAXUINT64, &self->number, NULL) ||
        !is_time(self->texts[1]) || !parse_outcome(self->texts[3], &self->event.outcome))
        return false;
    self->time = self->texts[1];
    self->event.kind = audit_kind_of(self->texts[2]);
    if (self->event.kind == N_AUDIT_KINDS)
        return false;
    for (char **word = self->texts + 4; *word != NULL; word++) {
        if (!parse_field(&self->event, *word))
            return false;
    }
    return true;
}

void
audit_record_clear(AuditRecord *self)
{
    g_strfreev(self->texts);
    memset(self, 0, sizeof(*self));
}
