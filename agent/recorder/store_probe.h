#pragma once

#include "config/settings.h"

#include <glib.h>

/* Looks once, in a thread of its own, at what the store and its replicas really do, and logs what
 * somebody should know. Recording does not wait for it. */
typedef struct StoreProbe StoreProbe;

/* `settings`: borrowed. Directories are not looked at. */
StoreProbe *store_probe_start(const StoreSettings *settings);

/* Waits for its end: as long as configured_store_probe() may take. */
void store_probe_free(StoreProbe *self);
