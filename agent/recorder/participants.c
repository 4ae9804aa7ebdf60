#include "agent/recorder/participants.h"

#include "crypto/age_context.h"

#include <string.h>

#define MAX_PARTICIPANTS 256
#define MAX_CONSENTS     256

/* Owns the strings that its ConsentRecord borrows. */
typedef struct {
    char *purpose, *state, *text_version, *evidence;
    int64_t at_us, until_us;
} Consent;

typedef struct {
    char *id, *role;
    char *subject;       /* who this is to whoever issues tokens; NULL: not said */
    GPtrArray *consents; /* Consent, in the order in which they were said */
} Participant;

struct Participants {
    GPtrArray *present; /* Participant */
    GPtrArray *left;    /* Participant: not asked for consent any more */
};

static void
consent_free(gpointer data)
{
    Consent *self = data;

    g_free(self->purpose);
    g_free(self->state);
    g_free(self->text_version);
    g_free(self->evidence);
    g_free(self);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Consent, consent_free)

static void
participant_free(gpointer data)
{
    Participant *self = data;

    g_free(self->id);
    g_free(self->role);
    g_free(self->subject);
    g_ptr_array_unref(self->consents);
    g_free(self);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Participant, participant_free)

Participants *
participants_new(void)
{
    Participants *self = g_new0(Participants, 1);

    self->present = g_ptr_array_new_with_free_func(participant_free);
    self->left = g_ptr_array_new_with_free_func(participant_free);
    return self;
}

/* The string member `name`, copied; NULL and a sentence in `fault` where it is of another type,
 * empty, over 200 bytes or
 * (`required`) missing. */
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
    return g_strdup(text);
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

static Consent *
take_consent(const json_t *form, char **fault)
{
    g_autoptr(Consent) consent = g_new0(Consent, 1);

    if (!json_is_object(form)) {
        *fault = g_strdup("a consent must be an object");
        return NULL;
    }
    consent->purpose = take_string(form, "purpose", true, fault);
    consent->state = take_string(form, "state", true, fault);
    consent->text_version = take_string(form, "text_version", false, fault);
    consent->evidence = take_string(form, "evidence", false, fault);
    consent->at_us = take_time(form, "at", fault);
    /* Without a time it is said now. */
    if (consent->at_us == 0)
        consent->at_us = g_get_real_time();
    consent->until_us = take_time(form, "until", fault);
    return *fault == NULL ? g_steal_pointer(&consent) : NULL;
}

static char *
take_consents(Participant *participant, const json_t *list)
{
    char *fault = NULL;

    if (list == NULL)
        return NULL;
    if (!json_is_array(list) || json_array_size(list) > MAX_CONSENTS)
        return g_strdup_printf("\"consents\" must be a list of at most %d", MAX_CONSENTS);
    for (size_t i = 0; i < json_array_size(list); i++) {
        Consent *consent = take_consent(json_array_get(list, i), &fault);

        if (consent == NULL) {
            g_autofree char *cause = fault;

            return g_strdup_printf("consents[%zu] of participant %s: %s", i, participant->id,
                                   cause);
        }
        g_ptr_array_add(participant->consents, consent);
    }
    return NULL;
}

/* Returns: the place of `id` in a list; its length if it is not there. */
static guint
place_of(const GPtrArray *list, const char *id)
{
    guint i = 0;

    while (i < list->len && strcmp(((const Participant *) list->pdata[i])->id, id) != 0)
        i++;
    return i;
}

static Participant *
find(const Participants *self, const char *id)
{
    const guint place = place_of(self->present, id);

    return place < self->present->len ? self->present->pdata[place] : NULL;
}

/* Who comes back is present, and not one who left. */
static void
take_back(Participants *self, const char *id)
{
    const guint place = place_of(self->left, id);

    if (place < self->left->len)
        g_ptr_array_remove_index(self->left, place);
}

char *
participants_add(Participants *self, const json_t *form)
{
    g_autoptr(Participant) participant = g_new0(Participant, 1);
    char *fault = NULL;

    participant->consents = g_ptr_array_new_with_free_func(consent_free);
    if (!json_is_object(form))
        return g_strdup("a participant must be an object");
    participant->id = take_string(form, "id", true, &fault);
    participant->role = take_string(form, "role", true, &fault);
    participant->subject = take_string(form, "subject", false, &fault);
    if (fault != NULL)
        return fault;
    if (!age_context_id_is_valid(participant->id)) {
        return g_strdup("a participant's \"id\" must be 1 to 64 of a-z, 0-9, dot, hyphen and "
                        "underscore, starting with a letter or digit");
    }
    if (find(self, participant->id) != NULL)
        return g_strdup_printf("participant %s is there already", participant->id);
    if (self->present->len >= MAX_PARTICIPANTS)
        return g_strdup_printf("a session has at most %d participants", MAX_PARTICIPANTS);
    fault = take_consents(participant, json_object_get(form, "consents"));
    if (fault != NULL)
        return fault;
    take_back(self, participant->id);
    g_ptr_array_add(self->present, g_steal_pointer(&participant));
    return NULL;
}

char *
participants_add_consent(Participants *self, const json_t *form)
{
    char *fault = NULL;
    g_autofree char *id = take_string(form, "participant", true, &fault);
    Participant *participant = id != NULL ? find(self, id) : NULL;
    Consent *consent = NULL;

    if (fault != NULL)
        return fault;
    if (participant == NULL)
        return g_strdup_printf("there is no participant %s in this session", id);
    if (participant->consents->len >= MAX_CONSENTS)
        return g_strdup_printf("a participant has at most %d consents", MAX_CONSENTS);
    consent = take_consent(form, &fault);
    if (consent == NULL)
        return fault;
    g_ptr_array_add(participant->consents, consent);
    return NULL;
}

bool
participants_remove(Participants *self, const char *id)
{
    const guint place = place_of(self->present, id);

    if (place == self->present->len)
        return false;
    if (self->left->len == MAX_PARTICIPANTS)
        g_ptr_array_remove_index(self->left, 0);
    g_ptr_array_add(self->left, g_ptr_array_steal_index(self->present, place));
    return true;
}

unsigned
participants_count(const Participants *self)
{
    return self->present->len;
}

bool
participants_contain(const Participants *self, const char *id)
{
    return find(self, id) != NULL;
}

static GArray *
borrow_consents(const Participant *participant)
{
    GArray *records = g_array_new(FALSE, FALSE, sizeof(ConsentRecord));

    for (guint i = 0; i < participant->consents->len; i++) {
        const Consent *consent = g_ptr_array_index(participant->consents, i);
        const ConsentRecord record = {
            .purpose = consent->purpose,
            .state = consent->state,
            .text_version = consent->text_version,
            .evidence = consent->evidence,
            .at_us = consent->at_us,
            .until_us = consent->until_us,
        };

        g_array_append_val(records, record);
    }
    return records;
}

ConsentDecision
participants_decide(const Participants *self, const ConsentPolicy *policy, const char *org,
                    const char *purpose, int64_t now_us)
{
    g_autoptr(GPtrArray) records = g_ptr_array_new_with_free_func((GDestroyNotify) g_array_unref);
    g_autofree ConsentParticipant *everyone = g_new0(ConsentParticipant, self->present->len + 1);

    for (guint i = 0; i < self->present->len; i++) {
        const Participant *participant = g_ptr_array_index(self->present, i);
        GArray *said = borrow_consents(participant);

        g_ptr_array_add(records, said);
        everyone[i] = (ConsentParticipant){
            .id = participant->id,
            .role = participant->role,
            .consents = (const ConsentRecord *) (void *) said->data,
            .n_consents = said->len,
        };
    }
    return consent_decide(policy,
                          &(ConsentSession){
                              .org = org,
                              .participants = everyone,
                              .n_participants = self->present->len,
                          },
                          purpose, now_us);
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
    return json_pack("{s:s, s:s, s:s?, s:s?, s:o, s:o}", "purpose", self->purpose, "state",
                     self->state, "text_version", self->text_version, "evidence", self->evidence,
                     "at", time_to_json(self->at_us), "until", time_to_json(self->until_us));
}

static json_t *
participant_to_json(const Participant *participant)
{
    json_t *consents = json_array();

    for (guint i = 0; i < participant->consents->len; i++) {
        json_array_append_new(consents,
                              consent_to_json(g_ptr_array_index(participant->consents, i)));
    }
    return json_pack("{s:s, s:s, s:s*, s:o}", "id", participant->id, "role", participant->role,
                     "subject", participant->subject, "consents", consents);
}

json_t *
participants_to_json(const Participants *self)
{
    json_t *list = json_array();

    for (guint i = 0; i < self->present->len; i++)
        json_array_append_new(list, participant_to_json(g_ptr_array_index(self->present, i)));
    for (guint i = 0; i < self->left->len; i++) {
        json_t *one = participant_to_json(g_ptr_array_index(self->left, i));

        json_object_set_new(one, "left", json_true());
        json_array_append_new(list, one);
    }
    return list;
}

void
participants_free(Participants *self)
{
    if (self == NULL)
        return;
    g_ptr_array_unref(self->present);
    g_ptr_array_unref(self->left);
    g_free(self);
}
