#pragma once

#include "agent/audit/audit_event.h"
#include "agent/audit/audit_source.h"

#include <glib.h>

/* Events of every kind as programs tell them, and worse. */

/* Returns: an event of `kind` in which every text is `value` and every number is set. */
AuditEvent audit_samples_full_of(AuditKind kind, const char *value);

/* Returns: the lines of a log: each kind with nothing but itself, each full of something plain, and
 * each full of what could break a format; GPtrArray of char *, owned. */
GPtrArray *audit_samples_lines(void);

/* Reads `line`, which must be a record. */
void audit_samples_parse(AuditRecord *record, const char *line);

extern const AuditSourceId audit_samples_source;
