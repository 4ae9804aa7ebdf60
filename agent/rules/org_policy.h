#pragma once

#include "agent/policy/access.h"
#include "agent/policy/consent.h"
#include "config/settings.h"

/* From what an organisation's file says to the decisions, which know no files. Any thread. */

/* As access_decide(), by the rules of `org`. */
AccessDecision org_policy_access_decide(const OrgSettings *org, const AccessPerson *person,
                                        const AccessSession *session, const AccessRequest *request,
                                        int64_t now_us);

/* As consent_decide(), by the rules of `org`; NULL: there is no such organisation. */
ConsentDecision org_policy_consent_decide(const OrgSettings *org, const ConsentSession *session,
                                          const char *purpose, int64_t now_us);

/* Decides whose yes counts for each of `n` minors, by the rules of `org` (minors_decide): about
 * `facts[i]` into `who[i]`. */
void org_policy_minors(const OrgSettings *org, const MinorsFacts *facts, size_t n,
                       ConsentMinors *who);

/* As part2_consents(), by the rules of `org`; the same. */
unsigned org_policy_part2_consents(const OrgSettings *org, const ConsentSession *session,
                                   const char *recipient, int64_t now_us);

/* Returns: the region to ask about: the store's, or that of the first of its replicas that `org`
 * (NULL: none) does not allow, for media go to each of them; borrowed, NULL: nobody said. */
const char *org_policy_region(const OrgSettings *org, const StoreSettings *store);

/* Returns: 1 << AccessRole of the role of that name; 0: there is none. */
unsigned org_policy_role(const char *name);

/* Returns: what `user` of this host is in `org`, borrowed; NULL: nobody. */
const OrgOperator *org_policy_operator(const OrgSettings *org, const char *user);
