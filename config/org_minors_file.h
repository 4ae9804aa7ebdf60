#pragma once

#include "config/config_file.h"
#include "config/org_minors.h"

#include <stdbool.h>

/* Reads who consents for a minor out of an organisation's file. Inside config/ only. */

/* Whether it is one of the words for OrgMinors. */
bool org_minors_is_word(const char *text);

/* Returns: the first of them where `text` is NULL. */
OrgMinors org_minors_of(const char *text);

/* Whether it is an entry, as `US-CA mental-health 12: alone`. */
bool org_minors_is_row(const char *text);

/* Returns: GPtrArray of OrgMinorsRow, owned, empty where none is set; NULL with
 * CONFIG_ERROR_INVALID where an entry can never be reached. */
GPtrArray *org_minors_read(const ConfigFile *file, GError **error) G_GNUC_WARN_UNUSED_RESULT;
