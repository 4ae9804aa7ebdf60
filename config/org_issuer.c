#include "config/org_access_file.h"
#include "config/settings.h"

#include <string.h>

bool
org_issuer_role_is_valid(const char *text)
{
    const char *equals = strrchr(text, '=');

    return equals != NULL && equals != text && g_strv_contains(org_access_role_names, equals + 1);
}

static bool
is_key_source(const char *text)
{
    g_autoptr(GUri) uri = g_uri_parse(text, G_URI_FLAGS_NONE, NULL);
    const char *host = uri != NULL ? g_uri_get_host(uri) : NULL;

    if (strstr(text, "://") == NULL)
        return strpbrk(text, "/.") != NULL;
    return g_str_has_prefix(text, "https://") && host != NULL && *host != '\0';
}

static const ConfigRule rules[] = {
    {"issuer",               CONFIG_KIND_GROUP,  true,  NULL,                                          0, 0,       NULL                    },
    {"issuer.issuer",        CONFIG_KIND_TEXT,   true,  "the `iss` of its tokens",                     0, 0,       NULL                    },
    {"issuer.audiences",     CONFIG_KIND_LIST,   true,  "a list of one to sixteen `aud` that mean us", 1,
     16,                                                                                                           NULL                    },
    {"issuer.keys",          CONFIG_KIND_TEXT,   true,  "the path or https URL of its JWK set",        0, 0,
     is_key_source                                                                                                                         },
    {"issuer.ca_file",       CONFIG_KIND_PATH,   false, NULL,                                          0, 0,       NULL                    },
    {"issuer.org_claim",     CONFIG_KIND_TEXT,   false, "a claim's name",                              0, 0,       NULL                    },
    {"issuer.org_value",     CONFIG_KIND_TEXT,   false, "what that claim is for this organisation",    0, 0,
     NULL                                                                                                                                  },
    {"issuer.subject_claim", CONFIG_KIND_TEXT,   false, "a claim's name",                              0, 0,       NULL                    },
    {"issuer.role_claim",    CONFIG_KIND_TEXT,   true,  "a claim's name",                              0, 0,       NULL                    },
    {"issuer.roles",         CONFIG_KIND_LIST,   true,
     "a list of one to 64 of the issuer's roles and what they are here, as \"doctor=provider\"",       1,
     64,                                                                                                           org_issuer_role_is_valid},
    {"issuer.purpose_claim", CONFIG_KIND_TEXT,   false, "a claim's name",                              0, 0,       NULL                    },
    {"issuer.acr",           CONFIG_KIND_LIST,   false, "a list of `acr` that mean a second factor",   0, 16,
     NULL                                                                                                                                  },
    {"issuer.amr",           CONFIG_KIND_LIST,   false, "a list of `amr` that mean a second factor",   0, 16,
     NULL                                                                                                                                  },
    {"issuer.leeway_s",      CONFIG_KIND_NUMBER, false, "0 to 60 (seconds)",                           0, 60,      NULL                    },
    {"issuer.keys_kept_s",   CONFIG_KIND_NUMBER, false, "1 to 86400 (seconds)",                        1, 86400,   NULL                    },
    {"issuer.keys_again_s",  CONFIG_KIND_NUMBER, false, "1 to 3600 (seconds)",                         1, 3600,    NULL                    },
    {"issuer.keys_away_s",   CONFIG_KIND_NUMBER, false, "1 to 2592000 (seconds)",                      1, 2592000, NULL                    },
    {NULL,                   CONFIG_KIND_GROUP,  false, NULL,                                          0, 0,       NULL                    },
};

static void
role_name_free(gpointer data)
{
    OrgRoleName *self = data;

    g_free(self->value);
    g_free(self->role);
    g_free(self);
}

static GPtrArray *
read_roles(const ConfigFile *file)
{
    g_autoptr(GPtrArray) texts = config_file_list(file, "issuer.roles");
    GPtrArray *roles = g_ptr_array_new_with_free_func(role_name_free);

    for (guint i = 0; i < texts->len; i++) {
        const char *text = texts->pdata[i];
        const char *equals = strrchr(text, '=');
        OrgRoleName *name = g_new0(OrgRoleName, 1);

        name->value = g_strndup(text, (size_t) (equals - text));
        name->role = g_strdup(equals + 1);
        g_ptr_array_add(roles, name);
    }
    return roles;
}

static char *
read_keys(const ConfigFile *file)
{
    g_autofree char *text = config_file_text(file, "issuer.keys");

    return g_str_has_prefix(text, "https://") ? g_steal_pointer(&text)
                                              : config_file_resolve(file, text);
}

static void
read_all(OrgIssuer *self, const ConfigFile *file)
{
    self->issuer = config_file_text(file, "issuer.issuer");
    self->audiences = config_file_list(file, "issuer.audiences");
    self->keys = read_keys(file);
    self->ca_path = config_file_text(file, "issuer.ca_file");
    self->org_claim = config_file_text(file, "issuer.org_claim");
    self->org_value = config_file_text(file, "issuer.org_value");
    self->subject_claim = config_file_text(file, "issuer.subject_claim");
    if (self->subject_claim == NULL)
        self->subject_claim = g_strdup("sub");
    self->role_claim = config_file_text(file, "issuer.role_claim");
    self->roles = read_roles(file);
    self->purpose_claim = config_file_text(file, "issuer.purpose_claim");
    self->acr = config_file_list(file, "issuer.acr");
    self->amr = config_file_list(file, "issuer.amr");
    self->leeway_s = (uint32_t) config_file_number(file, "issuer.leeway_s", 0);
    self->keys_kept_s = (uint32_t) config_file_number(file, "issuer.keys_kept_s", 300);
    self->keys_again_s = (uint32_t) config_file_number(file, "issuer.keys_again_s", 60);
    self->keys_away_s = (uint32_t) config_file_number(file, "issuer.keys_away_s", 86400);
}

static bool
check_all(const OrgIssuer *self, const ConfigFile *file, GError **error)
{
    if ((self->org_claim == NULL) != (self->org_value == NULL)) {
        config_file_fail(file, "issuer", error, "org_claim and org_value go together");
        return false;
    }
    if (self->keys_away_s < self->keys_kept_s) {
        config_file_fail(file, "issuer.keys_away_s", error,
                         "must be at least keys_kept_s, %u: until then keys are not read again",
                         self->keys_kept_s);
        return false;
    }
    return true;
}

OrgIssuer *
org_issuer_read(const char *path, GError **error)
{
    g_autoptr(ConfigFile) file =
        config_file_open(path, (const ConfigRule *const[]){rules, NULL}, error);
    g_autoptr(OrgIssuer) self = NULL;

    if (file == NULL)
        return NULL;
    self = g_new0(OrgIssuer, 1);
    self->path = g_strdup(path);
    read_all(self, file);
    return check_all(self, file, error) ? g_steal_pointer(&self) : NULL;
}

void
org_issuer_free(OrgIssuer *self)
{
    if (self == NULL)
        return;
    g_free(self->path);
    g_free(self->issuer);
    g_clear_pointer(&self->audiences, g_ptr_array_unref);
    g_free(self->keys);
    g_free(self->ca_path);
    g_free(self->org_claim);
    g_free(self->org_value);
    g_free(self->subject_claim);
    g_free(self->role_claim);
    g_clear_pointer(&self->roles, g_ptr_array_unref);
    g_free(self->purpose_claim);
    g_clear_pointer(&self->acr, g_ptr_array_unref);
    g_clear_pointer(&self->amr, g_ptr_array_unref);
    g_free(self);
}
