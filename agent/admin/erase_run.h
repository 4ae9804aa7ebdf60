#pragma once

#include "agent/admin/custody.h"

#include <glib.h>
#include <stdbool.h>

/* An erasure as commands run it: told to the auditors before and after, and kept in the ledger of
 * this host, from which it is done again where an old backup of the store comes back. */

/* As erasure_run(). */
bool erase_run(const Custody *custody, const ErasureOrder *order, ErasureResult *result,
               GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The exact words: `erased`, or `erased by key, bytes locked until DATE`. */
void erase_run_print(CommandContext *context, const char *session, const ErasureResult *result);

/* Puts back what the ledger knows and the store does not, so that readers refuse those sessions.
 * `n_restored`: out. */
bool erase_run_replay(const Custody *custody, const char *org, unsigned *n_restored,
                      GError **error) G_GNUC_WARN_UNUSED_RESULT;
