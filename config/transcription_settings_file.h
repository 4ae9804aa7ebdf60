#pragma once

#include "config/config_file.h"
#include "config/transcription_settings.h"

/* Reads the group `transcription` of an organisation's file. Inside config/ only. */
extern const ConfigRule transcription_settings_rules[];

/* `self`: NULL where the group is not there. A server is one with whom an agreement was made, and
 * plain http goes to this machine alone. Errors: INVALID. */
bool transcription_settings_read(TranscriptionSettings **self, const ConfigFile *file,
                                 GError **error) G_GNUC_WARN_UNUSED_RESULT;
