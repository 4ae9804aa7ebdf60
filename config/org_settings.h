#pragma once

#include "config/settings.h"

/* Reads one organisation's file, `<id>.conf`. Inside config/ only; users read it through
 * settings_load(). */
OrgSettings *org_settings_load(const char *path, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void org_settings_free(OrgSettings *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(OrgSettings, org_settings_free)
