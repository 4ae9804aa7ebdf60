#pragma once

#include "config/config_file.h"
#include "config/syslog_settings.h"

/* Reads the group `audit.syslog`, whose parent's rules stand before these. Inside config/ only. */
extern const ConfigRule syslog_settings_rules[];

/* Sets `settings`: NULL if there is no such group. Errors: INVALID. */
bool syslog_settings_read(SyslogSettings **settings, const ConfigFile *file,
                          GError **error) G_GNUC_WARN_UNUSED_RESULT;
