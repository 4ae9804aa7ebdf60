#include "config/retention_settings.h"

#include "config/config_file.h"
#include "crypto/age_context.h"

enum { DEFAULT_LEAD_DAYS = 31 };

static bool
is_time_zone(const char *text)
{
    g_autoptr(GTimeZone) zone = g_time_zone_new_identifier(text);

    return zone != NULL;
}

/* What a rule means is agent/policy's; here is only its form, in which no rule keeps nothing. */
static bool
is_rule(const char *text)
{
    return g_regex_match_simple("^[a-z0-9][a-z0-9._-]{0,63}: "
                                "(adult|minor|transcript|quarantine|any) [1-9][0-9]{0,4} "
                                "(days?|years?)(, age [1-9][0-9]?)?$",
                                text, 0, 0);
}

static const ConfigRule rules[] = {
    {"table",           CONFIG_KIND_TEXT,   true,  "an id: of this version of the rules", 0, 0,
     age_context_id_is_valid                                                                                   },
    {"time_zone",       CONFIG_KIND_TEXT,   true,  "a time zone, as America/Phoenix",     0, 0,    is_time_zone},
    {"rules",           CONFIG_KIND_LIST,   true,
     "a list of rules, each as \"adult-az: adult 6 years\", \"minor-az: minor 6 years, age 21\" or "
     "\"look: quarantine 90 days\": at least one day; the classes are adult, minor, transcript, "
     "quarantine, any",                                                                   1, 100,  is_rule     },
    {"minors",          CONFIG_KIND_SWITCH, false, NULL,                                  0, 0,    NULL        },
    {"clock_lead_days", CONFIG_KIND_NUMBER, false, "1 to 3650",                           1, 3650, NULL        },
    {NULL,              CONFIG_KIND_GROUP,  false, NULL,                                  0, 0,    NULL        },
};

RetentionSettings *
retention_settings_load(const char *orgs, const char *org, GError **error)
{
    static const ConfigRule *const tables[] = {rules, NULL};
    g_autofree char *name = g_strconcat(org, ".retention", NULL);
    g_autofree char *path = g_build_filename(orgs, name, NULL);
    g_autoptr(ConfigFile) file = NULL;
    RetentionSettings *self = NULL;

    if (!g_file_test(path, G_FILE_TEST_EXISTS))
        return NULL;
    file = config_file_open(path, tables, error);
    if (file == NULL)
        return NULL;
    self = g_new0(RetentionSettings, 1);
    self->table = config_file_text(file, "table");
    self->time_zone = config_file_text(file, "time_zone");
    self->rules = config_file_list(file, "rules");
    self->sees_minors = config_file_switch(file, "minors", true);
    self->clock_lead_days =
        (uint32_t) config_file_number(file, "clock_lead_days", DEFAULT_LEAD_DAYS);
    return self;
}

void
retention_settings_free(RetentionSettings *self)
{
    if (self == NULL)
        return;
    g_free(self->table);
    g_free(self->time_zone);
    g_ptr_array_unref(self->rules);
    g_free(self);
}
