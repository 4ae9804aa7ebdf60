#pragma once

#include "config/config_file.h"
#include "config/settings.h"

/* Reads the group `audit`. Inside config/ only. */
extern const ConfigRule audit_settings_rules[];

/* Sets `settings->audit`. Errors: INVALID. */
bool audit_settings_read(Settings *settings, const ConfigFile *file,
                         GError **error) G_GNUC_WARN_UNUSED_RESULT;
