#pragma once

#include "agent/trail/audit_trail.h"
#include "storage/spool.h"

#include <stdbool.h>

/* What the auditors are told of sessions that an earlier process recorded, and left in the spool.
 * Main thread. */

/* Tells of each that was cut off that its recording has ended, reason `abandoned`: at every start
 * until it is stored, for nobody knows whether the start before came to tell it. Before the spool's
 * uploader is there. */
void past_sessions_audit_abandoned(AuditTrail *audit, Spool *spool);

/* Everything of `session`, which this process has not recorded, is in the store. `is_whole`: its
 * manifest is closed rather than interrupted. */
void past_sessions_audit_stored(AuditTrail *audit, const char *org, const char *session,
                                bool is_whole);
