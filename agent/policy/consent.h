#pragma once

#include "agent/policy/minors.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whether a purpose may be pursued in a session, from nothing but its arguments: no I/O, no clock,
 * no globals. Fails closed: what is missing, unknown or stale is a denial. Everyone present has
 * said yes, or nobody is recorded. Plain borrowed values. */

typedef enum {
    CONSENT_OK,
    CONSENT_POLICY_MISSING,
    CONSENT_POLICY_INVALID, /* the organisation's file is there and can not be believed */
    CONSENT_POLICY_STALE,
    CONSENT_ORG_MISMATCH,
    CONSENT_ORG_DISABLED,
    CONSENT_PURPOSE_DISABLED,
    CONSENT_REGION_FORBIDDEN,
    CONSENT_PARTICIPANT_UNKNOWN, /* a session without participants, or a role nobody knows */
    CONSENT_CONSENTER_INVALID, /* no id, two people under one, or another has said yes than must */
    CONSENT_REFUSED,
    CONSENT_WITHDRAWN,
    CONSENT_MISSING,
    CONSENT_EXPIRED,
    CONSENT_TEXT_STALE,
    CONSENT_EVIDENCE_MISSING,
    CONSENT_PREREQUISITE_PURPOSE, /* ai-note without transcribe */
    CONSENT_CLOCK_UNTRUSTED,      /* a record without a time, or over a minute in the future */
    CONSENT_AUDIT_UNAVAILABLE,
    CONSENT_INTERNAL_ERROR,
} ConsentReason;

typedef struct {
    const char *purpose;      /* record-audio, record-video, ... */
    const char *state;        /* granted, refused, withdrawn; anything else denies */
    const char *text_version; /* NULL: not said */
    const char *evidence;     /* id of the proof; NULL: not said */
    int64_t at_us;            /* wall clock, Unix; 0: not said, which denies */
    int64_t until_us;         /* 0: no end */
    bool is_guardians;        /* said by a guardian for the participant */
    const char *recipient;    /* the only one who may have it by that; NULL: nobody is named */
} ConsentRecord;

typedef struct {
    const char *id;
    const char *role;              /* provider, client, guardian, interpreter, observer */
    const ConsentRecord *consents; /* the newest for a purpose decides (by at_us, then by place) */
    size_t n_consents;
    bool is_minor;
    bool has_age;
    unsigned age;             /* in whole years; of a minor, as the rest: for MinorsFacts */
    const char *jurisdiction; /* NULL: not said */
} ConsentParticipant;

typedef struct {
    const char *org;
    const char *const *purposes; /* enabled, NULL-terminated */
    const char *text_version;    /* required; NULL: any */
    bool evidence_required;
    bool is_invalid, is_disabled;
    int64_t valid_until_us;     /* 0: no end */
    int64_t max_age_us;         /* of a consent; 0: any */
    const char *const *roles;   /* that must consent; NULL: all. Anybody's no counts */
    const char *const *regions; /* where media may be stored; NULL: anywhere */
    MinorsRules minors;
} ConsentPolicy;

typedef struct {
    const char *org;
    const ConsentParticipant *participants; /* everyone present */
    size_t n_participants;
    const char *region;        /* of the store; NULL: nobody knows, which no list allows */
    bool is_audit_unavailable; /* a decision could not be recorded */
    const char *service;       /* what it is for; NULL: not said */
} ConsentSession;

typedef struct {
    ConsentReason reason;
    const char *participant; /* whose consent decided, borrowed; NULL where nobody's did */
} ConsentDecision;

/* Decides; first reason that applies in the order of the list above. `policy` NULL denies. */
ConsentDecision consent_decide(const ConsentPolicy *policy, const ConsentSession *session,
                               const char *purpose, int64_t now_us);

/* Whether what `participant` or a guardian said last of `purpose` takes back what was recorded: it
 * is withdrawn, or refused after it had been granted. */
bool consent_is_taken_back(const ConsentParticipant *participant, const char *purpose);

/* Returns: the reason as the API and the log spell it (`consent-missing`), static. */
const char *consent_reason_text(ConsentReason reason);
