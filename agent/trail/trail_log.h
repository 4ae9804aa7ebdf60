#pragma once

#include "agent/audit/audit_event.h"
#include "storage/audit_log.h"

#include <glib.h>
#include <stdbool.h>

/* One organisation's log, as a trail writes it. What it could not take is counted, and told in it
 * as soon as it takes records again, before anything else. One thread at a time, but for
 * trail_log_is_failing(). */
typedef struct TrailLog TrailLog;

/* `log`: taken; NULL: it did not open, and `fault` (taken) says why. */
TrailLog *trail_log_new(const char *org, AuditLog *log, GError *fault);

const char *trail_log_org(const TrailLog *self);

/* Returns: borrowed; NULL if it did not open. */
AuditLog *trail_log_file(const TrailLog *self);

/* Appends a record that something waits for. Returns: true once it is durable. */
bool trail_log_append(TrailLog *self, const char *words, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Appends a record of what has happened anyway. */
void trail_log_note(TrailLog *self, AuditKind kind, const char *words);
void trail_log_note_event(TrailLog *self, const AuditEvent *event);

/* If it is failing: looks whether it takes records again. */
void trail_log_try_again(TrailLog *self);

/* Whether the last record did not go in. Thread: any. */
bool trail_log_is_failing(const TrailLog *self);

/* Says what is lost now. NULL is allowed. */
void trail_log_free(TrailLog *self);
