#pragma once

#include "agent/audit/audit_event.h"
#include "agent/trail/audit_delivery.h"
#include "config/settings.h"
#include "storage/object_store.h"

#include <glib.h>
#include <stdbool.h>

/* What a command tells the auditors: one record at a time into the log of the host's command line
 * (`keys.signing_key`), which commands that run side by side share. One thread. */
typedef struct AuditJournal AuditJournal;

/* `settings`: borrowed until audit_journal_free(). `store`: where checkpoints are put at the end,
 * borrowed; NULL: nowhere. Errors: CONFIG_ERROR - no signing key is set, or it can not be read; the
 * message says what to do. */
AuditJournal *audit_journal_new(const Settings *settings, ObjectStore *store,
                                GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Returns: `unix:<name>`, who runs this program, borrowed. */
const char *audit_journal_actor(const AuditJournal *self);

/* Writes one record, by whoever runs this program unless `event->actor` says another, and signs.
 * Call it before the act. Blocks. Returns: true once it would survive a power cut. Errors:
 * STORAGE_ERROR of any kind
 * - whatever the record was to permit may not happen. */
bool audit_journal_write(AuditJournal *self, const char *org, const AuditEvent *event,
                         GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Adds what the log of `org` has to `delivery`. Blocks while another command writes it. Errors:
 * STORAGE_ERROR of any kind - BUSY: another process sends it. */
bool audit_journal_queue(AuditJournal *self, const char *org, AuditDelivery *delivery,
                         GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Puts the checkpoints of what was written into the store, and sends it to the receiver of audit
 * messages; what one of them does not take goes with the next. NULL is allowed. */
void audit_journal_free(AuditJournal *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AuditJournal, audit_journal_free)
