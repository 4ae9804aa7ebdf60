#include "agent/recorder/participant.h"

#include "agent/recorder/request_members.h"
#include "crypto/age_context.h"

#include <string.h>

#define MAX_CONSENTS 256

/* Owns the strings that its ConsentRecord borrows. */
typedef struct {
    char *purpose, *state, *text_version, *evidence, *recipient;
    int64_t at_us, until_us;
    bool is_guardians;
} Consent;

static const char *const purposes[] = {"record-audio",   "record-video", "transcribe", "ai-note",
                                       "quality-review", "training",     "ai-train",   "sud-tpo",
                                       "sud-other",      "sud-legal",    "sud-notes",  NULL};
static const char *const states[] = {"granted", "refused", "withdrawn", NULL};
static const char *const roles[] = {"provider",    "client",   "guardian",
                                    "interpreter", "observer", NULL};
static const char *const consenters[] = {"self", "guardian", NULL};

static void
consent_free(gpointer data)
{
    Consent *self = data;

    g_free(self->purpose);
    g_free(self->state);
    g_free(self->text_version);
    g_free(self->evidence);
    g_free(self->recipient);
    g_free(self);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Consent, consent_free)

static bool
is_one_line(const char *text)
{
    for (; *text != '\0'; text++) {
        if (g_ascii_iscntrl(*text))
            return false;
    }
    return true;
}

/* The string member `name`, copied; NULL and a sentence in `fault` where it is of another type,
 * empty, over 200 bytes, of several lines or (`required`) missing. */
static char *
take_string(const json_t *form, const char *name, bool required, char **fault)
{
    const json_t *member = json_object_get(form, name);
    const char *text = json_string_value(member);

    if (*fault != NULL)
        return NULL;
    if (member == NULL || json_is_null(member)) {
        if (required)
            *fault = g_strdup_printf("\"%s\" is missing", name);
        return NULL;
    }
    if (text == NULL || text[0] == '\0' || json_string_length(member) > 200 ||
        strlen(text) != json_string_length(member)) {
        *fault = g_strdup_printf("\"%s\" must be a string of 1 to 200 bytes", name);
        return NULL;
    }
    if (!is_one_line(text)) {
        *fault = g_strdup_printf("\"%s\" must be one line, without control characters", name);
        return NULL;
    }
    return g_strdup(text);
}

/* The same, of `words` (NULL at the end). */
static char *
take_word(const json_t *form, const char *name, const char *const *words, char **fault)
{
    char *text = take_string(form, name, true, fault);
    g_autofree char *all = NULL;

    if (text == NULL || g_strv_contains(words, text))
        return text;
    all = g_strjoinv(", ", (char **) words);
    *fault = g_strdup_printf("\"%s\" must be one of %s", name, all);
    g_free(text);
    return NULL;
}

static int64_t
take_time(const json_t *form, const char *name, char **fault)
{
    g_autofree char *text = take_string(form, name, false, fault);
    g_autoptr(GDateTime) time = NULL;

    if (text == NULL)
        return 0;
    time = g_date_time_new_from_iso8601(text, NULL);
    if (time == NULL) {
        *fault = g_strdup_printf("\"%s\" must be a time such as 2026-11-21T17:00:00Z", name);
        return 0;
    }
    return g_date_time_to_unix(time) * G_USEC_PER_SEC + g_date_time_get_microsecond(time);
}

static bool
take_by_guardian(const json_t *form, char **fault)
{
    g_autofree char *by =
        json_object_get(form, "by") != NULL ? take_word(form, "by", consenters, fault) : NULL;

    return g_strcmp0(by, "guardian") == 0;
}

/* Whom it is disclosed to is said of a disclosure alone. */
static char *
take_recipient(const json_t *form, const char *purpose, char **fault)
{
    char *recipient = take_string(form, "recipient", false, fault);

    if (recipient == NULL || *fault != NULL)
        return recipient;
    if (!g_str_has_prefix(purpose, "sud-")) {
        *fault = g_strdup("\"recipient\" is said of the purposes \"sud-...\" alone");
    } else if (!age_context_id_is_valid(recipient)) {
        *fault = g_strdup("\"recipient\" must be an id: at most 64 of a-z, 0-9, dot, hyphen and "
                          "underscore, starting with a letter or digit");
    }
    return recipient;
}

static Consent *
take_consent(const json_t *form, char **fault)
{
    static const char *const known[] = {"participant",  "purpose",  "state", "by",
                                        "text_version", "evidence", "at",    "until",
                                        "recipient",    NULL};
    g_autoptr(Consent) consent = g_new0(Consent, 1);

    if (!json_is_object(form)) {
        *fault = g_strdup("a consent must be an object");
        return NULL;
    }
    if (!request_members_are_known(form, known, fault))
        return NULL;
    consent->purpose = take_word(form, "purpose", purposes, fault);
    consent->state = take_word(form, "state", states, fault);
    consent->is_guardians = take_by_guardian(form, fault);
    consent->text_version = take_string(form, "text_version", false, fault);
    consent->evidence = take_string(form, "evidence", false, fault);
    consent->at_us = take_time(form, "at", fault);
    /* Without a time it is said now. */
    if (consent->at_us == 0)
        consent->at_us = g_get_real_time();
    consent->until_us = take_time(form, "until", fault);
    consent->recipient = take_recipient(form, consent->purpose, fault);
    return *fault == NULL ? g_steal_pointer(&consent) : NULL;
}

static void
take_consents(Participant *self, const json_t *list, char **fault)
{
    if (*fault != NULL || list == NULL)
        return;
    if (!json_is_array(list) || json_array_size(list) > MAX_CONSENTS) {
        *fault = g_strdup_printf("\"consents\" must be a list of at most %d", MAX_CONSENTS);
        return;
    }
    for (size_t i = 0; i < json_array_size(list); i++) {
        g_autofree char *cause = NULL;
        Consent *consent = take_consent(json_array_get(list, i), &cause);

        if (consent == NULL) {
            *fault = g_strdup_printf("consents[%zu] of participant %s: %s", i, self->id, cause);
            return;
        }
        g_ptr_array_add(self->consents, consent);
    }
}

Participant *
participant_parse(const json_t *form, char **fault)
{
    static const char *const known[] = {"id",           "role",    "minor",    "age",
                                        "jurisdiction", "subject", "consents", NULL};
    g_autoptr(Participant) self = g_new0(Participant, 1);

    *fault = NULL;
    self->consents = g_ptr_array_new_with_free_func(consent_free);
    if (!json_is_object(form)) {
        *fault = g_strdup("a participant must be an object");
        return NULL;
    }
    if (!request_members_are_known(form, known, fault))
        return NULL;
    self->id = take_string(form, "id", true, fault);
    self->role = take_word(form, "role", roles, fault);
    self->minor = minor_facts_take(form, fault);
    self->subject = take_string(form, "subject", false, fault);
    if (*fault == NULL && !age_context_id_is_valid(self->id)) {
        *fault = g_strdup("a participant's \"id\" must be 1 to 64 of a-z, 0-9, dot, hyphen and "
                          "underscore, starting with a letter or digit");
    }
    take_consents(self, json_object_get(form, "consents"), fault);
    return *fault == NULL ? g_steal_pointer(&self) : NULL;
}

char *
participant_add_consent(Participant *self, const json_t *form)
{
    char *fault = NULL;
    Consent *consent = NULL;

    if (self->consents->len >= MAX_CONSENTS)
        return g_strdup_printf("a participant has at most %d consents", MAX_CONSENTS);
    consent = take_consent(form, &fault);
    if (consent != NULL)
        g_ptr_array_add(self->consents, consent);
    return fault;
}

GArray *
participant_consents(const Participant *self)
{
    GArray *records = g_array_new(FALSE, FALSE, sizeof(ConsentRecord));

    for (guint i = 0; i < self->consents->len; i++) {
        const Consent *consent = g_ptr_array_index(self->consents, i);
        const ConsentRecord record = {
            .purpose = consent->purpose,
            .state = consent->state,
            .text_version = consent->text_version,
            .evidence = consent->evidence,
            .at_us = consent->at_us,
            .until_us = consent->until_us,
            .is_guardians = consent->is_guardians,
            .recipient = consent->recipient,
        };

        g_array_append_val(records, record);
    }
    return records;
}

static json_t *
time_to_json(int64_t time_us)
{
    g_autoptr(GDateTime) time = NULL;
    g_autofree char *text = NULL;

    if (time_us == 0)
        return json_null();
    time = g_date_time_new_from_unix_utc(time_us / G_USEC_PER_SEC);
    text = time != NULL ? g_date_time_format_iso8601(time) : NULL;
    return text != NULL ? json_string(text) : json_null();
}

static json_t *
consent_to_json(const Consent *self)
{
    return json_pack("{s:s, s:s, s:s*, s:s?, s:s?, s:o, s:o, s:s*}", "purpose", self->purpose,
                     "state", self->state, "by", self->is_guardians ? "guardian" : NULL,
                     "text_version", self->text_version, "evidence", self->evidence, "at",
                     time_to_json(self->at_us), "until", time_to_json(self->until_us), "recipient",
                     self->recipient);
}

json_t *
participant_to_json(const Participant *self)
{
    json_t *consents = json_array();
    json_t *form = NULL;

    for (guint i = 0; i < self->consents->len; i++) {
        json_array_append_new(consents, consent_to_json(g_ptr_array_index(self->consents, i)));
    }
    form = json_pack("{s:s, s:s, s:s*, s:o}", "id", self->id, "role", self->role, "subject",
                     self->subject, "consents", consents);
    minor_facts_tell(&self->minor, form);
    return form;
}

void
participant_free(Participant *self)
{
    if (self == NULL)
        return;
    g_free(self->id);
    g_free(self->role);
    g_free(self->subject);
    minor_facts_clear(&self->minor);
    g_ptr_array_unref(self->consents);
    g_free(self);
}
