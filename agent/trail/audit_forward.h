#pragma once

#include "agent/audit/audit_kind.h"
#include "config/syslog_settings.h"
#include "storage/audit_log.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* Sends a daemon's audit logs to a receiver of ATNA messages as they grow, in a thread of its own,
 * since a receiver may take its time. What fails is tried again, later each time, and less at once,
 * for a receiver may be slow and not dead. */
typedef struct AuditForward AuditForward;

/* `kind`: AUDIT_FEED_BEHIND at four fifths of `max_lag`, AUDIT_FEED_FULL when it is reached,
 * AUDIT_FEED_CAUGHT_UP below again. Called in the thread of its own. */
typedef void (*AuditForwardFunc)(const char *org, AuditKind kind, uint64_t n_waiting,
                                 void *user_data);

/* `receiver`: borrowed until audit_forward_free(). Returns: NULL for NULL, to whom nothing waits;
 * all calls take that. */
AuditForward *audit_forward_new(const SyslogSettings *receiver, AuditForwardFunc on_lag,
                                void *user_data);

/* Before audit_forward_start() only. `log`: the one in `folder`, borrowed until
 * audit_forward_free(). Errors: STORAGE_ERROR - BUSY: another process sends it. */
bool audit_forward_add(AuditForward *self, const char *folder, const char *org, AuditLog *log,
                       GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* From here on the thread sends, and logs what goes wrong: a warning with the reason, others for
 * the lag, and a message when it goes again. */
void audit_forward_start(AuditForward *self);

/* How many records wait of the log of which most do. `most`: out, how many may. Thread: any. */
uint64_t audit_forward_waiting(AuditForward *self, uint64_t *most);

/* Returns: whether the organisation's log may get records of something new. Errors:
 * STORAGE_ERROR_FULL - as many wait as `max_lag` allows. Thread: any. */
bool audit_forward_admits(AuditForward *self, const char *org,
                          GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Tries once more, unless that has been failing, and ends; leaves what takes longer than two
 * seconds. NULL is allowed. */
void audit_forward_free(AuditForward *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AuditForward, audit_forward_free)
