#include "agent/policy/access.h"

#include "agent/policy/access_rows.h"

#include <glib.h>
#include <string.h>

/* Two hosts' clocks are never equal; as for consents. */
#define CLOCK_TOLERANCE_US ((int64_t) 60 * G_USEC_PER_SEC)

/* What no organisation may exceed. */
#define START_MOST_US ((int64_t) 300 * G_USEC_PER_SEC)
#define LIFE_MOST_US  ((int64_t) 3600 * G_USEC_PER_SEC)

/* Everything a rule may look at. */
typedef struct {
    const AccessPolicy *policy;
    const AccessPerson *person;
    const AccessSession *session;
    const AccessRequest *request;
    const AccessRow *row; /* NULL: no row for the role, the action and the purpose */
    AccessRole role;
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

/* --- rules about everything but the role --- */

static bool
policy_is_missing(const Case *c)
{
    return c->policy == NULL || is_empty(c->policy->org);
}

static bool
policy_is_stale(const Case *c)
{
    return c->policy->valid_until_us != 0 && c->policy->valid_until_us <= c->now_us;
}

static bool
org_is_disabled(const Case *c)
{
    return !c->policy->is_enabled;
}

static bool
org_differs(const Case *c)
{
    return g_strcmp0(c->person->org, c->policy->org) != 0 ||
           (c->session != NULL && g_strcmp0(c->session->org, c->policy->org) != 0);
}

static bool
person_is_unknown(const Case *c)
{
    return is_empty(c->person->id) || (c->person->roles & ((1U << N_ACCESS_ROLES) - 1)) == 0;
}

static bool
clock_is_untrusted(const Case *c)
{
    return c->now_us <= 0 || c->person->mfa_at_us - CLOCK_TOLERANCE_US > c->now_us;
}

/* --- rules about one role --- */

static bool
role_is_forbidden(const Case *c)
{
    return !access_role_may(c->role, c->request->action, NULL) ||
           (c->policy->may[c->role] & (1U << c->request->action)) == 0;
}

static bool
purpose_is_unknown(const Case *c)
{
    return c->request->action == ACCESS_PLAY
               ? !access_purpose_is_known(c->request->purpose)
               : c->request->purpose != NULL && !access_purpose_is_known(c->request->purpose);
}

static bool
purpose_is_forbidden(const Case *c)
{
    const char *const *left = c->policy->purposes[c->role];

    return c->row == NULL ||
           (c->row->purpose != NULL && left != NULL && !is_one_of(c->request->purpose, left));
}

static bool
row_asks(const Case *c, AccessConditions condition)
{
    return (c->row->conditions & (unsigned) condition) != 0;
}

static bool
session_is_missing(const Case *c)
{
    return row_asks(c, ACCESS_OF_SESSION) &&
           (c->session == NULL ||
            (c->session->n_participants > 0 && c->session->participants == NULL));
}

static bool
has_part(const Case *c, const char *part)
{
    for (size_t i = 0; i < c->session->n_participants; i++) {
        const AccessParticipant *one = &c->session->participants[i];

        if (!is_empty(c->person->subject) && g_strcmp0(one->subject, c->person->subject) == 0 &&
            g_strcmp0(one->role, part) == 0)
            return true;
    }
    return false;
}

static bool
is_not_own(const Case *c)
{
    if (!row_asks(c, ACCESS_IF_OWN) || c->person->owns_every_session)
        return false;
    if (c->role == ACCESS_ROLE_PROVIDER)
        return !has_part(c, "provider");
    return c->role != ACCESS_ROLE_CLIENT || (!has_part(c, "client") && !has_part(c, "guardian"));
}

/* Who is only the guardian of a minor that consented alone. */
static bool
is_confidential(const Case *c)
{
    return row_asks(c, ACCESS_IF_OWN) && c->role == ACCESS_ROLE_CLIENT &&
           c->session->is_minor_alone && !has_part(c, "client");
}

static bool
is_erased(const Case *c)
{
    return row_asks(c, ACCESS_OF_SESSION) && c->session->is_erased;
}

static bool
is_open(const Case *c)
{
    return c->request->action == ACCESS_PLAY && c->session->is_open;
}

static bool
is_quarantined(const Case *c)
{
    return c->request->action == ACCESS_PLAY && c->session->is_quarantined &&
           !row_asks(c, ACCESS_EVEN_QUARANTINED);
}

static bool
is_restricted(const Case *c)
{
    return c->request->action == ACCESS_PLAY && c->session->is_restricted &&
           !row_asks(c, ACCESS_EVEN_RESTRICTED);
}

static bool
is_not_released(const Case *c)
{
    if (!row_asks(c, ACCESS_IF_RELEASED) || c->policy->release == ACCESS_RELEASE_ALWAYS)
        return false;
    return c->policy->release != ACCESS_RELEASE_BY_HAND || !c->session->is_released;
}

static bool
consent_is_missing(const Case *c)
{
    static const struct {
        AccessConditions condition;
        AccessConsents consent;
    } rows[] = {
        {ACCESS_IF_TRANSCRIBE, ACCESS_CONSENT_TRANSCRIBE},
        {ACCESS_IF_QUALITY,    ACCESS_CONSENT_QUALITY   },
        {ACCESS_IF_TRAINING,   ACCESS_CONSENT_TRAINING  },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        if (row_asks(c, rows[i].condition) &&
            (c->session->consents & (unsigned) rows[i].consent) == 0)
            return true;
    }
    return false;
}

static bool
part2_consent_is_missing(const Case *c)
{
    return c->request->action == ACCESS_PLAY &&
           (part2_needs(c->session->part2, c->request->purpose, c->request->is_outside) &
            ~c->session->part2_consents) != 0;
}

static bool
track_is_forbidden(const Case *c)
{
    return (c->request->tracks & ~c->row->tracks) != 0;
}

static bool
is_held(const Case *c)
{
    return row_asks(c, ACCESS_IF_NOT_HELD) && c->session->n_holds > 0;
}

static bool
is_not_requested(const Case *c)
{
    return row_asks(c, ACCESS_IF_SECOND) && is_empty(c->session->erase_requested_by);
}

static bool
is_same_person(const Case *c)
{
    return row_asks(c, ACCESS_IF_SECOND) &&
           g_strcmp0(c->session->erase_requested_by, c->person->id) == 0;
}

static bool
reason_is_missing(const Case *c)
{
    return row_asks(c, ACCESS_IF_REASON) && !c->request->has_reason;
}

static bool
mfa_is_younger(const Case *c, int64_t most_us)
{
    return c->person->has_mfa && c->person->mfa_at_us > 0 &&
           c->now_us - c->person->mfa_at_us <= most_us;
}

static bool
mfa_is_required(const Case *c)
{
    const AccessPolicy *policy = c->policy;

    if (row_asks(c, ACCESS_IF_FRESH_MFA))
        return c->person->is_operator || !mfa_is_younger(c, policy->mfa_fresh_us);
    if ((policy->mfa_roles & (1U << c->role)) == 0 ||
        (c->person->is_operator && !policy->operators_need_mfa))
        return false;
    if (c->person->is_operator || policy->mfa_most_us == 0)
        return !c->person->has_mfa;
    return !mfa_is_younger(c, policy->mfa_most_us);
}

static bool
audit_is_unavailable(const Case *c)
{
    return !c->request->audit_is_ready;
}

typedef struct {
    AccessReason reason;
    bool (*applies)(const Case *c);
} Rule;

static const Rule common_rules[] = {
    {ACCESS_POLICY_MISSING,  policy_is_missing },
    {ACCESS_POLICY_STALE,    policy_is_stale   },
    {ACCESS_ORG_DISABLED,    org_is_disabled   },
    {ACCESS_ORG_MISMATCH,    org_differs       },
    {ACCESS_PERSON_UNKNOWN,  person_is_unknown },
    {ACCESS_CLOCK_UNTRUSTED, clock_is_untrusted},
};

/* Rules behind `purpose_is_forbidden` have a row, those behind `session_is_missing` the session
 * that the row asks for. */
static const Rule role_rules[] = {
    {ACCESS_ROLE_FORBIDDEN,        role_is_forbidden       },
    {ACCESS_PURPOSE_UNKNOWN,       purpose_is_unknown      },
    {ACCESS_PURPOSE_FORBIDDEN,     purpose_is_forbidden    },
    {ACCESS_INTERNAL_ERROR,        session_is_missing      },
    {ACCESS_NOT_OWN,               is_not_own              },
    {ACCESS_MINOR_CONFIDENTIAL,    is_confidential         },
    {ACCESS_SESSION_ERASED,        is_erased               },
    {ACCESS_SESSION_OPEN,          is_open                 },
    {ACCESS_SESSION_QUARANTINED,   is_quarantined          },
    {ACCESS_SESSION_RESTRICTED,    is_restricted           },
    {ACCESS_NOT_RELEASED,          is_not_released         },
    {ACCESS_CONSENT_MISSING,       consent_is_missing      },
    {ACCESS_PART2_CONSENT_MISSING, part2_consent_is_missing},
    {ACCESS_TRACK_FORBIDDEN,       track_is_forbidden      },
    {ACCESS_HELD,                  is_held                 },
    {ACCESS_NOT_REQUESTED,         is_not_requested        },
    {ACCESS_SECOND_PERSON,         is_same_person          },
    {ACCESS_REASON_MISSING,        reason_is_missing       },
    {ACCESS_MFA_REQUIRED,          mfa_is_required         },
    {ACCESS_AUDIT_UNAVAILABLE,     audit_is_unavailable    },
};

static AccessReason
first_of(const Rule *rules, size_t n_rules, const Case *c)
{
    for (size_t i = 0; i < n_rules; i++) {
        if (rules[i].applies(c))
            return rules[i].reason;
    }
    return ACCESS_OK;
}

static const AccessRow *
find_row(AccessRole role, AccessAction action, const char *purpose)
{
    for (size_t i = 0; i < access_n_rows; i++) {
        const AccessRow *row = &access_rows[i];

        if (row->role == role && row->action == action &&
            (row->purpose == NULL || g_strcmp0(row->purpose, purpose) == 0))
            return row;
    }
    return NULL;
}

/* Nothing lives longer than the organisation's own end. */
static void
limit(AccessDecision *decision, const Case *c)
{
    const AccessPolicy *policy = c->policy;

    decision->is_alarmed = row_asks(c, ACCESS_IS_ALARMED);
    decision->tracks = c->request->tracks != 0 ? c->request->tracks : c->row->tracks;
    decision->most_us = MIN(policy->most_us, LIFE_MOST_US);
    if (decision->is_alarmed)
        decision->most_us = MIN(decision->most_us, policy->break_glass_us);
    if (policy->valid_until_us != 0)
        decision->most_us = MIN(decision->most_us, policy->valid_until_us - c->now_us);
    decision->start_us = MIN(MIN(policy->start_us, START_MOST_US), decision->most_us);
    decision->idle_us = MIN(policy->idle_us, decision->most_us);
}

static bool
is_impossible(const Case *c)
{
    return c->person == NULL || c->request == NULL ||
           (unsigned) c->request->action >= N_ACCESS_ACTIONS;
}

AccessDecision
access_decide(const AccessPolicy *policy, const AccessPerson *person, const AccessSession *session,
              const AccessRequest *request, int64_t now_us)
{
    Case c = {policy, person, session, request, NULL, 0, now_us};
    AccessDecision decision = {.reason = ACCESS_INTERNAL_ERROR};

    if (is_impossible(&c))
        return decision;
    decision.reason = first_of(common_rules, G_N_ELEMENTS(common_rules), &c);
    if (decision.reason != ACCESS_OK)
        return decision;
    decision.reason = ACCESS_INTERNAL_ERROR;
    for (c.role = 0; c.role < N_ACCESS_ROLES && decision.reason != ACCESS_OK; c.role++) {
        AccessReason reason = ACCESS_OK;

        if ((person->roles & (1U << c.role)) == 0)
            continue;
        c.row = find_row(c.role, request->action, request->purpose);
        reason = first_of(role_rules, G_N_ELEMENTS(role_rules), &c);
        if (reason < decision.reason)
            continue;
        decision.reason = reason;
        decision.role = c.role;
        if (reason == ACCESS_OK)
            limit(&decision, &c);
    }
    return decision;
}

bool
access_role_may(AccessRole role, AccessAction action, const char *purpose)
{
    for (size_t i = 0; i < access_n_rows; i++) {
        const AccessRow *row = &access_rows[i];

        if (row->role == role && row->action == action &&
            (purpose == NULL || g_strcmp0(row->purpose, purpose) == 0))
            return true;
    }
    return false;
}
