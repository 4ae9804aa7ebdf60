#include "config/org_consent_file.h"
#include "config/org_minors_file.h"

#include <string.h>

bool
org_consent_is_purpose(const char *text)
{
    static const char *const purposes[] = {
        "record-audio", "record-video", "transcribe", "ai-note",   "quality-review", "training",
        "ai-train",     "sud-tpo",      "sud-other",  "sud-legal", "sud-notes",      NULL};

    return g_strv_contains(purposes, text);
}

static bool
is_role(const char *text)
{
    static const char *const roles[] = {"provider",    "client",   "guardian",
                                        "interpreter", "observer", NULL};

    return g_strv_contains(roles, text);
}

static bool
is_region(const char *text)
{
    return strlen(text) <= 64 && strpbrk(text, " \t\r\n\"") == NULL;
}

static const char *const withdrawal_names[] = {
    [ORG_WITHDRAWAL_QUARANTINE] = "quarantine",
    [ORG_WITHDRAWAL_KEEP] = "keep",
    [ORG_WITHDRAWAL_ERASE] = "erase",
};

/* Returns: the place of `text`; 0 where it is NULL; `n_names` where it is no name. */
static size_t
place_of(const char *text, const char *const *names, size_t n_names)
{
    size_t i = 0;

    while (text != NULL && i < n_names && strcmp(names[i], text) != 0)
        i++;
    return i;
}

static bool
is_withdrawal(const char *text)
{
    return place_of(text, withdrawal_names, G_N_ELEMENTS(withdrawal_names)) <
           G_N_ELEMENTS(withdrawal_names);
}

/* Returns: 0 for what is no time with its zone; without one it would be this host's. */
static int64_t
parse_time(const char *text)
{
    g_autoptr(GDateTime) time = text != NULL ? g_date_time_new_from_iso8601(text, NULL) : NULL;

    return time != NULL ? g_date_time_to_unix(time) * G_USEC_PER_SEC : 0;
}

static bool
is_time(const char *text)
{
    return parse_time(text) > 0;
}

const ConfigRule org_consent_rules[] = {
    {"enabled",                   CONFIG_KIND_SWITCH, false, NULL,                                                0, 0,     NULL                  },
    {"valid_until",               CONFIG_KIND_TEXT,   false, "a time with its zone, as \"2027-01-31T00:00:00Z\"", 0,
     0,                                                                                                                     is_time               },
    {"purposes",                  CONFIG_KIND_LIST,   true,
     "a list of \"record-audio\", \"record-video\", \"transcribe\", \"ai-note\", "
     "\"quality-review\", \"training\", \"ai-train\", \"sud-tpo\", \"sud-other\", "
     "\"sud-legal\" and \"sud-notes\"",                                                                           0, 11,    org_consent_is_purpose},
    {"consent",                   CONFIG_KIND_GROUP,  false, NULL,                                                0, 0,     NULL                  },
    {"consent.text_version",      CONFIG_KIND_TEXT,   false,
     "the version of the text that is consented to, not empty",                                                   0, 0,     NULL                  },
    {"consent.evidence_required", CONFIG_KIND_SWITCH, false, NULL,                                                0, 0,     NULL                  },
    {"consent.max_age_days",      CONFIG_KIND_NUMBER, false, "0 (any age) to 36500 (days)",                       0, 36500,
     NULL                                                                                                                                         },
    {"consent.roles",             CONFIG_KIND_LIST,   false,
     "a list of \"provider\", \"client\" and \"guardian\", and, where they must consent too, "
     "\"interpreter\" and \"observer\"",                                                                          1, 5,     is_role               },
    {"consent.minors",            CONFIG_KIND_TEXT,   false, "\"both\", \"guardian\", \"alone\" or \"never\"",    0,
     0,                                                                                                                     org_minors_is_word    },
    {"consent.minors_by",         CONFIG_KIND_LIST,   false,
     "a list of 1 to 100 rows, each a country (\"US\"), a part of one (\"US-CA\") or *, a service "
     "(a-z, 0-9, hyphen) or *, the age from which it counts (0 to 20), and \"both\", \"guardian\", "
     "\"alone\" or \"never\", as \"US-CA mental-health 12: alone\"",                                              1, 100,   org_minors_is_row     },
    {"regions",                   CONFIG_KIND_LIST,   false,
     "a list of 1 to 64 regions, as a store's `region` names them, without spaces",                               1, 64,
     is_region                                                                                                                                    },
    {"on_withdrawal",             CONFIG_KIND_TEXT,   false, "\"keep\", \"quarantine\" or \"erase\"",             0, 0,
     is_withdrawal                                                                                                                                },
    {NULL,                        CONFIG_KIND_GROUP,  false, NULL,                                                0, 0,     NULL                  },
};

/* Returns: the list, with NULL at its end; NULL if it is not set. */
static char **
read_list(const ConfigFile *file, const char *name)
{
    GPtrArray *list = NULL;

    if (!config_file_has(file, name))
        return NULL;
    list = config_file_list(file, name);
    g_ptr_array_add(list, NULL);
    return (char **) g_ptr_array_free(list, FALSE);
}

/* Who is treated, and who treats, is never recorded without a yes. */
static bool
check_roles(const OrgConsent *self, const ConfigFile *file, GError **error)
{
    static const char *const always[] = {"provider", "client", "guardian"};

    for (size_t i = 0; self->roles != NULL && i < G_N_ELEMENTS(always); i++) {
        if (!g_strv_contains((const char *const *) self->roles, always[i])) {
            config_file_fail(file, "consent.roles", error,
                             "must have \"%s\" in it: nobody is recorded without their consent",
                             always[i]);
            return false;
        }
    }
    return true;
}

static size_t
read_name(const ConfigFile *file, const char *setting, const char *const *names, size_t n_names)
{
    g_autofree char *text = config_file_text(file, setting);

    return place_of(text, names, n_names);
}

OrgConsent *
org_consent_read(const ConfigFile *file, GError **error)
{
    OrgConsent *self = g_new0(OrgConsent, 1);
    g_autofree char *until = config_file_text(file, "valid_until");
    g_autofree char *minors = config_file_text(file, "consent.minors");

    self->is_enabled = config_file_switch(file, "enabled", true);
    self->valid_until_us = parse_time(until);
    self->purposes = read_list(file, "purposes");
    self->text_version = config_file_text(file, "consent.text_version");
    self->evidence_required = config_file_switch(file, "consent.evidence_required", false);
    self->max_age_days = (uint32_t) config_file_number(file, "consent.max_age_days", 0);
    self->roles = read_list(file, "consent.roles");
    self->regions = read_list(file, "regions");
    self->minors = org_minors_of(minors);
    self->minors_by = org_minors_read(file, error);
    self->on_withdrawal = (OrgWithdrawal) read_name(file, "on_withdrawal", withdrawal_names,
                                                    G_N_ELEMENTS(withdrawal_names));
    if (self->minors_by == NULL || !check_roles(self, file, error)) {
        g_clear_pointer(&self, org_consent_free);
    }
    return self;
}

void
org_consent_free(OrgConsent *self)
{
    if (self == NULL)
        return;
    g_strfreev(self->purposes);
    g_free(self->text_version);
    g_strfreev(self->roles);
    g_strfreev(self->regions);
    g_clear_pointer(&self->minors_by, g_ptr_array_unref);
    g_free(self);
}
