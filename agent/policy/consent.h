#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whether a purpose may be pursued in a session, from nothing but its arguments: no I/O, no clock,
 * no globals. Fails closed: what is missing, unknown or stale is a denial. Everyone present has
 * said yes, or nobody is recorded. Plain borrowed values. */

typedef enum {
    CONSENT_OK,
    CONSENT_POLICY_MISSING,
    CONSENT_ORG_MISMATCH,
    CONSENT_PURPOSE_DISABLED,
    CONSENT_PARTICIPANT_UNKNOWN, /* a session without participants, or a role nobody knows */
    CONSENT_CONSENTER_INVALID,   /* no id, or two people under one: nobody can tell whose consent it
                                    was */
    CONSENT_REFUSED,
    CONSENT_WITHDRAWN,
    CONSENT_MISSING,
    CONSENT_EXPIRED,
    CONSENT_TEXT_STALE,
    CONSENT_EVIDENCE_MISSING,
    CONSENT_CLOCK_UNTRUSTED, /* a record without a time, or over a minute in the future */
    CONSENT_INTERNAL_ERROR,
} ConsentReason;

typedef struct {
    const char *purpose;      /* record-audio, record-video, ... */
    const char *state;        /* granted, refused, withdrawn; anything else denies */
    const char *text_version; /* NULL: not said */
    const char *evidence;     /* id of the proof; NULL: not said */
    int64_t at_us;            /* wall clock, Unix; 0: not said, which denies */
    int64_t until_us;         /* 0: no end */
} ConsentRecord;

typedef struct {
    const char *id;
    const char *role;              /* provider, client, guardian, interpreter, observer */
    const ConsentRecord *consents; /* the newest for a purpose decides (by at_us, then by place) */
    size_t n_consents;
} ConsentParticipant;

typedef struct {
    const char *org;
    const char *const *purposes; /* enabled, NULL-terminated */
    const char *text_version;    /* required; NULL: any */
    bool evidence_required;
} ConsentPolicy;

typedef struct {
    const char *org;
    const ConsentParticipant *participants; /* everyone present */
    size_t n_participants;
} ConsentSession;

typedef struct {
    ConsentReason reason;
    const char *participant; /* whose consent decided, borrowed; NULL where nobody's did */
} ConsentDecision;

/* Decides; first reason that applies in the order of the list above. `policy` NULL denies. */
ConsentDecision consent_decide(const ConsentPolicy *policy, const ConsentSession *session,
                               const char *purpose, int64_t now_us);

/* Returns: the reason as the API and the log spell it (`consent-missing`), static. */
const char *consent_reason_text(ConsentReason reason);
