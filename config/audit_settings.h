#pragma once

#include <glib.h>
#include <stdbool.h>

/* What the administrator wrote under `audit`: how people stand in the audit logs. */
typedef struct {
    char *pseudonym_key_path; /* audit.pseudonym_key: what clients' pseudonyms are made with; NULL:
                                 their disclosures can not be told apart */
    bool hides_people; /* audit.people = "pseudonyms": whoever acts stands there as one too */
} AuditSettings;

void audit_settings_free(AuditSettings *self);
