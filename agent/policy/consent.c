#include "agent/policy/consent.h"

#include <glib.h>
#include <string.h>

/* A consent's time may be ahead of our clock by this much: two hosts' clocks are never equal. */
#define CLOCK_TOLERANCE_US ((int64_t) 60 * G_USEC_PER_SEC)

/* Everything a rule may look at. `newest` is the participant's record that decides; NULL if there
 * is none. */
typedef struct {
    const ConsentPolicy *policy;
    const ConsentSession *session;
    const ConsentParticipant *participant;
    const ConsentRecord *newest;
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
find_newest(const ConsentParticipant *participant, const char *purpose)
{
    const ConsentRecord *newest = NULL;
    size_t n = participant->consents != NULL ? participant->n_consents : 0;

    for (size_t i = 0; i < n; i++) {
        const ConsentRecord *record = &participant->consents[i];

        if (is_of_purpose(record, purpose) && (newest == NULL || record->at_us >= newest->at_us))
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
    return n_same != 1;
}

static bool
state_is(const Case *c, const char *state)
{
    return c->newest != NULL && g_strcmp0(c->newest->state, state) == 0;
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

/* Also for a state that nobody knows: only "granted" is a yes. */
static bool
is_missing(const Case *c)
{
    return !state_is(c, "granted");
}

static bool
is_expired(const Case *c)
{
    return c->newest->until_us != 0 && c->newest->until_us <= c->now_us;
}

static bool
text_is_stale(const Case *c)
{
    return c->policy->text_version != NULL &&
           g_strcmp0(c->newest->text_version, c->policy->text_version) != 0;
}

static bool
evidence_is_missing(const Case *c)
{
    return c->policy->evidence_required && is_empty(c->newest->evidence);
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
 * newest record. */
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

/* Returns: the first reason that is nobody's; CONSENT_OK if there is none. */
static ConsentReason
judge_session(const ConsentPolicy *policy, const ConsentSession *session, const char *purpose)
{
    if (policy == NULL || is_empty(policy->org) || policy->purposes == NULL)
        return CONSENT_POLICY_MISSING;
    if (session == NULL || is_empty(purpose))
        return CONSENT_INTERNAL_ERROR;
    if (g_strcmp0(policy->org, session->org) != 0)
        return CONSENT_ORG_MISMATCH;
    if (!is_one_of(purpose, policy->purposes))
        return CONSENT_PURPOSE_DISABLED;
    if (session->n_participants == 0)
        return CONSENT_PARTICIPANT_UNKNOWN;
    if (session->participants == NULL)
        return CONSENT_INTERNAL_ERROR;
    return CONSENT_OK;
}

ConsentDecision
consent_decide(const ConsentPolicy *policy, const ConsentSession *session, const char *purpose,
               int64_t now_us)
{
    ConsentDecision decision = {judge_session(policy, session, purpose), NULL};

    if (decision.reason != CONSENT_OK)
        return decision;
    for (size_t i = 0; i < session->n_participants; i++) {
        const ConsentParticipant *participant = &session->participants[i];
        const Case c = {policy,  session, participant, find_newest(participant, purpose),
                        purpose, now_us};
        ConsentReason reason = judge_participant(&c);

        if (reason != CONSENT_OK && (decision.reason == CONSENT_OK || reason < decision.reason)) {
            decision.reason = reason;
            decision.participant = participant->id;
        }
    }
    return decision;
}

const char *
consent_reason_text(ConsentReason reason)
{
    static const char *const texts[] = {
        [CONSENT_OK] = "ok",
        [CONSENT_POLICY_MISSING] = "policy-missing",
        [CONSENT_ORG_MISMATCH] = "org-mismatch",
        [CONSENT_PURPOSE_DISABLED] = "purpose-disabled",
        [CONSENT_PARTICIPANT_UNKNOWN] = "participant-unknown",
        [CONSENT_CONSENTER_INVALID] = "consenter-invalid",
        [CONSENT_REFUSED] = "consent-refused",
        [CONSENT_WITHDRAWN] = "consent-withdrawn",
        [CONSENT_MISSING] = "consent-missing",
        [CONSENT_EXPIRED] = "consent-expired",
        [CONSENT_TEXT_STALE] = "consent-text-stale",
        [CONSENT_EVIDENCE_MISSING] = "evidence-missing",
        [CONSENT_CLOCK_UNTRUSTED] = "clock-untrusted",
        [CONSENT_INTERNAL_ERROR] = "internal-error",
    };

    return (size_t) reason < G_N_ELEMENTS(texts) ? texts[reason] : texts[CONSENT_INTERNAL_ERROR];
}
