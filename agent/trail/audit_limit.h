#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* Keeps somebody who is refused a thousand times a second from filling the audit log: of each kind
 * and reason ten a minute are written, the others counted. One thread; knows no clock, `now_us` is
 * monotonic. */
typedef struct AuditLimit AuditLimit;

AuditLimit *audit_limit_new(void);

/* Returns: whether this one is to be written; else it is counted. `reason`: may be NULL. */
bool audit_limit_admits(AuditLimit *self, const char *kind, const char *reason, int64_t now_us);

/* Tells what was left out in the minutes that have ended by `now_us` (G_MAXINT64: in all), and
 * forgets it. */
void audit_limit_close(AuditLimit *self, int64_t now_us,
                       void (*on_left_out)(const char *kind, const char *reason, uint64_t count,
                                           void *user_data),
                       void *user_data);

void audit_limit_free(AuditLimit *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AuditLimit, audit_limit_free)
