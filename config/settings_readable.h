#pragma once

#include "config/settings.h"

/* As settings_load(), for the one act that must always be possible: the organisations whose files
 * can not be read are left out, and no store is followed to another region, for one of them may
 * forbid that. `left_out`: gets the id of each (char *, owned) and why (char *, owned); NULL: each
 * must be read. */
Settings *settings_load_readable(const char *path, GHashTable *left_out,
                                 GError **error) G_GNUC_WARN_UNUSED_RESULT;
