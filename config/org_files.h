#pragma once

#include "config/config_file.h"
#include "config/settings.h"

/* Reads the organisations of `orgs`, as signed and with their key rings, into `self`. Inside
 * config/ only. `left_out`: as settings_load_readable(); NULL if each must be read. */
bool org_files_read(Settings *self, const ConfigFile *file, GHashTable *left_out,
                    GError **error) G_GNUC_WARN_UNUSED_RESULT;
