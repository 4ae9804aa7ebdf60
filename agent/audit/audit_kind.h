#pragma once

/* The events that are told to the audit log. A new one needs a row in agent/audit/audit_code.c,
 * which names it and says how it leaves as ATNA and FHIR, and one in docs/audit.md. */

typedef enum {
    /* The recorder. */
    AUDIT_RECORDER_STARTED,
    AUDIT_RECORDER_STOPPED,
    AUDIT_STORE_PROBED,      /* what the store really does, at start */
    AUDIT_RECORDING_STARTED, /* durable before the session's keys exist anywhere */
    AUDIT_RECORDING_REFUSED,
    AUDIT_RECORDING_PAUSED,
    AUDIT_RECORDING_RESUMED,
    AUDIT_RECORDING_ENDED,
    AUDIT_RECORDING_STORED,
    AUDIT_RECORDING_INCOMPLETE,
    AUDIT_RECORDING_FAILED,
    AUDIT_PARTICIPANT_JOINED,
    AUDIT_PARTICIPANT_LEFT,
    AUDIT_CONSENT_CHANGED,
    AUDIT_DECIDED, /* consent was asked again, and answers differently for a purpose */

    /* The opener. */
    AUDIT_OPENER_STARTED,
    AUDIT_OPENER_STOPPED,
    AUDIT_PERSON_REFUSED, /* nobody knows who asks: a token or an operator that is not good */
    AUDIT_ACCESS_ASKED,
    AUDIT_ACCESS_REFUSED, /* known, and may not */
    AUDIT_GRANT_ISSUED,
    AUDIT_GRANT_ENDED,
    AUDIT_MEDIA_OPENED,    /* played; durable before a key is unwrapped */
    AUDIT_MEDIA_EXPORTED,  /* to a file of whoever asked; the same */
    AUDIT_MEDIA_DISCLOSED, /* to somebody else, `recipient`; the same */
    AUDIT_MEDIA_CLOSED,    /* what was opened has ended; `count`: bytes given out */
    AUDIT_BREAK_GLASS_STARTED,
    AUDIT_BREAK_GLASS_ENDED,
    AUDIT_REVIEW_CLOSED, /* of a break-glass */
    AUDIT_RELEASED,      /* to the session's client */
    AUDIT_RELEASE_WITHDRAWN,

    /* The command line and its timers. */
    AUDIT_KEY_CREATED,
    AUDIT_KEY_ROTATED,
    AUDIT_KEY_REWRAPPED, /* envelopes of `key` to `new_key`; `count`: so many */
    AUDIT_KEY_RETIRED,
    AUDIT_KEY_DESTROYED,
    AUDIT_KEY_DRILLED, /* a break-glass key is tried on `session` */
    AUDIT_HOLD_PLACED,
    AUDIT_HOLD_RELEASED,
    AUDIT_QUARANTINED,
    AUDIT_QUARANTINE_LIFTED,
    AUDIT_RESTRICTED,
    AUDIT_RESTRICTION_LIFTED,
    AUDIT_RETENTION_SET,
    AUDIT_RETENTION_RUN, /* a run of the timer; `count`: recordings deleted */
    AUDIT_DELETED,       /* by retention */
    AUDIT_ERASURE_REQUESTED,
    AUDIT_ERASURE_APPROVED,
    AUDIT_ERASED,
    AUDIT_AMENDED,
    AUDIT_RESEALED,     /* a session gets new keys against `key`; has them: `object` */
    AUDIT_RECOVERED,    /* opened offline, with an identity in hand */
    AUDIT_CHART_LINKED, /* a DocumentReference of it was made */

    /* Every program. */
    AUDIT_SETTINGS_LOADED, /* `policy`: their digest */
    AUDIT_LOG_READ,        /* the audit log itself: shown, verified, proven, exported */
    AUDIT_FEED_BEHIND,     /* messages wait for the auditors' repository: over 80 % of what may */
    AUDIT_FEED_FULL,       /* and all: nothing new is recorded or opened */
    AUDIT_FEED_CAUGHT_UP,
    AUDIT_HEARTBEAT,       /* nothing happened, and the program was there */
    AUDIT_EVENTS_LEFT_OUT, /* so many more of the kind in `detail`, in a minute */
    N_AUDIT_KINDS,
} AuditKind;

/* Returns: `recording-started` and the like, static. */
const char *audit_kind_text(AuditKind kind);

/* Returns: the kind of that name; N_AUDIT_KINDS: there is none. */
AuditKind audit_kind_of(const char *text);
