#include "agent/opener/session_consents.h"

#include "agent/rules/org_policy.h"

#include <string.h>

struct SessionConsents {
    GArray *participants; /* ConsentParticipant */
    GPtrArray *merged;    /* GArray of ConsentRecord, of each */
    const char *service;  /* of the session; NULL: not said */
};

/* The consents of everyone, with what was said after the session behind them. */
static GArray *
merge(const AnnotationView *view, const SessionPerson *person)
{
    GArray *consents = g_array_copy(person->consents);

    for (guint i = 0; i < view->consents->len; i++) {
        const AnnotationConsent *later = view->consents->pdata[i];
        const ConsentRecord record = {.purpose = later->purpose,
                                      .state = later->state,
                                      .evidence = later->evidence,
                                      .recipient = later->recipient,
                                      .at_us = later->at_unix_s * G_USEC_PER_SEC};

        if (strcmp(later->participant, person->id) == 0)
            g_array_append_val(consents, record);
    }
    return consents;
}

SessionConsents *
session_consents_new(const SessionPeople *people, const AnnotationView *view)
{
    SessionConsents *self = g_new0(SessionConsents, 1);
    const GPtrArray *list = session_people_list(people);

    self->service = session_people_service(people);
    self->participants = g_array_new(FALSE, FALSE, sizeof(ConsentParticipant));
    self->merged = g_ptr_array_new_with_free_func((GDestroyNotify) g_array_unref);
    for (guint i = 0; i < list->len; i++) {
        const SessionPerson *person = list->pdata[i];
        GArray *records = merge(view, person);
        ConsentParticipant one = session_people_asked(person);

        one.consents = (ConsentRecord *) (void *) records->data;
        one.n_consents = records->len;
        g_ptr_array_add(self->merged, records);
        g_array_append_val(self->participants, one);
    }
    return self;
}

static ConsentSession
ask_of(const SessionConsents *self, const OrgSettings *org, const StoreSettings *place)
{
    return (ConsentSession){
        .org = org->id,
        .participants = (const ConsentParticipant *) (const void *) self->participants->data,
        .n_participants = self->participants->len,
        .region = org_policy_region(org, place),
        .service = self->service};
}

unsigned
session_consents_given(const SessionConsents *self, const OrgSettings *org,
                       const StoreSettings *place, int64_t now_us)
{
    static const struct {
        const char *purpose;
        AccessConsents consent;
    } rows[] = {
        {"transcribe",     ACCESS_CONSENT_TRANSCRIBE},
        {"quality-review", ACCESS_CONSENT_QUALITY   },
        {"training",       ACCESS_CONSENT_TRAINING  },
    };
    const ConsentSession session = ask_of(self, org, place);
    unsigned consents = 0;

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        if (org_policy_consent_decide(org, &session, rows[i].purpose, now_us).reason == CONSENT_OK)
            consents |= (unsigned) rows[i].consent;
    }
    return consents;
}

unsigned
session_consents_part2(const SessionConsents *self, const OrgSettings *org,
                       const StoreSettings *place, const char *recipient, int64_t now_us)
{
    const ConsentSession session = ask_of(self, org, place);

    return org_policy_part2_consents(org, &session, recipient, now_us);
}

/* Returns: NULL for no time, and one that can not be. */
static json_t *
time_to_json(int64_t time_us)
{
    g_autoptr(GDateTime) time =
        time_us > 0 ? g_date_time_new_from_unix_utc(time_us / G_USEC_PER_SEC) : NULL;
    g_autofree char *text = time != NULL ? g_date_time_format_iso8601(time) : NULL;

    return text != NULL ? json_string(text) : NULL;
}

json_t *
session_consents_bound(const SessionConsents *self, unsigned needs, const char *recipient)
{
    json_t *list = json_array();

    for (guint i = 0; i < self->participants->len; i++) {
        const ConsentParticipant *one = &g_array_index(self->participants, ConsentParticipant, i);

        for (size_t j = 0; j < PART2_N_CONSENTS && strcmp(one->role, "client") == 0; j++) {
            const ConsentRecord *record =
                (needs & 1U << j) != 0 ? part2_bound(one, part2_purpose(j), recipient) : NULL;

            if (record == NULL)
                continue;
            json_array_append_new(
                list, json_pack("{s:s, s:s, s:s*, s:s*, s:o*, s:o*}", "participant", one->id,
                                "purpose", record->purpose, "evidence", record->evidence,
                                "recipient", record->recipient, "at", time_to_json(record->at_us),
                                "until", time_to_json(record->until_us)));
        }
    }
    return list;
}

void
session_consents_free(SessionConsents *self)
{
    if (self == NULL)
        return;
    g_array_unref(self->participants);
    g_ptr_array_unref(self->merged);
    g_free(self);
}
