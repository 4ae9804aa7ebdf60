#pragma once

#include "storage/spool_private.h"

/* Reads what an earlier process left into a spool that is locked and not yet shared: its index, its
 * files and its numbers. Changes nothing on the disk but `quarantine/`, so that being killed half
 * way costs nothing: the caller makes it last by spool_rotate_locked() and a flush. Errors: DENIED
 * - a symbolic link stands where a log should; IO. */
bool spool_recover(Spool *self, GError **error) G_GNUC_WARN_UNUSED_RESULT;
