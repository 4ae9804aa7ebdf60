#include "agent/policy/consent.h"

#include <glib.h>
#include <string.h>

/* A consent's time may be ahead of our clock by this much: two hosts' clocks are never equal. */
#define CLOCK_TOLERANCE_US ((int64_t) 60 * G_USEC_PER_SEC)

typedef enum {
    OWN,
    GUARDIANS,
    N_CONSENTERS,
} Consenter;

/* Everything a rule may look at. `newest` are the participant's records that decide, NULL where
 * there is none: what it said itself, and what a guardian said for it; `needs`, which of the two
 * must have said yes. */
typedef struct {
    const ConsentPolicy *policy;
    const ConsentSession *session;
    const ConsentParticipant *participant;
    const ConsentRecord *newest[N_CONSENTERS];
    bool needs[N_CONSENTERS];
    ConsentMinors minors; /* for `participant`, where it is one */
    const char *purpose;
    int64_t now_us;
} Case;

static bool
is_empty(const char *text)
{
    return text == NULL || text[0] == '\0';
}

static bool
is_one_of(const char *text, const char *const *list)
{
    for (; text != NULL && *list != NULL; list++) {
        if (strcmp(text, *list) == 0)
            return true;
    }
    return false;
}

static bool
is_of_purpose(const ConsentRecord *record, const char *purpose)
{
    return record->purpose != NULL && strcmp(record->purpose, purpose) == 0;
}

static const ConsentRecord *
find_newest(const ConsentParticipant *participant, const char *purpose, Consenter who)
{
    const ConsentRecord *newest = NULL;
    size_t n = participant->consents != NULL ? participant->n_consents : 0;

    for (size_t i = 0; i < n; i++) {
        const ConsentRecord *record = &participant->consents[i];

        if (is_of_purpose(record, purpose) && record->is_guardians == (who == GUARDIANS) &&
            (newest == NULL || record->at_us >= newest->at_us))
            newest = record;
    }
    return newest;
}

static bool
role_is_unknown(const Case *c)
{
    static const char *const roles[] = {"provider",    "client",   "guardian",
                                        "interpreter", "observer", NULL};

    return !is_one_of(c->participant->role, roles);
}

static bool
is_granted(const ConsentRecord *record)
{
    return record != NULL && g_strcmp0(record->state, "granted") == 0;
}

/* Somebody said yes, but not who must: a guardian for an adult, a minor alone. */
static bool
another_consented(const Case *c)
{
    if (c->participant->is_minor && c->minors == CONSENT_MINORS_NEVER)
        return true;
    for (int who = 0; who < N_CONSENTERS; who++) {
        if (c->needs[who] && c->newest[who] == NULL && is_granted(c->newest[!who]))
            return true;
    }
    return false;
}

/* Two people under one id: nobody could tell whose consent it was. */
static bool
consenter_is_invalid(const Case *c)
{
    const char *id = c->participant->id;
    size_t n_same = 0;

    if (is_empty(id))
        return true;
    for (size_t i = 0; i < c->session->n_participants; i++)
        n_same += g_strcmp0(c->session->participants[i].id, id) == 0;
    return n_same != 1 || another_consented(c);
}

/* Anybody's no counts, whoever must say yes. */
static bool
state_is(const Case *c, const char *state)
{
    for (int who = 0; who < N_CONSENTERS; who++) {
        if (c->newest[who] != NULL && g_strcmp0(c->newest[who]->state, state) == 0)
            return true;
    }
    return false;
}

static bool
is_refused(const Case *c)
{
    return state_is(c, "refused");
}

static bool
is_withdrawn(const Case *c)
{
    return state_is(c, "withdrawn");
}

/* Whether `is_wrong` is true of the word of anybody who must say yes. */
static bool
any_needed(const Case *c, bool (*is_wrong)(const Case *c, const ConsentRecord *record))
{
    for (int who = 0; who < N_CONSENTERS; who++) {
        if (c->needs[who] && is_wrong(c, c->newest[who]))
            return true;
    }
    return false;
}

/* Also for a state that nobody knows: only "granted" is a yes. */
static bool
record_is_missing(const Case *c, const ConsentRecord *record)
{
    return !is_granted(record);
}

static bool
is_missing(const Case *c)
{
    return any_needed(c, record_is_missing);
}

static bool
record_is_expired(const Case *c, const ConsentRecord *record)
{
    return (record->until_us != 0 && record->until_us <= c->now_us) ||
           (c->policy->max_age_us != 0 && c->now_us - record->at_us >= c->policy->max_age_us);
}

static bool
is_expired(const Case *c)
{
    return any_needed(c, record_is_expired);
}

static bool
record_text_is_stale(const Case *c, const ConsentRecord *record)
{
    return c->policy->text_version != NULL &&
           g_strcmp0(record->text_version, c->policy->text_version) != 0;
}

static bool
text_is_stale(const Case *c)
{
    return any_needed(c, record_text_is_stale);
}

/* Also where it is no one line that could be found again. */
static bool
record_lacks_evidence(const Case *c, const ConsentRecord *record)
{
    if (is_empty(record->evidence))
        return c->policy->evidence_required;
    for (const char *at = record->evidence; *at != '\0'; at++) {
        if (g_ascii_iscntrl(*at))
            return true;
    }
    return false;
}

static bool
evidence_is_missing(const Case *c)
{
    return any_needed(c, record_lacks_evidence);
}

/* A record without a time counts too: it might be a withdrawal newer than the grant that decides.
 */
static bool
clock_is_untrusted(const Case *c)
{
    if (c->now_us <= 0)
        return true;
    for (size_t i = 0; i < c->participant->n_consents; i++) {
        const ConsentRecord *record = &c->participant->consents[i];

        if (is_of_purpose(record, c->purpose) &&
            (record->at_us <= 0 || record->at_us - CLOCK_TOLERANCE_US > c->now_us))
            return true;
    }
    return false;
}

/* What is asked of every participant, in order of precedence; rules behind `is_missing` have a
 * record of everyone who must consent. */
static const struct {
    ConsentReason reason;
    bool (*applies)(const Case *c);
} rules[] = {
    {CONSENT_PARTICIPANT_UNKNOWN, role_is_unknown     },
    {CONSENT_CONSENTER_INVALID,   consenter_is_invalid},
    {CONSENT_REFUSED,             is_refused          },
    {CONSENT_WITHDRAWN,           is_withdrawn        },
    {CONSENT_MISSING,             is_missing          },
    {CONSENT_EXPIRED,             is_expired          },
    {CONSENT_TEXT_STALE,          text_is_stale       },
    {CONSENT_EVIDENCE_MISSING,    evidence_is_missing },
    {CONSENT_CLOCK_UNTRUSTED,     clock_is_untrusted  },
};

/* Returns: the first reason against recording `c->participant`; CONSENT_OK if there is none. */
static ConsentReason
judge_participant(const Case *c)
{
    for (size_t i = 0; i < G_N_ELEMENTS(rules); i++) {
        if (rules[i].applies(c))
            return rules[i].reason;
    }
    return CONSENT_OK;
}

static ConsentReason
judge_policy(const ConsentPolicy *policy, int64_t now_us)
{
    if (policy == NULL)
        return CONSENT_POLICY_MISSING;
    if (policy->is_invalid)
        return CONSENT_POLICY_INVALID;
    if (is_empty(policy->org) || policy->purposes == NULL)
        return CONSENT_POLICY_MISSING;
    if (policy->valid_until_us != 0 && policy->valid_until_us <= now_us)
        return CONSENT_POLICY_STALE;
    return CONSENT_OK;
}

/* Returns: the first reason that is nobody's; CONSENT_OK if there is none. */
static ConsentReason
judge_session(const ConsentPolicy *policy, const ConsentSession *session, const char *purpose)
{
    if (session == NULL || is_empty(purpose))
        return CONSENT_INTERNAL_ERROR;
    if (g_strcmp0(policy->org, session->org) != 0)
        return CONSENT_ORG_MISMATCH;
    if (policy->is_disabled)
        return CONSENT_ORG_DISABLED;
    if (!is_one_of(purpose, policy->purposes))
        return CONSENT_PURPOSE_DISABLED;
    if (policy->regions != NULL && !is_one_of(session->region, policy->regions))
        return CONSENT_REGION_FORBIDDEN;
    if (session->n_participants == 0)
        return CONSENT_PARTICIPANT_UNKNOWN;
    if (session->participants == NULL)
        return CONSENT_INTERNAL_ERROR;
    return CONSENT_OK;
}

/* Who must say yes for `c->participant`. */
static void
find_needs(Case *c)
{
    const bool must = c->policy->roles == NULL || is_one_of(c->participant->role, c->policy->roles);
    const bool is_minor = c->participant->is_minor;
    const MinorsFacts facts = {c->participant->jurisdiction, c->session->service,
                               c->participant->has_age, c->participant->age};

    c->minors = minors_decide(&c->policy->minors, &facts);
    c->needs[OWN] = must && (!is_minor || c->minors != CONSENT_MINORS_GUARDIAN);
    c->needs[GUARDIANS] = must && is_minor && c->minors != CONSENT_MINORS_ALONE;
}

/* What one purpose needs of another. */
static ConsentReason
judge_prerequisite(const ConsentPolicy *policy, const ConsentSession *session, const char *purpose,
                   int64_t now_us)
{
    if (strcmp(purpose, "ai-note") == 0 &&
        consent_decide(policy, session, "transcribe", now_us).reason != CONSENT_OK)
        return CONSENT_PREREQUISITE_PURPOSE;
    return CONSENT_OK;
}

/* The reason that stands first in the list stays. */
static void
take_earlier(ConsentDecision *decision, ConsentReason reason, const char *participant)
{
    if (reason == CONSENT_OK || (decision->reason != CONSENT_OK && reason >= decision->reason))
        return;
    decision->reason = reason;
    decision->participant = participant;
}

ConsentDecision
consent_decide(const ConsentPolicy *policy, const ConsentSession *session, const char *purpose,
               int64_t now_us)
{
    ConsentDecision decision = {judge_policy(policy, now_us), NULL};

    if (decision.reason == CONSENT_OK)
        decision.reason = judge_session(policy, session, purpose);
    if (decision.reason != CONSENT_OK)
        return decision;
    for (size_t i = 0; i < session->n_participants; i++) {
        const ConsentParticipant *participant = &session->participants[i];
        Case c = {.policy = policy,
                  .session = session,
                  .participant = participant,
                  .purpose = purpose,
                  .now_us = now_us};

        for (int who = 0; who < N_CONSENTERS; who++)
            c.newest[who] = find_newest(participant, purpose, (Consenter) who);
        find_needs(&c);
        take_earlier(&decision, judge_participant(&c), participant->id);
    }
    take_earlier(&decision, judge_prerequisite(policy, session, purpose, now_us), NULL);
    if (session->is_audit_unavailable)
        take_earlier(&decision, CONSENT_AUDIT_UNAVAILABLE, NULL);
    return decision;
}

static bool
was_granted(const ConsentParticipant *participant, const char *purpose)
{
    for (size_t i = 0; i < participant->n_consents; i++) {
        if (is_of_purpose(&participant->consents[i], purpose) &&
            is_granted(&participant->consents[i]))
            return true;
    }
    return false;
}

bool
consent_is_taken_back(const ConsentParticipant *participant, const char *purpose)
{
    for (int who = 0; who < N_CONSENTERS; who++) {
        const ConsentRecord *newest = find_newest(participant, purpose, (Consenter) who);
        const char *state = newest != NULL ? newest->state : NULL;

        if (g_strcmp0(state, "withdrawn") == 0 ||
            (g_strcmp0(state, "refused") == 0 && was_granted(participant, purpose)))
            return true;
    }
    return false;
}
