#pragma once

#include "agent/admin/custody.h"
#include "storage/repair_source.h"

#include <glib.h>
#include <stdbool.h>

/* The ledger of what was erased from this host: `<keys.ledger>/<org>/<session>.<n>.note`, copies of
 * the signed orders and certificates. Whoever brings back an old backup of the store is told by it
 * what must not come back. */

/* Keeps all notes of `order`, durably. */
bool erasure_ledger_keep(const Custody *custody, const ErasureOrder *order,
                         GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Puts back what the ledger knows and the store does not, so that readers refuse those sessions.
 * `n_restored`: out. */
bool erasure_ledger_replay(const Custody *custody, const char *org, unsigned *n_restored,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* `path`: of keys.ledger. Returns: a source that has nothing but the notes; owned; NULL with
 * `error` unset: this host has no ledger. Errors: it is there and can not be read. */
RepairSource *erasure_ledger_source(const char *path, GError **error) G_GNUC_WARN_UNUSED_RESULT;
