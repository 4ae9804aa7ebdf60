#pragma once

#include "agent/recorder/org_book.h"
#include "agent/recorder/session_table.h"
#include "agent/trail/audit_trail.h"
#include "storage/spool.h"

#include <stdbool.h>

/* New rules while sessions run: on SIGHUP the organisations' files are read again. Main thread. All
 * borrowed. */
typedef struct {
    OrgBook *orgs;
    const Settings *settings;
    SessionTable *sessions;
    AuditTrail *audit;
    Spool *spool;
    unsigned source; /* 0: not started */
} RecorderReload;

/* Keeps what is in force beside the audit log, and from now on obeys the signal. */
void recorder_reload_start(RecorderReload *self);

/* What the signal does: keeps each version that is new, tells the auditors, and asks every running
 * session again: all are paused or resumed first, then one flush makes the decisions durable. What
 * runs is not touched otherwise.
 * Errors: any CONFIG_ERROR - the rules before stay in force; the message is for the user, and the
 * auditors are told as well. */
bool recorder_reload_run(const RecorderReload *self, GError **error) G_GNUC_WARN_UNUSED_RESULT;

void recorder_reload_stop(RecorderReload *self);
