#pragma once

#include "agent/admin/custody.h"

#include <glib.h>
#include <stdbool.h>

/* An erasure as commands run it: told to the auditors before and after, and kept in the ledger of
 * this host, from which it is done again where an old backup of the store comes back. */

/* As erasure_run(). */
bool erase_run(const Custody *custody, const ErasureOrder *order, ErasureResult *result,
               GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Notes in the catalogue of this host, if there is one, all that was erased of `org`: whether now,
 * before it came out of a backup, or by another host. It is an index: a failure is only said. */
void erase_run_tell_catalogue(const Custody *custody, const char *org);

/* The exact words: `erased`, or `erased by key, bytes locked until DATE`. */
void erase_run_print(CommandContext *context, const char *session, const ErasureResult *result);
