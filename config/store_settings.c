#include "config/store_settings.h"

#include <string.h>

static bool
is_type(const char *text)
{
    return strcmp(text, "directory") == 0 || strcmp(text, "s3") == 0;
}

static bool
is_url(const char *text)
{
    return g_str_has_prefix(text, "https://") || g_str_has_prefix(text, "http://");
}

static bool
is_style(const char *text)
{
    return strcmp(text, "path") == 0 || strcmp(text, "host") == 0;
}

static bool
is_source_word(const char *text)
{
    static const char *const words[] = {"environment", "instance", "container", "web-identity",
                                        NULL};

    return g_strv_contains(words, text) || g_str_has_prefix(text, "systemd:");
}

/* A path has a `/`, so that a mistyped word is no file that happens to be missing. */
static bool
is_source(const char *text)
{
    return is_source_word(text) || strchr(text, '/') != NULL;
}

static bool
is_pin(const char *text)
{
    return g_str_has_prefix(text, "sha256//");
}

static bool
is_encryption(const char *text)
{
    return strcmp(text, "AES256") == 0 || strcmp(text, "aws:kms") == 0;
}

static bool
is_lock(const char *text)
{
    return strcmp(text, "governance") == 0 || strcmp(text, "compliance") == 0;
}

const ConfigRule store_settings_rules[] = {
    {"store",                   CONFIG_KIND_GROUP,  true,  NULL,                                    0,    0,      NULL         },
    {"store.type",              CONFIG_KIND_TEXT,   true,  "\"directory\" or \"s3\"",               0,    0,      is_type      },
    {"store.replicas",          CONFIG_KIND_LIST,   false,
     "a list of one to eight files, each with a `store` of its own",                                1,    8,      NULL         },
    {"store.path",              CONFIG_KIND_PATH,   false, "a path in double quotes",               0,    0,      NULL         },
    {"store.baa",               CONFIG_KIND_SWITCH, false, NULL,                                    0,    0,      NULL         },
    {"store.endpoint",          CONFIG_KIND_TEXT,   false, "https://HOST or https://HOST:PORT",     0,    0,      is_url       },
    {"store.bucket",            CONFIG_KIND_TEXT,   false, "the name of a bucket",                  0,    0,      NULL         },
    {"store.region",            CONFIG_KIND_TEXT,   false, "the region that the store is in",       0,    0,      NULL         },
    {"store.style",             CONFIG_KIND_TEXT,   false, "\"path\" or \"host\"",                  0,    0,      is_style     },
    {"store.prefix",            CONFIG_KIND_TEXT,   false, NULL,                                    0,    0,      NULL         },
    {"store.credentials",       CONFIG_KIND_TEXT,   false,
     "environment, instance, container, web-identity, systemd:NAME, or the path of a file, with a "
     "`/`",                                                                                         0,    0,      is_source    },
    {"store.ca_file",           CONFIG_KIND_PATH,   false, NULL,                                    0,    0,      NULL         },
    {"store.pins",              CONFIG_KIND_LIST,   false, "a list of one to eight sha256//BASE64", 1,    8,      is_pin       },
    {"store.proxy",             CONFIG_KIND_TEXT,   false, "http://HOST:PORT or https://HOST:PORT", 0,    0,      is_url       },
    {"store.encryption",        CONFIG_KIND_TEXT,   false, "\"AES256\" or \"aws:kms\"",             0,    0,      is_encryption},
    {"store.kms_key_id",        CONFIG_KIND_TEXT,   false, NULL,                                    0,    0,      NULL         },
    {"store.storage_class",     CONFIG_KIND_TEXT,   false, NULL,                                    0,    0,      NULL         },
    {"store.tags",              CONFIG_KIND_TEXT,   false, NULL,                                    0,    0,      NULL         },
    {"store.lock",              CONFIG_KIND_TEXT,   false, "\"governance\" or \"compliance\"",      0,    0,      is_lock      },
    {"store.lock_days",         CONFIG_KIND_NUMBER, false, "1 to 36500 (days)",                     1,    36500,  NULL         },
    {"store.legal_hold",        CONFIG_KIND_SWITCH, false, NULL,                                    0,    0,      NULL         },
    {"store.max_upload_kbit_s", CONFIG_KIND_NUMBER, false, "64 to 100000000 (kbit/s)",              64,
     100000000,                                                                                                   NULL         },
    {"store.max_concurrent",    CONFIG_KIND_NUMBER, false, "1 to 64",                               1,    64,     NULL         },
    {"store.attempt_ms",        CONFIG_KIND_NUMBER, false, "1000 to 600000 (milliseconds)",         1000, 600000,
     NULL                                                                                                                      },
    {"store.retry_ms",          CONFIG_KIND_NUMBER, false, "1000 to 600000 (milliseconds)",         1000, 600000,
     NULL                                                                                                                      },
    {NULL,                      CONFIG_KIND_GROUP,  false, NULL,                                    0,    0,      NULL         },
};

/* Only what belongs to the type, and all that it can not do without. */
static bool
check_setting(const ConfigFile *file, const ConfigRule *rule, bool is_s3, GError **error)
{
    static const char *const s3_needs[] = {"store.endpoint", "store.bucket", "store.region",
                                           "store.credentials", NULL};
    const bool is_of_s3 = strcmp(rule->name, "store.path") != 0;
    const bool is_of_both = strcmp(rule->name, "store.region") == 0;
    const bool is_needed = is_s3 ? g_strv_contains(s3_needs, rule->name) : !is_of_s3;
    const bool is_set = config_file_has(file, rule->name);

    if (is_set && is_of_s3 != is_s3 && !is_of_both) {
        config_file_fail(file, rule->name, error,
                         "belongs to a store of type \"%s\", and this one is \"%s\"",
                         is_of_s3 ? "s3" : "directory", is_s3 ? "s3" : "directory");
        return false;
    }
    if (!is_set && is_needed) {
        config_file_fail(file, rule->name, error, "is missing; it must be %s", rule->allowed);
        return false;
    }
    return true;
}

static bool
check_type(const StoreSettings *self, const ConfigFile *file, GError **error)
{
    const bool is_s3 = self->type == STORE_TYPE_S3;

    /* The first three rows are of every type. */
    for (const ConfigRule *rule = store_settings_rules + 3; rule->name != NULL; rule++) {
        if (!check_setting(file, rule, is_s3, error))
            return false;
    }
    if (is_s3 && !config_file_switch(file, "store.baa", false)) {
        config_file_fail(file, "store.baa", error,
                         "must be true, which says that a business associate agreement covers "
                         "whoever runs this store; without one no recording goes there");
        return false;
    }
    return true;
}

static bool
read_lock(StoreSettings *self, const ConfigFile *file, GError **error)
{
    g_autofree char *lock = config_file_text(file, "store.lock");

    if (lock != NULL) {
        self->lock =
            strcmp(lock, "compliance") == 0 ? STORE_LOCK_COMPLIANCE : STORE_LOCK_GOVERNANCE;
    }
    self->lock_days = (uint32_t) config_file_number(file, "store.lock_days", 0);
    self->legal_hold = config_file_switch(file, "store.legal_hold", false);
    if (lock != NULL && self->lock_days == 0) {
        config_file_fail(file, "store.lock_days", error,
                         "is missing; `lock` must say for how many days, 1 to 36500");
    } else if (lock == NULL && self->lock_days != 0) {
        config_file_fail(file, "store.lock", error,
                         "is missing; `lock_days` needs \"governance\" or \"compliance\"");
    } else {
        return true;
    }
    return false;
}

static void
read_connection(StoreSettings *self, const ConfigFile *file)
{
    g_autofree char *style = config_file_text(file, "store.style");
    g_autofree char *source = config_file_text(file, "store.credentials");

    self->endpoint = config_file_text(file, "store.endpoint");
    self->bucket = config_file_text(file, "store.bucket");
    self->has_host_style = g_strcmp0(style, "host") == 0;
    self->prefix = config_file_text(file, "store.prefix");
    self->credentials =
        is_source_word(source) ? g_strdup(source) : config_file_resolve(file, source);
    self->ca_file = config_file_text(file, "store.ca_file");
    self->pins = config_file_list(file, "store.pins");
    g_ptr_array_add(self->pins, NULL);
    self->proxy = config_file_text(file, "store.proxy");
    self->max_upload_kbit_s = (uint32_t) config_file_number(file, "store.max_upload_kbit_s", 0);
    self->max_concurrent = (uint32_t) config_file_number(file, "store.max_concurrent", 0);
    self->attempt_ms = (uint32_t) config_file_number(file, "store.attempt_ms", 0);
    self->retry_ms = (uint32_t) config_file_number(file, "store.retry_ms", 0);
}

static bool
read_encryption(StoreSettings *self, const ConfigFile *file, GError **error)
{
    self->encryption = config_file_text(file, "store.encryption");
    self->kms_key_id = config_file_text(file, "store.kms_key_id");
    if (self->kms_key_id == NULL || g_strcmp0(self->encryption, "aws:kms") == 0)
        return true;
    config_file_fail(file, "store.kms_key_id", error, "needs encryption = \"aws:kms\"");
    return false;
}

bool
store_settings_read(StoreSettings *self, const ConfigFile *file, GError **error)
{
    g_autofree char *type = config_file_text(file, "store.type");

    self->type = strcmp(type, "s3") == 0 ? STORE_TYPE_S3 : STORE_TYPE_DIRECTORY;
    if (!check_type(self, file, error))
        return false;
    self->path = config_file_text(file, "store.path");
    self->region = config_file_text(file, "store.region");
    if (self->type == STORE_TYPE_DIRECTORY)
        return true;
    read_connection(self, file);
    self->storage_class = config_file_text(file, "store.storage_class");
    self->tags = config_file_text(file, "store.tags");
    return read_encryption(self, file, error) && read_lock(self, file, error);
}

void
store_settings_clear(StoreSettings *self)
{
    g_free(self->name);
    g_clear_pointer(&self->replicas, g_ptr_array_unref);
    g_free(self->path);
    g_free(self->endpoint);
    g_free(self->bucket);
    g_free(self->region);
    g_free(self->prefix);
    g_free(self->credentials);
    g_free(self->ca_file);
    g_clear_pointer(&self->pins, g_ptr_array_unref);
    g_free(self->proxy);
    g_free(self->encryption);
    g_free(self->kms_key_id);
    g_free(self->storage_class);
    g_free(self->tags);
    g_clear_pointer(&self->keeps_region, g_atomic_rc_box_release);
    memset(self, 0, sizeof(*self));
}
