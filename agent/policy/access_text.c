#include "agent/policy/access.h"

#include <glib.h>
#include <string.h>

static const char *
text_at(const char *const *texts, size_t n_texts, size_t place)
{
    return place < n_texts ? texts[place] : NULL;
}

const char *
access_reason_text(AccessReason reason)
{
    static const char *const texts[] = {
        [ACCESS_INTERNAL_ERROR] = "internal-error",
        [ACCESS_POLICY_MISSING] = "policy-missing",
        [ACCESS_POLICY_STALE] = "policy-stale",
        [ACCESS_ORG_DISABLED] = "org-disabled",
        [ACCESS_ORG_MISMATCH] = "org-mismatch",
        [ACCESS_PERSON_UNKNOWN] = "person-unknown",
        [ACCESS_CLOCK_UNTRUSTED] = "clock-untrusted",
        [ACCESS_ROLE_FORBIDDEN] = "role-forbidden",
        [ACCESS_PURPOSE_UNKNOWN] = "purpose-unknown",
        [ACCESS_PURPOSE_FORBIDDEN] = "purpose-forbidden",
        [ACCESS_NOT_OWN] = "not-own",
        [ACCESS_MINOR_CONFIDENTIAL] = "minor-confidential",
        [ACCESS_SESSION_ERASED] = "session-erased",
        [ACCESS_SESSION_OPEN] = "session-open",
        [ACCESS_SESSION_QUARANTINED] = "session-quarantined",
        [ACCESS_SESSION_RESTRICTED] = "session-restricted",
        [ACCESS_NOT_RELEASED] = "not-released",
        [ACCESS_CONSENT_MISSING] = "consent-missing",
        [ACCESS_PART2_CONSENT_MISSING] = "part2-consent-missing",
        [ACCESS_TRACK_FORBIDDEN] = "track-forbidden",
        [ACCESS_HELD] = "held",
        [ACCESS_NOT_REQUESTED] = "not-requested",
        [ACCESS_SECOND_PERSON] = "second-person",
        [ACCESS_REASON_MISSING] = "reason-missing",
        [ACCESS_MFA_REQUIRED] = "mfa-required",
        [ACCESS_AUDIT_UNAVAILABLE] = "audit-unavailable",
        [ACCESS_OK] = "ok",
    };

    return text_at(texts, G_N_ELEMENTS(texts), (size_t) reason);
}

const char *
access_role_text(AccessRole role)
{
    static const char *const texts[] = {
        [ACCESS_ROLE_PROVIDER] = "provider",   [ACCESS_ROLE_CLIENT] = "client",
        [ACCESS_ROLE_ADMIN] = "admin",         [ACCESS_ROLE_AUDITOR] = "auditor",
        [ACCESS_ROLE_CUSTODIAN] = "custodian", [ACCESS_ROLE_TRANSCRIBER] = "transcriber",
    };

    return text_at(texts, G_N_ELEMENTS(texts), (size_t) role);
}

const char *
access_action_text(AccessAction action)
{
    static const char *const texts[] = {
        [ACCESS_PLAY] = "play",
        [ACCESS_RELEASE] = "release",
        [ACCESS_SETTINGS_READ] = "settings-read",
        [ACCESS_SETTINGS_CHANGE] = "settings-change",
        [ACCESS_HOLDS_READ] = "holds-read",
        [ACCESS_HOLD] = "hold",
        [ACCESS_ERASE_REQUEST] = "erase-request",
        [ACCESS_ERASE_APPROVE] = "erase-approve",
        [ACCESS_AUDIT_OWN] = "audit-own",
        [ACCESS_AUDIT_COUNTS] = "audit-counts",
        [ACCESS_AUDIT_ALL] = "audit-all",
        [ACCESS_DISCLOSURES_OWN] = "disclosures-own",
        [ACCESS_DISCLOSURES] = "disclosures",
        [ACCESS_REVIEW] = "review",
    };

    return text_at(texts, G_N_ELEMENTS(texts), (size_t) action);
}

bool
access_purpose_is_known(const char *purpose)
{
    static const char *const codes[] = {"TREAT",   "ETREAT", "BTG",      "HPAYMT",    "HOPERAT",
                                        "HCOMPL",  "HLEGAL", "HQUALIMP", "RECORDMGT", "HSYSADMIN",
                                        "TRAIN",   "SYSDEV", "HRESCH",   "PATRQT",    "FAMRQT",
                                        "PWATRNY", "SUPNWK", "PUBHLTH"};

    for (size_t i = 0; purpose != NULL && i < G_N_ELEMENTS(codes); i++) {
        if (strcmp(purpose, codes[i]) == 0)
            return true;
    }
    return false;
}
