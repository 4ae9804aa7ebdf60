#pragma once

#include "config/config_file.h"
#include "config/org_access.h"

/* The part of an organisation's file that says who may open. Inside config/ only. */
extern const ConfigRule org_access_rules[];

/* Returns: owned, also where the file says nothing of it: then nobody may. Errors: INVALID,
 * UNREADABLE. */
OrgAccess *org_access_read(const ConfigFile *file, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Reads one issuer's file. Errors: as above. */
OrgIssuer *org_issuer_read(const char *path, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void org_issuer_free(OrgIssuer *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(OrgIssuer, org_issuer_free)

/* Whether `text` is `<value>=<role>`. */
bool org_issuer_role_is_valid(const char *text);
