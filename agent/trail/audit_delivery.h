#pragma once

#include "config/syslog_settings.h"
#include "storage/audit_log.h"

#include <gio/gio.h>
#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* What of audit logs waits for a receiver of ATNA messages, and how it gets there: each log in its
 * order, as syslog over TLS. The log is the queue: how far the receiver has confirmed stands
 * durably beside it (`<origin>.syslog`), and what was on its way at a failure goes again, byte for
 * byte the same. One thread, but for what says otherwise. */
typedef struct AuditDelivery AuditDelivery;

typedef struct {
    const char *folder, *org;
    const char *origin; /* audit_log_file_word() */
    AuditLog *log;      /* borrowed until the delivery is freed; NULL: nobody here writes it */
    uint64_t n_records; /* then it has so many that are durable */
} AuditDeliveryLog;

/* `receiver`: borrowed until audit_delivery_free(). */
AuditDelivery *audit_delivery_new(const SyslogSettings *receiver);

/* Before any of the others. Errors: STORAGE_ERROR_BUSY - another process sends it; CORRUPT, IO. */
bool audit_delivery_add(AuditDelivery *self, const AuditDeliveryLog *log,
                        GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Opens a delivery and ends it, with nothing in it. Blocks. Errors: as of a delivery that fails. */
bool audit_delivery_try(const SyslogSettings *receiver, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Sends what waits, at most `n_most` records, and keeps how far it came. `cancellable`: ends it
 * from another thread; NULL is allowed. `n_sent`: out, confirmed ones. Blocks. Returns: false - the
 * delivery failed, and nothing of it counts. A log that can not be read does not keep another: it
 * is told as a warning, once. */
bool audit_delivery_run(AuditDelivery *self, unsigned n_most, GCancellable *cancellable,
                        uint64_t *n_sent, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* How many records of all logs wait. Thread: any. */
uint64_t audit_delivery_waiting(const AuditDelivery *self);

/* How many logs there are. Thread: any. */
unsigned audit_delivery_count(const AuditDelivery *self);

/* How many records wait of one, by its number from 0. `org`: out, borrowed; NULL: not asked.
 * Thread: any. */
uint64_t audit_delivery_waiting_of(const AuditDelivery *self, unsigned number, const char **org);

void audit_delivery_free(AuditDelivery *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AuditDelivery, audit_delivery_free)
