#pragma once

#include "agent/audit/audit_kind.h"

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What is told to the audit log, and how a record of it reads: `<event> <outcome>
 * <name>=<value>...`, in the order of the fields below, those that are not set left out. No names
 * of people, no secrets, no free text from outside: ids, codes and digests. Pure; docs/audit.md
 * lists the events and says who is called what. */

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
    const char *purpose;      /* of a consent: `record-audio` */
    const char *state;        /* of a consent, or of the session */
    const char *reason;       /* a code of the lists in docs/ */
    const char *text_version; /* of the consent's text */
    const char *evidence;     /* id of the proof */
    const char *policy;       /* digest of the organisation's settings */

    /* Who acts. */
    const char *actor;    /* principal's id: `unix:anna`, `https://idp|sub`, or a pseudonym */
    const char *role;     /* in which it acts: `provider`, `custodian` */
    const char *use;      /* purpose of use: `TREAT`, `PATRQT`, `BTG` */
    const char *token;    /* id (jti) of the token shown */
    const char *grant;    /* id */
    const char *address;  /* network address of the client, if it came over a network */
    const char *approver; /* the second person, where two are needed */
    const char *review;   /* id, of a break-glass */

    /* What of. */
    const char *client;     /* pseudonyms of the clients whose recording it is, with commas */
    const char *tracks;     /* ids, with commas; not set: all */
    int64_t from_us, to_us; /* of the session's timeline; both 0: all of it */
    const char *recipient;  /* to whom it is disclosed: an id in the organisation's register */
    const char *basis;      /* why that is allowed: disclosure_basis */
    const char *key;        /* id of a key (a recipient's short digest), and of what it became */
    const char *new_key;
    const char *matter;      /* of a hold */
    const char *rule;        /* of retention, with the version of its table */
    const char *until;       /* a date */
    const char *certificate; /* id or digest of an erasure's */
    const char *object;      /* an id or a digest: what was stored, amended, made */

    const char *detail;
    uint64_t count; /* 0: not set */
} AuditEvent;

/* Returns: the record's words, owned: printable ASCII, at most AUDIT_EVENT_MOST_BYTES; a value from
 * outside that is longer than 128 bytes is cut (`client`: 640, eighteen pseudonyms). */
char *audit_event_words(const AuditEvent *self);

enum { AUDIT_EVENT_MOST_BYTES = 14336 };

/* Calls `on_field` with each text that is set, and its name, in the order above. */
typedef void (*AuditFieldFunc)(const char *name, const char *value, void *user_data);
void audit_event_each(const AuditEvent *self, AuditFieldFunc on_field, void *user_data);

/* A record as a log's line has it, taken apart again. */
typedef struct {
    uint64_t number;
    const char *time; /* as written: UTC, microseconds */
    AuditEvent event;
    char **texts; /* what all of them point into */
} AuditRecord;

/* Reads `line` (without its end) into `self`, which is zero. Returns: whether it is a record of an
 * event that this version knows. A name that it does not know is left out. */
bool audit_record_parse(AuditRecord *self, const char *line, size_t n_bytes);

void audit_record_clear(AuditRecord *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(AuditRecord, audit_record_clear)
