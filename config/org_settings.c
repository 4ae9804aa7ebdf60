#include "config/org_settings.h"

#include "config/config_file.h"
#include "config/org_access_file.h"
#include "config/org_consent_file.h"
#include "config/transcription_settings_file.h"
#include "crypto/age_context.h"
#include "crypto/age_key.h"
#include "crypto/digest.h"

#include <string.h>

static bool
is_recipient(const char *text)
{
    g_autoptr(AgeRecipient) recipient = age_recipient_parse(text, NULL);

    return recipient != NULL;
}

static char *
digest_text(GBytes *text)
{
    const Digest digest = digest_of(g_bytes_get_data(text, NULL), g_bytes_get_size(text));

    return digest_to_hex(&digest);
}

static const ConfigRule rules[] = {
    {"recipients", CONFIG_KIND_LIST,  false,
     "two to sixteen age recipients (age1...), all different: the organisation's and an offline "
     "break-glass one",                            2, 16, is_recipient},
    {NULL,         CONFIG_KIND_GROUP, false, NULL, 0, 0,  NULL        },
};

OrgSettings *
org_settings_load(const char *path, GError **error)
{
    g_autoptr(OrgSettings) self = g_new0(OrgSettings, 1);
    g_autoptr(ConfigFile) file = NULL;
    g_autofree char *name = g_path_get_basename(path);

    g_assert(g_str_has_suffix(name, ".conf"));
    self->id = g_strndup(name, strlen(name) - strlen(".conf"));
    if (!age_context_id_is_valid(self->id)) {
        g_set_error(error, CONFIG_ERROR, CONFIG_ERROR_INVALID,
                    "%s: the name of an organisation's file must be its id and .conf; an id has at "
                    "most 64 of a-z, "
                    "0-9, '.', '_' and '-', and starts with a letter or digit",
                    path);
        return NULL;
    }
    file = config_file_open(path,
                            (const ConfigRule *const[]){rules, org_consent_rules,
                                                        transcription_settings_rules,
                                                        org_access_rules, NULL},
                            error);
    if (file == NULL)
        return NULL;
    self->recipients = config_file_list(file, "recipients");
    if (!transcription_settings_read(&self->transcription, file, error))
        return NULL;
    self->text = config_file_bytes(file);
    self->digest = digest_text(self->text);
    self->access = org_access_read(file, error);
    self->consent = self->access != NULL ? org_consent_read(file, error) : NULL;
    if (self->consent == NULL)
        return NULL;
    return g_steal_pointer(&self);
}

void
org_settings_free(OrgSettings *self)
{
    if (self == NULL)
        return;
    g_free(self->id);
    g_clear_pointer(&self->recipients, g_ptr_array_unref);
    org_consent_free(self->consent);
    transcription_settings_free(self->transcription);
    org_access_free(self->access);
    g_clear_pointer(&self->text, g_bytes_unref);
    g_free(self->digest);
    g_free(self->ring_path);
    g_free(self);
}
