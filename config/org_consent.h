#pragma once

#include "config/org_minors.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* What an organisation's file says of what may be recorded, and of what people must have said
 * first (docs/configuration.md). */

/* What a withdrawal does to what was recorded before it. */
typedef enum {
    ORG_WITHDRAWAL_QUARANTINE,
    ORG_WITHDRAWAL_KEEP,
    ORG_WITHDRAWAL_ERASE,
} OrgWithdrawal;

typedef struct {
    bool is_invalid;        /* the file is there and can not be believed; nothing below counts */
    bool is_enabled;        /* the organisation records at all */
    int64_t valid_until_us; /* Unix; 0: no end */
    char **purposes;        /* enabled ones */
    char *text_version;     /* what a consent must name; NULL: any */
    bool evidence_required;
    uint32_t max_age_days; /* of a consent; 0: any */
    char **roles;          /* that must consent; NULL: all */
    char **regions;        /* where media may be stored; NULL: anywhere */
    OrgMinors minors;
    GPtrArray *minors_by; /* OrgMinorsRow; the first that fits decides, else `minors`; NULL: none */
    OrgWithdrawal on_withdrawal;
} OrgConsent;

/* Whether `text` names something that may be consented to. */
bool org_consent_is_purpose(const char *text);

/* NULL is allowed. */
void org_consent_free(OrgConsent *self);
