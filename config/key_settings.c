#include "config/key_settings.h"

#include "config/key_settings_file.h"
#include "crypto/signed_note.h"

static bool
is_verifier_key(const char *text)
{
    g_autoptr(NoteVerifier) verifier = note_verifier_parse(text, NULL);

    return verifier != NULL;
}

#define KEYS_FORM(what, file)                                                                      \
    "a list of at most 256 verifier keys of " what ", as in the " file " that `sealtape init` "    \
    "or `audit keygen` made"

const ConfigRule key_settings_rules[] = {
    {"keys",             CONFIG_KIND_GROUP, false,          NULL,                     0,                         0,            NULL                                                                        },
    {"keys.signing_key", CONFIG_KIND_PATH,  false,          NULL,                     0,                         0,            NULL                                                                        },
    {"keys.audit",       CONFIG_KIND_PATH,  false,          NULL,                     0,                         0,            NULL                                                                        },
    {"keys.ledger",      CONFIG_KIND_PATH,  false,          NULL,                     0,                         0,            NULL                                                                        },
    {"trusted_openers",  CONFIG_KIND_LIST,  false,          KEYS_FORM("openers",      "access.pub"),             0,            256,
     is_verifier_key},
    {"trusted_admins",                  CONFIG_KIND_LIST,                    false, KEYS_FORM("command lines", "admin.pub"), 0, 256,
     is_verifier_key},
    {"trusted_policies",    CONFIG_KIND_LIST,                     false,
     KEYS_FORM("who signs organisations' files",                       "policy.pub"),                       0,                                                                               256,                                                                                                                        is_verifier_key},
    {NULL,               CONFIG_KIND_GROUP,                 false,                               NULL,                                                    0,                                              0,NULL},
};

/* Takes both. Returns: the first that is there. */
static char *
path_or(char *path, char *fallback)
{
    if (path == NULL)
        return fallback;
    g_free(fallback);
    return path;
}

void
key_settings_read(Settings *settings, const ConfigFile *file)
{
    g_autofree char *beside = g_path_get_dirname(settings->catalogue_path);

    settings->keys = g_new0(KeySettings, 1);
    settings->keys->signing_key_path = config_file_text(file, "keys.signing_key");
    settings->keys->audit_path =
        path_or(config_file_text(file, "keys.audit"), g_strdup(settings->audit_path));
    settings->keys->ledger_path =
        path_or(config_file_text(file, "keys.ledger"), g_build_filename(beside, "erased", NULL));
    settings->keys->opener_keys = config_file_list(file, "trusted_openers");
    settings->keys->admin_keys = config_file_list(file, "trusted_admins");
    settings->keys->policy_keys = config_file_list(file, "trusted_policies");
}

void
key_settings_free(KeySettings *self)
{
    if (self == NULL)
        return;
    g_free(self->signing_key_path);
    g_free(self->audit_path);
    g_free(self->ledger_path);
    g_clear_pointer(&self->opener_keys, g_ptr_array_unref);
    g_clear_pointer(&self->admin_keys, g_ptr_array_unref);
    g_clear_pointer(&self->policy_keys, g_ptr_array_unref);
    g_free(self);
}
