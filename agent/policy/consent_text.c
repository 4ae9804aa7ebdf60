#include "agent/policy/consent.h"

#include <glib.h>

const char *
consent_reason_text(ConsentReason reason)
{
    static const char *const texts[] = {
        [CONSENT_OK] = "ok",
        [CONSENT_POLICY_MISSING] = "policy-missing",
        [CONSENT_POLICY_INVALID] = "policy-invalid",
        [CONSENT_POLICY_STALE] = "policy-stale",
        [CONSENT_ORG_DISABLED] = "org-disabled",
        [CONSENT_REGION_FORBIDDEN] = "region-forbidden",
        [CONSENT_PREREQUISITE_PURPOSE] = "prerequisite-purpose",
        [CONSENT_AUDIT_UNAVAILABLE] = "audit-unavailable",
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
