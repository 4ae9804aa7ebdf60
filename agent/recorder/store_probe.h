#pragma once

#include "agent/trail/audit_trail.h"
#include "config/settings.h"

#include <glib.h>

/* Looks once, in a thread of its own, at what the store and its replicas really do, and logs what
 * somebody should know. Recording does not wait for it. */
typedef struct StoreProbe StoreProbe;

/* Both borrowed until store_probe_free(). What it finds is audited, too. Directories are not looked
 * at. */
StoreProbe *store_probe_start(const StoreSettings *settings, AuditTrail *audit);

/* Waits for its end: as long as configured_store_probe() may take. */
void store_probe_free(StoreProbe *self);
