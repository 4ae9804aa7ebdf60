#pragma once

#include "config/config_file.h"
#include "config/settings.h"

/* Reads the group `keys` and the lists of trusted programs. Inside config/ only. */
extern const ConfigRule key_settings_rules[];

/* Sets `settings->keys`. */
void key_settings_read(Settings *settings, const ConfigFile *file);
