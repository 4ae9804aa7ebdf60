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

AccessDecision
org_policy_access_decide(const OrgSettings *org, const AccessPerson *person,
                         const AccessSession *session, const AccessRequest *request, int64_t now_us)
{
    const OrgAccess *access = org->access;
    AccessPolicy policy = {
        .org = org->id,
        .is_enabled = true,
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
        policy.may[role] = ~0U; /* what the table of roles allows */
    for (guint i = 0; i < access->mfa_roles->len; i++)
        policy.mfa_roles |= org_policy_role(access->mfa_roles->pdata[i]);
    return access_decide(&policy, person, session, request, now_us);
}

ConsentDecision
org_policy_consent_decide(const OrgSettings *org, const ConsentSession *session,
                          const char *purpose, int64_t now_us)
{
    g_autoptr(GPtrArray) purposes = g_ptr_array_new();
    ConsentPolicy policy = {.org = org->id,
                            .text_version = org->consent_text_version,
                            .evidence_required = org->evidence_required};

    for (guint i = 0; i < org->purposes->len; i++)
        g_ptr_array_add(purposes, org->purposes->pdata[i]);
    g_ptr_array_add(purposes, NULL);
    policy.purposes = (const char *const *) purposes->pdata;
    return consent_decide(&policy, session, purpose, now_us);
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
