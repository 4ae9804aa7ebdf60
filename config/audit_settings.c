#include "config/audit_settings.h"

#include "config/audit_settings_file.h"
#include "config/syslog_settings_file.h"

#include <string.h>

static bool
is_form(const char *text)
{
    return strcmp(text, "ids") == 0 || strcmp(text, "pseudonyms") == 0;
}

const ConfigRule audit_settings_rules[] = {
    {"audit",               CONFIG_KIND_GROUP, false, NULL,                        0, 0, NULL   },
    {"audit.pseudonym_key", CONFIG_KIND_PATH,  false, NULL,                        0, 0, NULL   },
    {"audit.people",        CONFIG_KIND_TEXT,  false, "\"ids\" or \"pseudonyms\"", 0, 0, is_form},
    {NULL,                  CONFIG_KIND_GROUP, false, NULL,                        0, 0, NULL   },
};

bool
audit_settings_read(Settings *settings, const ConfigFile *file, GError **error)
{
    AuditSettings *self = settings->audit = g_new0(AuditSettings, 1);
    g_autofree char *people = config_file_text(file, "audit.people");

    self->pseudonym_key_path = config_file_text(file, "audit.pseudonym_key");
    self->hides_people = g_strcmp0(people, "pseudonyms") == 0;
    if (!self->hides_people || self->pseudonym_key_path != NULL)
        return syslog_settings_read(&self->syslog, file, error);
    config_file_fail(file, "audit.people", error, "needs audit.pseudonym_key, which makes them");
    return false;
}

void
audit_settings_free(AuditSettings *self)
{
    if (self == NULL)
        return;
    g_free(self->pseudonym_key_path);
    syslog_settings_free(self->syslog);
    g_free(self);
}
