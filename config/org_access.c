#include "config/org_access.h"

#include "config/org_access_file.h"

#include <string.h>

#define OWNS_ALL "owns every session"

const char *const org_access_role_names[] = {"provider",  "client",      "admin", "auditor",
                                             "custodian", "transcriber", NULL};

const char *const org_access_action_names[] = {
    "play",      "release",         "settings-read", "settings-change", "holds-read",
    "hold",      "erase-request",   "erase-approve", "audit-own",       "audit-counts",
    "audit-all", "disclosures-own", "disclosures",   "review",          NULL};

static void
operator_free(gpointer data)
{
    OrgOperator *self = data;

    g_free(self->user);
    g_strfreev(self->roles);
    g_free(self);
}

static bool
are_roles(char **roles)
{
    if (*roles == NULL)
        return false;
    for (; *roles != NULL; roles++) {
        if (!g_strv_contains(org_access_role_names, *roles))
            return false;
    }
    return true;
}

/* Returns: NULL for what is no operator. */
static OrgOperator *
parse_operator(const char *text)
{
    g_auto(GStrv) halves = g_strsplit(text, ":", 2);
    OrgOperator *self = NULL;
    char *comma = NULL;

    if (g_strv_length(halves) != 2 || *g_strstrip(halves[0]) == '\0' ||
        strpbrk(halves[0], " /,") != NULL)
        return NULL;
    self = g_new0(OrgOperator, 1);
    comma = strchr(halves[1], ',');
    if (comma != NULL)
        *comma = '\0';
    self->user = g_strdup(halves[0]);
    self->roles = g_strsplit(g_strstrip(halves[1]), " ", -1);
    self->owns_every_session = comma != NULL && strcmp(g_strstrip(comma + 1), OWNS_ALL) == 0;
    if (!are_roles(self->roles) || (comma != NULL && !self->owns_every_session)) {
        g_clear_pointer(&self, operator_free);
    }
    return self;
}

static bool
is_operator(const char *text)
{
    OrgOperator *one = parse_operator(text);

    if (one != NULL)
        operator_free(one);
    return one != NULL;
}

static bool
is_role(const char *text)
{
    return g_strv_contains(org_access_role_names, text);
}

static bool
is_action(const char *text)
{
    return g_strv_contains(org_access_action_names, text);
}

static const char *const release_names[] = {
    [ORG_RELEASE_NEVER] = "never",
    [ORG_RELEASE_BY_HAND] = "by-hand",
    [ORG_RELEASE_ALWAYS] = "always",
};

static bool
is_release(const char *text)
{
    for (size_t i = 0; i < G_N_ELEMENTS(release_names); i++) {
        if (strcmp(text, release_names[i]) == 0)
            return true;
    }
    return false;
}

#define ACTIONS                                                                                    \
    "a list of \"play\", \"release\", \"settings-read\", \"settings-change\", \"holds-read\", "    \
    "\"hold\", "                                                                                   \
    "\"erase-request\", \"erase-approve\", \"audit-own\", \"audit-counts\", \"audit-all\", "       \
    "\"disclosures-own\", \"disclosures\" and \"review\""

const ConfigRule org_access_rules[] = {
    {"operators",              CONFIG_KIND_LIST,   false,
     "a list of at most 256 users of this host, as \"anna: provider custodian\", roles being "
     "provider, client, admin, "
     "auditor, custodian and transcriber, and \", owns every session\" behind them for who alone "
     "is the practice",                                                                                0,  256,    is_operator},
    {"issuers",                CONFIG_KIND_LIST,   false, "a list of at most 16 issuers' files",       0,  16,     NULL       },
    {"access",                 CONFIG_KIND_GROUP,  false, NULL,                                        0,  0,      NULL       },
    {"access.mfa",             CONFIG_KIND_LIST,   false, "a list of roles that need a second factor", 0,  6,
     is_role                                                                                                                  },
    {"access.mfa_operators",   CONFIG_KIND_SWITCH, false, NULL,                                        0,  0,      NULL       },
    {"access.mfa_age_s",       CONFIG_KIND_NUMBER, false, "0 (any age) to 604800 (seconds)",           0,  604800,
     NULL                                                                                                                     },
    {"access.mfa_fresh_s",     CONFIG_KIND_NUMBER, false, "30 to 900 (seconds)",                       30, 900,    NULL       },
    {"access.release",         CONFIG_KIND_TEXT,   false, "\"never\", \"by-hand\" or \"always\"",      0,  0,
     is_release                                                                                                               },
    {"access.start_s",         CONFIG_KIND_NUMBER, false, "1 to 300 (seconds)",                        1,  300,    NULL       },
    {"access.most_s",          CONFIG_KIND_NUMBER, false, "1 to 3600 (seconds)",                       1,  3600,   NULL       },
    {"access.idle_s",          CONFIG_KIND_NUMBER, false, "1 to 3600 (seconds)",                       1,  3600,   NULL       },
    {"access.break_glass_s",   CONFIG_KIND_NUMBER, false, "1 to 3600 (seconds)",                       1,  3600,   NULL       },
    {"access.may",             CONFIG_KIND_GROUP,  false, NULL,                                        0,  0,      NULL       },
    {"access.may.provider",    CONFIG_KIND_LIST,   false, ACTIONS,                                     0,  14,     is_action  },
    {"access.may.client",      CONFIG_KIND_LIST,   false, ACTIONS,                                     0,  14,     is_action  },
    {"access.may.admin",       CONFIG_KIND_LIST,   false, ACTIONS,                                     0,  14,     is_action  },
    {"access.may.auditor",     CONFIG_KIND_LIST,   false, ACTIONS,                                     0,  14,     is_action  },
    {"access.may.custodian",   CONFIG_KIND_LIST,   false, ACTIONS,                                     0,  14,     is_action  },
    {"access.may.transcriber", CONFIG_KIND_LIST,   false, ACTIONS,                                     0,  14,     is_action  },
    {NULL,                     CONFIG_KIND_GROUP,  false, NULL,                                        0,  0,      NULL       },
};

static void
read_numbers(OrgAccess *self, const ConfigFile *file)
{
    const struct {
        const char *name;
        uint32_t *value;
        int64_t otherwise;
    } rows[] = {
        {"access.mfa_age_s",     &self->mfa_age_s,     0   },
        {"access.mfa_fresh_s",   &self->mfa_fresh_s,   300 },
        {"access.start_s",       &self->start_s,       300 },
        {"access.most_s",        &self->most_s,        3600},
        {"access.idle_s",        &self->idle_s,        300 },
        {"access.break_glass_s", &self->break_glass_s, 1800},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        *rows[i].value = (uint32_t) config_file_number(file, rows[i].name, rows[i].otherwise);
}

static void
read_release(OrgAccess *self, const ConfigFile *file)
{
    g_autofree char *text = config_file_text(file, "access.release");

    self->release = ORG_RELEASE_BY_HAND;
    for (size_t i = 0; i < G_N_ELEMENTS(release_names); i++) {
        if (g_strcmp0(text, release_names[i]) == 0)
            self->release = (OrgRelease) i;
    }
}

static void
read_narrowing(OrgAccess *self, const ConfigFile *file)
{
    for (size_t i = 0; i < ORG_N_ROLES; i++) {
        g_autofree char *name = g_strconcat("access.may.", org_access_role_names[i], NULL);

        if (config_file_has(file, name))
            self->may[i] = config_file_list(file, name);
    }
}

static bool
read_operators(OrgAccess *self, const ConfigFile *file, GError **error)
{
    g_autoptr(GPtrArray) texts = config_file_list(file, "operators");
    g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);

    for (guint i = 0; i < texts->len; i++) {
        OrgOperator *one = parse_operator(texts->pdata[i]);

        g_ptr_array_add(self->operators, one);
        if (g_hash_table_add(seen, one->user))
            continue;
        config_file_fail(file, "operators", error, "names %s twice", one->user);
        return false;
    }
    return true;
}

static bool
read_issuers(OrgAccess *self, const ConfigFile *file, GError **error)
{
    g_autoptr(GPtrArray) paths = config_file_list(file, "issuers");

    for (guint i = 0; i < paths->len; i++) {
        g_autofree char *path = config_file_resolve(file, paths->pdata[i]);
        OrgIssuer *issuer = org_issuer_read(path, error);

        if (issuer == NULL)
            return false;
        g_ptr_array_add(self->issuers, issuer);
    }
    return true;
}

static void
on_issuer_free(gpointer issuer)
{
    org_issuer_free(issuer);
}

OrgAccess *
org_access_read(const ConfigFile *file, GError **error)
{
    OrgAccess *self = g_new0(OrgAccess, 1);

    self->operators = g_ptr_array_new_with_free_func(operator_free);
    self->issuers = g_ptr_array_new_with_free_func(on_issuer_free);
    self->mfa_roles = config_file_list(file, "access.mfa");
    self->operators_need_mfa = config_file_switch(file, "access.mfa_operators", false);
    read_numbers(self, file);
    read_release(self, file);
    read_narrowing(self, file);
    if (!read_operators(self, file, error) || !read_issuers(self, file, error)) {
        g_clear_pointer(&self, org_access_free);
    }
    return self;
}

void
org_access_free(OrgAccess *self)
{
    if (self == NULL)
        return;
    g_ptr_array_unref(self->operators);
    g_ptr_array_unref(self->issuers);
    g_ptr_array_unref(self->mfa_roles);
    for (size_t i = 0; i < ORG_N_ROLES; i++) {
        g_clear_pointer(&self->may[i], g_ptr_array_unref);
    }
    g_free(self);
}
