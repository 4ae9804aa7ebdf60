#include "config/settings.h"
#include "config/transcription_settings_file.h"

#include <string.h>

#define GROUP "transcription"

#define DEFAULT_TIMEOUT_S      3600
#define DEFAULT_MAX_OUTPUT_KIB 1024

static bool
is_format(const char *text)
{
    return strcmp(text, "vtt") == 0 || strcmp(text, "text") == 0;
}

/* BCP 47, as far as it is needed to hand it on. */
static bool
is_language(const char *text)
{
    const size_t length = strlen(text);

    return length >= 2 && length <= 35 && g_ascii_isalpha(text[0]) &&
           strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") ==
               length;
}

static bool
is_url(const char *text)
{
    g_autoptr(GUri) uri = g_uri_parse(text, G_URI_FLAGS_NONE, NULL);
    const char *scheme = uri != NULL ? g_uri_get_scheme(uri) : "";

    return (strcmp(scheme, "http") == 0 || strcmp(scheme, "https") == 0) &&
           g_uri_get_host(uri) != NULL && *g_uri_get_host(uri) != '\0' &&
           g_uri_get_userinfo(uri) == NULL && g_uri_get_fragment(uri) == NULL;
}

const ConfigRule transcription_settings_rules[] = {
    {GROUP,                   CONFIG_KIND_GROUP,  false, NULL,                         0, 0,     NULL       },
    {GROUP ".command",        CONFIG_KIND_WORDS,  false,
     "the recogniser's program and its arguments, each a text of its own",             1, 64,    NULL       },
    {GROUP ".url",            CONFIG_KIND_TEXT,   false,
     "https://..., or http:// to this machine; without a user's name or a fragment",   0, 0,     is_url     },
    {GROUP ".baa",            CONFIG_KIND_SWITCH, false, NULL,                         0, 0,     NULL       },
    {GROUP ".token_file",     CONFIG_KIND_PATH,   false, NULL,                         0, 0,     NULL       },
    {GROUP ".ca_file",        CONFIG_KIND_PATH,   false, NULL,                         0, 0,     NULL       },
    {GROUP ".language",       CONFIG_KIND_TEXT,   false, "a language's tag, as en-US", 0, 0,     is_language},
    {GROUP ".format",         CONFIG_KIND_TEXT,   false, "\"vtt\" or \"text\"",        0, 0,     is_format  },
    {GROUP ".timeout_s",      CONFIG_KIND_NUMBER, false, "1 to 86400 (seconds)",       1, 86400, NULL       },
    {GROUP ".max_output_kib", CONFIG_KIND_NUMBER, false, "1 to 16384 (KiB)",           1, 16384, NULL       },
    {NULL,                    CONFIG_KIND_GROUP,  false, NULL,                         0, 0,     NULL       },
};

static bool
is_this_machine(const char *url)
{
    g_autoptr(GUri) uri = g_uri_parse(url, G_URI_FLAGS_NONE, NULL);
    const char *host = g_uri_get_host(uri);

    return strcmp(host, "localhost") == 0 || strcmp(host, "::1") == 0 ||
           (g_hostname_is_ip_address(host) && g_str_has_prefix(host, "127."));
}

/* Returns: the setting that does not go with a program, if it is there. */
static const char *
find_of_server(const ConfigFile *file)
{
    static const char *const names[] = {GROUP ".baa", GROUP ".token_file", GROUP ".ca_file"};

    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        if (config_file_has(file, names[i]))
            return names[i];
    }
    return NULL;
}

static bool
check_server(const TranscriptionSettings *self, const ConfigFile *file, GError **error)
{
    if (g_str_has_prefix(self->url, "http:") && !is_this_machine(self->url)) {
        config_file_fail(file, GROUP ".url", error,
                         "must be https://: what was said would be readable on the way");
        return false;
    }
    if (!config_file_switch(file, GROUP ".baa", false)) {
        config_file_fail(file, GROUP ".url", error,
                         "needs baa = true beside it: a server gets what patients say, so a "
                         "business associate agreement must be signed with whoever runs it");
        return false;
    }
    return true;
}

static bool
check(const TranscriptionSettings *self, const ConfigFile *file, GError **error)
{
    const char *stray = self->command != NULL ? find_of_server(file) : NULL;

    if ((self->command != NULL) == (self->url != NULL)) {
        config_file_fail(file, GROUP, error, "needs either command or url");
        return false;
    }
    if (stray != NULL) {
        config_file_fail(file, stray, error, "goes with url, not with command");
        return false;
    }
    return self->url == NULL || check_server(self, file, error);
}

bool
transcription_settings_read(TranscriptionSettings **self, const ConfigFile *file, GError **error)
{
    TranscriptionSettings *read = NULL;
    g_autofree char *format = config_file_text(file, GROUP ".format");

    *self = NULL;
    if (!config_file_has(file, GROUP))
        return true;
    read = g_new0(TranscriptionSettings, 1);
    if (config_file_has(file, GROUP ".command"))
        read->command = config_file_list(file, GROUP ".command");
    read->url = config_file_text(file, GROUP ".url");
    read->token_path = config_file_text(file, GROUP ".token_file");
    read->ca_path = config_file_text(file, GROUP ".ca_file");
    read->language = config_file_text(file, GROUP ".language");
    if (read->language == NULL)
        read->language = g_strdup("en-US");
    read->is_text = g_strcmp0(format, "text") == 0;
    read->timeout_s = (uint32_t) config_file_number(file, GROUP ".timeout_s", DEFAULT_TIMEOUT_S);
    read->max_output_kib =
        (uint32_t) config_file_number(file, GROUP ".max_output_kib", DEFAULT_MAX_OUTPUT_KIB);
    if (check(read, file, error)) {
        *self = read;
        return true;
    }
    transcription_settings_free(read);
    return false;
}

void
transcription_settings_free(TranscriptionSettings *self)
{
    if (self == NULL)
        return;
    g_clear_pointer(&self->command, g_ptr_array_unref);
    g_free(self->url);
    g_free(self->token_path);
    g_free(self->ca_path);
    g_free(self->language);
    g_free(self);
}
