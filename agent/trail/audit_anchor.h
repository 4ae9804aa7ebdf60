#pragma once

#include "storage/audit_log.h"
#include "storage/object_store.h"

#include <glib.h>
#include <stdint.h>

/* Puts the checkpoints of audit logs into the store, where nobody takes them back: each as
 * `<org>/audit/<origin>/<records>.note`. In a thread of its own, since a store may take its time.
 * What fails is tried again, later each time; only the last checkpoint counts, for it vouches for
 * all before it. */
typedef struct AuditAnchor AuditAnchor;

/* `store`: borrowed until audit_anchor_free(). */
AuditAnchor *audit_anchor_new(ObjectStore *store);

/* Before audit_anchor_start() only. `log`: borrowed. */
void audit_anchor_add(AuditAnchor *self, const char *org, AuditLog *log);
void audit_anchor_start(AuditAnchor *self);

/* Returns: how many records no checkpoint in the store vouches for, as far as this process knows.
 * Thread: any. */
uint64_t audit_anchor_behind(AuditAnchor *self);

/* Tries each once more, and ends. NULL is allowed. */
void audit_anchor_free(AuditAnchor *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AuditAnchor, audit_anchor_free)
