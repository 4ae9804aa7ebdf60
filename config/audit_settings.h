#pragma once

#include "config/syslog_settings.h"

#include <glib.h>
#include <stdbool.h>

/* What the administrator wrote under `audit`: how people stand in the audit logs, and
 * who else is told. */
typedef struct {
    char *pseudonym_key_path; /* audit.pseudonym_key: what clients' pseudonyms are made with; NULL:
                                 their disclosures can not be told apart */
    bool hides_people;      /* audit.people = "pseudonyms": whoever acts stands there as one too */
    SyslogSettings *syslog; /* NULL: the logs are sent nowhere */
} AuditSettings;

void audit_settings_free(AuditSettings *self);
