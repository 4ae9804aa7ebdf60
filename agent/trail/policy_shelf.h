#pragma once

#include "config/settings.h"

#include <glib.h>
#include <stdbool.h>

/* Every version of an organisation's file that a daemon has decided by, as
 * `<folder>/<organisation>/policy-<digest>.conf` beside the audit log whose records name the
 * digest: so that years later it can be read what it was that permitted or denied. */

/* Keeps what is in force for each of `orgs` (OrgSettings). `folder`: of the audit logs. A version
 * that is there already is left alone.
 * Errors: any STORAGE_ERROR - one could not be kept. */
bool policy_shelf_keep(const char *folder, const GPtrArray *orgs,
                       GError **error) G_GNUC_WARN_UNUSED_RESULT;
