#include "agent/recorder/participants_internal.h"
#include "agent/rules/org_policy.h"

static ConsentParticipant
view_of(const Participant *participant, const GArray *said)
{
    return (ConsentParticipant){
        .id = participant->id,
        .role = participant->role,
        .consents = (const ConsentRecord *) (void *) said->data,
        .n_consents = said->len,
        .is_minor = participant->minor.is_minor,
        .has_age = participant->minor.has_age,
        .age = participant->minor.age,
        .jurisdiction = participant->minor.jurisdiction,
    };
}

bool
participants_take_back(const Participants *self, const char *id, const char *purpose)
{
    const Participant *participant = participants_find(self, id);
    g_autoptr(GArray) said = participant != NULL ? participant_consents(participant) : NULL;
    ConsentParticipant view = {0};

    if (said == NULL)
        return false;
    view = view_of(participant, said);
    return consent_is_taken_back(&view, purpose);
}

ConsentDecision
participants_decide(const Participants *self, const OrgSettings *org, const ConsentSession *session,
                    const char *purpose, int64_t now_us)
{
    g_autoptr(GPtrArray) records = g_ptr_array_new_with_free_func((GDestroyNotify) g_array_unref);
    g_autofree ConsentParticipant *everyone = g_new0(ConsentParticipant, self->present->len + 1);
    ConsentSession full = *session;

    for (guint i = 0; i < self->present->len; i++) {
        const Participant *participant = g_ptr_array_index(self->present, i);
        GArray *said = participant_consents(participant);

        g_ptr_array_add(records, said);
        everyone[i] = view_of(participant, said);
    }
    full.participants = everyone;
    full.n_participants = self->present->len;
    return org_policy_consent_decide(org, &full, purpose, now_us);
}

void
participants_note_minors(Participants *self, const OrgSettings *org, const char *service)
{
    const guint n = self->present->len;
    g_autofree MinorsFacts *facts = g_new0(MinorsFacts, n + 1);
    g_autofree ConsentMinors *who = g_new0(ConsentMinors, n + 1);

    for (guint i = 0; i < n; i++) {
        const Participant *participant = self->present->pdata[i];
        const MinorFacts *minor = &participant->minor;

        facts[i] = (MinorsFacts){minor->jurisdiction, service, minor->has_age, minor->age};
    }
    org_policy_minors(org, facts, n, who);
    for (guint i = 0; i < n; i++) {
        Participant *participant = self->present->pdata[i];

        minor_facts_note(&participant->minor, who[i]);
    }
}
