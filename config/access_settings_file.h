#pragma once

#include "config/config_file.h"
#include "config/settings.h"

/* Reads the group `access`. Inside config/ only. */
extern const ConfigRule access_settings_rules[];

/* Sets `settings->access`; leaves it NULL where the group is not there. `settings->audit_path` is
 * known. Errors: INVALID. */
bool access_settings_read(Settings *settings, const ConfigFile *file,
                          GError **error) G_GNUC_WARN_UNUSED_RESULT;
