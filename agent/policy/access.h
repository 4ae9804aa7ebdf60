#pragma once

#include "agent/policy/access_facts.h"

/* Whether a person may do something to one session, or to an organisation, from nothing but its
 * arguments: no I/O, no clock, no globals. Fails closed: what is missing or unknown is a denial. */

/* Why not, in order of precedence; among several roles of one person the last applies. */
typedef enum {
    ACCESS_INTERNAL_ERROR, /* an argument is missing or nobody knows its value */
    ACCESS_POLICY_MISSING,
    ACCESS_POLICY_STALE,
    ACCESS_ORG_DISABLED,
    ACCESS_ORG_MISMATCH, /* to be answered like a session that does not exist */
    ACCESS_PERSON_UNKNOWN,
    ACCESS_CLOCK_UNTRUSTED,
    ACCESS_ROLE_FORBIDDEN,
    ACCESS_PURPOSE_UNKNOWN,
    ACCESS_PURPOSE_FORBIDDEN,
    ACCESS_NOT_OWN,
    ACCESS_MINOR_CONFIDENTIAL, /* a guardian, and the minor consented alone */
    ACCESS_SESSION_ERASED,
    ACCESS_SESSION_OPEN,
    ACCESS_SESSION_QUARANTINED,
    ACCESS_SESSION_RESTRICTED,
    ACCESS_NOT_RELEASED,
    ACCESS_CONSENT_MISSING,
    ACCESS_PART2_CONSENT_MISSING, /* to leave the organisation (42 CFR part 2) */
    ACCESS_TRACK_FORBIDDEN,
    ACCESS_HELD, /* nothing is erased under a hold */
    ACCESS_NOT_REQUESTED,
    ACCESS_SECOND_PERSON, /* who asked for an erasure does not approve it */
    ACCESS_REASON_MISSING,
    ACCESS_MFA_REQUIRED,
    ACCESS_AUDIT_UNAVAILABLE,
    ACCESS_OK,
} AccessReason;

typedef struct {
    AccessReason reason;
    AccessRole role;                    /* that permits, or that came furthest */
    unsigned tracks;                    /* of AccessTracks; 0 unless permitted */
    int64_t start_us, most_us, idle_us; /* of the grant; 0 unless permitted */
    bool is_alarmed;                    /* break-glass */
} AccessDecision;

/* Decides; only ACCESS_OK is a permission. `session`: NULL for what is not about one (settings,
 * audit, review); else required. */
AccessDecision access_decide(const AccessPolicy *policy, const AccessPerson *person,
                             const AccessSession *session, const AccessRequest *request,
                             int64_t now_us);

/* Returns: `role-forbidden` and the like; `provider`; `play`: static, NULL past the end. */
const char *access_reason_text(AccessReason reason);
const char *access_role_text(AccessRole role);
const char *access_action_text(AccessAction action);

/* Whether the table lets `role` do `action` at all (for ACCESS_PLAY: for `purpose`, NULL: any). */
bool access_role_may(AccessRole role, AccessAction action, const char *purpose);

/* Whether HL7's v3-ActReason, as far as it is known here, has such a purpose of use. */
bool access_purpose_is_known(const char *purpose);
