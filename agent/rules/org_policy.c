#include "agent/rules/org_policy.h"

#include <string.h>

unsigned
org_policy_role(const char *name)
{
    for (int role = 0; role < N_ACCESS_ROLES; role++) {
        if (strcmp(access_role_text((AccessRole) role), name) == 0)
            return 1u << role;
    }
    return 0;
}

static int64_t
us_of(uint32_t seconds)
{
    return (int64_t) seconds * G_USEC_PER_SEC;
}

static AccessReleaseRule
release_of(OrgRelease release)
{
    switch (release) {
    case ORG_RELEASE_ALWAYS:
        return ACCESS_RELEASE_ALWAYS;
    case ORG_RELEASE_BY_HAND:
        return ACCESS_RELEASE_BY_HAND;
    case ORG_RELEASE_NEVER:
    default:
        return ACCESS_RELEASE_NEVER;
    }
}

/* Returns: of 1 << AccessAction: what the organisation leaves to `role` of what the table allows.
 */
static unsigned
may_of(const OrgAccess *access, AccessRole role)
{
    const char *name = access_role_text(role);
    const GPtrArray *left = NULL;
    unsigned may = 0;

    for (size_t i = 0; i < ORG_N_ROLES; i++) {
        if (strcmp(org_access_role_names[i], name) == 0)
            left = access->may[i];
    }
    if (left == NULL)
        return ~0U;
    for (int action = 0; action < N_ACCESS_ACTIONS; action++) {
        for (guint i = 0; i < left->len; i++) {
            if (strcmp(left->pdata[i], access_action_text((AccessAction) action)) == 0)
                may |= 1U << action;
        }
    }
    return may;
}

AccessDecision
org_policy_access_decide(const OrgSettings *org, const AccessPerson *person,
                         const AccessSession *session, const AccessRequest *request, int64_t now_us)
{
    const OrgAccess *access = org->access;
    AccessPolicy policy = {
        .org = org->id,
        .is_enabled = org->consent->is_enabled && !org->consent->is_invalid,
        .valid_until_us = org->consent->valid_until_us,
        .operators_need_mfa = access->operators_need_mfa,
        .mfa_most_us = us_of(access->mfa_age_s),
        .mfa_fresh_us = us_of(access->mfa_fresh_s),
        .release = release_of(access->release),
        .start_us = us_of(access->start_s),
        .most_us = us_of(access->most_s),
        .idle_us = us_of(access->idle_s),
        .break_glass_us = us_of(access->break_glass_s),
    };

    for (int role = 0; role < N_ACCESS_ROLES; role++)
        policy.may[role] = may_of(access, (AccessRole) role);
    for (guint i = 0; i < access->mfa_roles->len; i++)
        policy.mfa_roles |= org_policy_role(access->mfa_roles->pdata[i]);
    return access_decide(&policy, person, session, request, now_us);
}

static ConsentMinors
minors_of(OrgMinors minors)
{
    switch (minors) {
    case ORG_MINORS_BOTH:
        return CONSENT_MINORS_BOTH;
    case ORG_MINORS_GUARDIAN:
        return CONSENT_MINORS_GUARDIAN;
    case ORG_MINORS_ALONE:
        return CONSENT_MINORS_ALONE;
    case ORG_MINORS_NEVER:
    default:
        return CONSENT_MINORS_NEVER;
    }
}

/* Returns: the rows, owned; their texts are those of `consent`. */
static MinorsRow *
minors_rows_of(const OrgConsent *consent)
{
    const guint n_rows = consent->minors_by != NULL ? consent->minors_by->len : 0;
    MinorsRow *rows = g_new0(MinorsRow, n_rows + 1);

    for (guint i = 0; i < n_rows; i++) {
        const OrgMinorsRow *row = consent->minors_by->pdata[i];

        rows[i] = (MinorsRow){row->jurisdiction, row->service, row->from_age, minors_of(row->who)};
    }
    return rows;
}

/* `rows`: minors_rows_of() the same. */
static MinorsRules
minors_rules_of(const OrgConsent *consent, const MinorsRow *rows)
{
    return (MinorsRules){rows, consent->minors_by != NULL ? consent->minors_by->len : 0,
                         minors_of(consent->minors)};
}

/* `rows`: as above. */
static ConsentPolicy
consent_policy_of(const OrgSettings *org, const MinorsRow *rows)
{
    const OrgConsent *consent = org->consent;

    return (ConsentPolicy){
        .org = org->id,
        .purposes = (const char *const *) consent->purposes,
        .text_version = consent->text_version,
        .evidence_required = consent->evidence_required,
        .is_invalid = consent->is_invalid,
        .is_disabled = !consent->is_enabled,
        .valid_until_us = consent->valid_until_us,
        .max_age_us = (int64_t) consent->max_age_days * 24 * 3600 * G_USEC_PER_SEC,
        .roles = (const char *const *) consent->roles,
        .regions = (const char *const *) consent->regions,
        .minors = minors_rules_of(consent, rows),
    };
}

ConsentDecision
org_policy_consent_decide(const OrgSettings *org, const ConsentSession *session,
                          const char *purpose, int64_t now_us)
{
    g_autofree MinorsRow *rows = NULL;
    ConsentPolicy policy = {0};

    if (org == NULL || org->consent == NULL)
        return consent_decide(NULL, session, purpose, now_us);
    rows = minors_rows_of(org->consent);
    policy = consent_policy_of(org, rows);
    return consent_decide(&policy, session, purpose, now_us);
}

void
org_policy_minors(const OrgSettings *org, const MinorsFacts *facts, size_t n, ConsentMinors *who)
{
    g_autofree MinorsRow *rows = minors_rows_of(org->consent);
    const MinorsRules rules = minors_rules_of(org->consent, rows);

    for (size_t i = 0; i < n; i++)
        who[i] = minors_decide(&rules, &facts[i]);
}

unsigned
org_policy_part2_consents(const OrgSettings *org, const ConsentSession *session,
                          const char *recipient, int64_t now_us)
{
    g_autofree MinorsRow *rows = NULL;
    ConsentPolicy policy = {0};

    if (org == NULL || org->consent == NULL)
        return 0;
    rows = minors_rows_of(org->consent);
    policy = consent_policy_of(org, rows);
    return part2_consents(&policy, session, recipient, now_us);
}

const char *
org_policy_region(const OrgSettings *org, const StoreSettings *store)
{
    const char *const *regions = org != NULL ? (const char *const *) org->consent->regions : NULL;

    for (guint i = 0; regions != NULL && store->replicas != NULL && i < store->replicas->len; i++) {
        const StoreSettings *replica = store->replicas->pdata[i];

        if (replica->region == NULL || !g_strv_contains(regions, replica->region))
            return replica->region;
    }
    return store->region;
}

const OrgOperator *
org_policy_operator(const OrgSettings *org, const char *user)
{
    for (guint i = 0; i < org->access->operators->len; i++) {
        const OrgOperator *one = org->access->operators->pdata[i];

        if (strcmp(one->user, user) == 0)
            return one;
    }
    return NULL;
}
