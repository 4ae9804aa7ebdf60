#pragma once

#include "config/settings.h"
#include "storage/spool.h"
#include "storage/spool_space.h"

#include <glib.h>
#include <stdbool.h>

/* Watches the room on the spool's disk, and says when it gets low and when it has come back. Main
 * thread. */
typedef struct SpoolWatch SpoolWatch;

/* Both borrowed until spool_watch_free(). */
SpoolWatch *spool_watch_new(Spool *spool, const SpoolFreeSettings *settings);

/* Measures now. Returns: whether the level is another than before; it is logged then. */
bool spool_watch_look(SpoolWatch *self);

SpoolSpaceLevel spool_watch_level(const SpoolWatch *self);

/* Bytes, as measured last. */
uint64_t spool_watch_free_bytes(const SpoolWatch *self);

/* Measures. Returns: false sets `error` (RECORDER_ERROR_FULL) where no session should begin. */
bool spool_watch_has_room(SpoolWatch *self, GError **error);
void spool_watch_free(SpoolWatch *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SpoolWatch, spool_watch_free)
