#include "config/access_settings.h"

#include "config/access_settings_file.h"
#include "config/key_file.h"

#include <string.h>

#define CREDENTIAL_PREFIX "systemd:"
#define TOKEN_PREFIX      "pkcs11:"
#define TRANSIT_PREFIX    "transit:"

/* A path has a `/` or a `.`, so that a mistyped word is no file that happens to be missing. */
static bool
is_source(const char *text)
{
    return g_str_has_prefix(text, CREDENTIAL_PREFIX) ? text[strlen(CREDENTIAL_PREFIX)] != '\0'
                                                     : strpbrk(text, "/.") != NULL;
}

static bool
is_elsewhere(const char *text)
{
    return g_str_has_prefix(text, TOKEN_PREFIX) || g_str_has_prefix(text, TRANSIT_PREFIX);
}

static bool
is_identity(const char *text)
{
    return is_elsewhere(text) || is_source(text);
}

static bool
is_endpoint(const char *text)
{
    const char *colon = strrchr(text, ':');

    return colon != NULL && colon != text && colon[1] != '\0' &&
           strspn(colon + 1, "0123456789") == strlen(colon + 1) && strlen(colon + 1) <= 5 &&
           g_ascii_strtoull(colon + 1, NULL, 10) >= 1 &&
           g_ascii_strtoull(colon + 1, NULL, 10) <= 65535;
}

#define SOURCE_FORM "a path, or systemd:NAME for a credential of the unit"

const ConfigRule access_settings_rules[] = {
    {"access",                     CONFIG_KIND_GROUP,  false, NULL,                                      0, 0,      NULL     },
    {"access.socket",              CONFIG_KIND_PATH,   false, NULL,                                      0, 0,      NULL     },
    {"access.signing_key",         CONFIG_KIND_PATH,   false, NULL,                                      0, 0,      NULL     },
    {"access.audit",               CONFIG_KIND_PATH,   false, NULL,                                      0, 0,      NULL     },
    {"access.state",               CONFIG_KIND_PATH,   false, NULL,                                      0, 0,      NULL     },
    {"access.identities",          CONFIG_KIND_LIST,   false,
     "a list of at most 64 identities: each pkcs11:..., transit:..., or " SOURCE_FORM,                   0, 64,
     is_identity                                                                                                             },
    {"access.passphrase_file",     CONFIG_KIND_TEXT,   false, SOURCE_FORM,                               0, 0,      is_source},
    {"access.store_credentials",   CONFIG_KIND_TEXT,   false, SOURCE_FORM,                               0, 0,      is_source},
    {"access.max_grants",          CONFIG_KIND_NUMBER, false, "1 to 100000",                             1, 100000, NULL     },
    {"access.max_streams",         CONFIG_KIND_NUMBER, false, "1 to 1000",                               1, 1000,   NULL     },
    {"access.max_person_requests", CONFIG_KIND_NUMBER, false, "1 to 6000 (a minute)",                    1, 6000,
     NULL                                                                                                                    },
    {"access.tls",                 CONFIG_KIND_GROUP,  false, NULL,                                      0, 0,      NULL     },
    {"access.tls.listen",          CONFIG_KIND_TEXT,   false, "an address and a port, as 10.0.0.5:8443", 0, 0,
     is_endpoint                                                                                                             },
    {"access.tls.certificate",     CONFIG_KIND_PATH,   false, NULL,                                      0, 0,      NULL     },
    {"access.tls.key",             CONFIG_KIND_PATH,   false, NULL,                                      0, 0,      NULL     },
    {"access.tls.client_ca",       CONFIG_KIND_PATH,   false, NULL,                                      0, 0,      NULL     },
    {NULL,                         CONFIG_KIND_GROUP,  false, NULL,                                      0, 0,      NULL     },
};

/* Returns: an absolute path, or what names a token; owned. */
static char *
resolve(const ConfigFile *file, const char *source)
{
    char *credential = key_file_credential(source);

    if (credential != NULL)
        return credential;
    if (is_elsewhere(source))
        return g_strdup(source);
    return config_file_resolve(file, source);
}

static char *
read_source(const ConfigFile *file, const char *name)
{
    g_autofree char *source = config_file_text(file, name);

    return source == NULL ? NULL : resolve(file, source);
}

static char **
read_identities(const ConfigFile *file)
{
    g_autoptr(GPtrArray) sources = config_file_list(file, "access.identities");
    GPtrArray *paths = g_ptr_array_new();

    for (guint i = 0; i < sources->len; i++)
        g_ptr_array_add(paths, resolve(file, sources->pdata[i]));
    g_ptr_array_add(paths, NULL);
    return (char **) g_ptr_array_free(paths, FALSE);
}

static char *
read_path(const ConfigFile *file, const char *name, const char *fallback)
{
    char *path = config_file_text(file, name);

    return path != NULL ? path : g_strdup(fallback);
}

/* What a group that is there needs. */
static bool
has_all(const ConfigFile *file, const char *group, const char *const *names, GError **error)
{
    for (; config_file_has(file, group) && *names != NULL; names++) {
        g_autofree char *name = g_strconcat(group, ".", *names, NULL);

        if (config_file_has(file, name))
            continue;
        config_file_fail(file, group, error, "needs %s", *names);
        return false;
    }
    return true;
}

static void
read_store_credentials(AccessSettings *self, const ConfigFile *file)
{
    char *source = config_file_text(file, "access.store_credentials");

    /* A credential of the unit is the store's to find. */
    if (source != NULL && !g_str_has_prefix(source, CREDENTIAL_PREFIX)) {
        self->store_credentials = config_file_resolve(file, source);
        g_free(source);
    } else {
        self->store_credentials = source;
    }
}

static void
read_tls(AccessSettings *self, const ConfigFile *file)
{
    self->tls_address = config_file_text(file, "access.tls.listen");
    self->tls_certificate_path = config_file_text(file, "access.tls.certificate");
    self->tls_key_path = config_file_text(file, "access.tls.key");
    self->tls_client_ca_path = config_file_text(file, "access.tls.client_ca");
}

bool
access_settings_read(Settings *settings, const ConfigFile *file, GError **error)
{
    static const char *const needed[] = {"socket", "signing_key", NULL};
    static const char *const needed_for_tls[] = {"listen", "certificate", "key", "client_ca", NULL};
    AccessSettings *self = NULL;
    g_autofree char *parent = NULL;
    g_autofree char *state = NULL;

    if (!config_file_has(file, "access"))
        return true;
    if (!has_all(file, "access", needed, error) ||
        !has_all(file, "access.tls", needed_for_tls, error))
        return false;
    self = settings->access = g_new0(AccessSettings, 1);
    self->socket_path = config_file_text(file, "access.socket");
    self->signing_key_path = config_file_text(file, "access.signing_key");
    self->audit_path = read_path(file, "access.audit", settings->audit_path);
    parent = g_path_get_dirname(self->audit_path);
    state = g_build_filename(parent, "access", NULL);
    self->state_path = read_path(file, "access.state", state);
    self->identity_paths = read_identities(file);
    self->passphrase_path = read_source(file, "access.passphrase_file");
    read_store_credentials(self, file);
    self->max_grants = (uint32_t) config_file_number(file, "access.max_grants", 1000);
    self->max_streams = (uint32_t) config_file_number(file, "access.max_streams", 256);
    self->person_per_minute = (uint32_t) config_file_number(file, "access.max_person_requests", 60);
    read_tls(self, file);
    if (self->store_credentials != NULL && settings->store.type == STORE_TYPE_DIRECTORY) {
        config_file_fail(file, "access.store_credentials", error,
                         "is for a store of type s3, and this one is a directory");
        return false;
    }
    return true;
}

void
access_settings_free(AccessSettings *self)
{
    if (self == NULL)
        return;
    g_free(self->socket_path);
    g_free(self->signing_key_path);
    g_free(self->audit_path);
    g_free(self->state_path);
    g_strfreev(self->identity_paths);
    g_free(self->passphrase_path);
    g_free(self->store_credentials);
    g_free(self->tls_address);
    g_free(self->tls_certificate_path);
    g_free(self->tls_key_path);
    g_free(self->tls_client_ca_path);
    g_free(self);
}
