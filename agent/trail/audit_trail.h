#pragma once

#include "agent/audit/audit_event.h"
#include "config/settings.h"
#include "crypto/signed_note.h"
#include "storage/object_store.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* What a daemon tells the auditors: a log for each organisation, signed with the daemon's own key,
 * whose name is the log's origin. A thread of its own appends what may wait a moment, signs a
 * checkpoint of each log at the latest every 64 records or 60 s, puts it into the store as
 * `<org>/audit/<origin>/<records>.note`, where it can not be taken back, and writes a heartbeat
 * when nothing else happens.
 *
 * A log that can not be opened or written, or of which too much waits for its receiver, stops new
 * recordings and openings of its organisation, and nothing that is running. */
typedef struct AuditTrail AuditTrail;

/* All borrowed until audit_trail_free(). */
typedef struct {
    const char *folder;
    const GPtrArray *orgs; /* OrgSettings */
    ObjectStore *store;
    const NoteSigner *signer;
    const SyslogSettings *receiver; /* of what is told, as ATNA messages; NULL: none */
    AuditKind started, stopped;     /* what the daemon tells of itself */
} AuditTrailOptions;

/* Opens the logs and tells each that the daemon has started. A log that does not open is told as
 * a warning now, and to whoever writes to it. */
AuditTrail *audit_trail_new(const AuditTrailOptions *options);

/* Writes one record now, behind all that was noted before. Thread: any. Blocks for a flush.
 * Returns: true once it would survive a power cut. Errors: STORAGE_ERROR of any kind - whatever the
 * record was to permit may not happen.
 */
bool audit_trail_write(AuditTrail *self, const char *org, const AuditEvent *event,
                       GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Writes one record soon, in the order of the calls; a failure is logged. Thread: any. An
 * organisation without settings has no log: told to none. */
void audit_trail_note(AuditTrail *self, const char *org, const AuditEvent *event);

/* The same for what somebody may cause as often as they like, while nothing is recorded: more than
 * ten a minute of one kind and reason are only counted. */
void audit_trail_note_bounded(AuditTrail *self, const char *org, const AuditEvent *event);

/* The same to every organisation's log: what concerns the daemon as a whole. */
void audit_trail_note_all(AuditTrail *self, const AuditEvent *event);

typedef struct {
    uint64_t n_records;
    uint64_t n_unanchored; /* not yet vouched for by a checkpoint in the store */
    uint64_t n_unsent;     /* not yet confirmed by the receiver, of the log with most of them */
    uint64_t most_unsent;  /* how many may wait; 0: there is no receiver */
    unsigned n_failing;    /* logs that take nothing new */
} AuditTrailStatus;
void audit_trail_status(AuditTrail *self, AuditTrailStatus *status);

/* Returns: how often the thread has looked around, which it does at least once a second. */
uint64_t audit_trail_turns(void *self);

/* Tells each log that the daemon stops, signs, and tries once to anchor. NULL is allowed. */
void audit_trail_free(AuditTrail *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AuditTrail, audit_trail_free)
