#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* What is told to the audit log, and how a record of it reads: `<event> <outcome>
 * <name>=<value>...`, in the order of the fields below, those that are not set left out. No names
 * of people, no secrets, no free text from outside: ids, codes and digests. Pure; docs/audit.md
 * lists the events. */

typedef enum {
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
    AUDIT_DECIDED,         /* consent was asked again, and answers differently for a purpose */
    AUDIT_HEARTBEAT,       /* nothing happened, and the recorder was there */
    AUDIT_EVENTS_LEFT_OUT, /* so many more of the kind in `detail`, in a minute */
    N_AUDIT_KINDS,
} AuditKind;

typedef enum {
    AUDIT_OK,
    AUDIT_REFUSED, /* by policy or consent */
    AUDIT_FAILED,
} AuditOutcome;

/* All borrowed; NULL is not set. */
typedef struct {
    AuditKind kind;
    AuditOutcome outcome;
    const char *session;
    const char *participant;
    const char *purpose;
    const char *state;        /* of a consent, or of the session */
    const char *reason;       /* a code of the lists in docs/ */
    const char *text_version; /* of the consent's text */
    const char *evidence;     /* id of the proof */
    const char *policy;       /* digest of the organisation's settings */
    const char *detail;
    uint64_t count; /* 0: not set */
} AuditEvent;

/* Returns: the record's words, owned: printable ASCII, at most 4096 bytes; a value from outside
 * that is longer than 128 bytes is cut. */
char *audit_event_words(const AuditEvent *self);

/* Returns: `recording-started` and the like, static. */
const char *audit_kind_text(AuditKind kind);
