#pragma once

#include "agent/audit/audit_event.h"
#include "agent/opener/caller.h"
#include "agent/opener/grant.h"

/* How what happens here reads in the audit log. */

/* Returns: an event by `caller`, who is `role` (NULL: not decided); borrows from its arguments. */
AuditEvent access_record_of_caller(AuditKind kind, const Caller *caller);

/* Returns: an event under `grant`; the same. `tracks`: set to a text that the event points to,
 * owned. */
AuditEvent access_record_of_grant(AuditKind kind, const Grant *grant, char **tracks);
