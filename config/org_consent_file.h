#pragma once

#include "config/config_file.h"
#include "config/org_consent.h"

/* The part of an organisation's file that says what may be recorded. Inside config/ only. */
extern const ConfigRule org_consent_rules[];

/* Returns: owned. Errors: INVALID. */
OrgConsent *org_consent_read(const ConfigFile *file, GError **error) G_GNUC_WARN_UNUSED_RESULT;
