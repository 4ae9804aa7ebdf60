#include "config/config_file.h"

#include "config/settings.h"

#include <libconfig.h>
#include <string.h>

#define MAX_FILE_BYTES ((gsize) 1 << 20)
#define CREDENTIAL     "systemd:"

struct ConfigFile {
    config_t config;
    char *path;
    char *folder;
    GBytes *bytes; /* the file as it was read */
    GArray *rules; /* ConfigRule, of all tables */
};

static const char *const kind_texts[] = {
    [CONFIG_KIND_GROUP] = "a group, { ... }",
    [CONFIG_KIND_TEXT] = "a text in double quotes",
    [CONFIG_KIND_PATH] = "a path in double quotes",
    [CONFIG_KIND_NUMBER] = "a whole number",
    [CONFIG_KIND_SWITCH] = "true or false",
    [CONFIG_KIND_LIST] = "a list of texts, [ \"...\", ... ]",
    [CONFIG_KIND_WORDS] = "a list of texts, [ \"...\", ... ]",
};

/* Returns: `recorder.rtp.address`, owned. */
static char *
name_of(const config_setting_t *setting)
{
    const config_setting_t *parent = config_setting_parent(setting);
    g_autofree char *above = NULL;

    if (parent == NULL || config_setting_is_root(parent))
        return g_strdup(config_setting_name(setting));
    above = name_of(parent);
    return g_strconcat(above, ".", config_setting_name(setting), NULL);
}

static bool fail_at(const ConfigFile *self, const config_setting_t *setting, GError **error,
                    const char *format, ...) G_GNUC_PRINTF(4, 5);

static bool
fail_at(const ConfigFile *self, const config_setting_t *setting, GError **error, const char *format,
        ...)
{
    g_autofree char *name = name_of(setting);
    g_autofree char *sentence = NULL;
    va_list arguments;

    va_start(arguments, format);
    sentence = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_set_error(error, CONFIG_ERROR, CONFIG_ERROR_INVALID, "%s:%u: %s: %s", self->path,
                (unsigned) config_setting_source_line(setting), name, sentence);
    return false;
}

static const ConfigRule *
find_rule(const ConfigFile *self, const char *name)
{
    for (guint i = 0; i < self->rules->len; i++) {
        const ConfigRule *rule = &g_array_index(self->rules, ConfigRule, i);

        if (strcmp(rule->name, name) == 0)
            return rule;
    }
    return NULL;
}

/* Says which settings the group of `setting` knows. */
static bool
fail_unknown(const ConfigFile *self, const config_setting_t *setting, GError **error)
{
    g_autofree char *name = name_of(setting);
    const char *dot = strrchr(name, '.');
    size_t n_group = dot != NULL ? (size_t) (dot - name) + 1 : 0;
    g_autoptr(GString) known = g_string_new(NULL);

    for (guint i = 0; i < self->rules->len; i++) {
        const ConfigRule *rule = &g_array_index(self->rules, ConfigRule, i);

        if (strncmp(rule->name, name, n_group) != 0 || strchr(rule->name + n_group, '.') != NULL)
            continue;
        g_string_append_printf(known, "%s%s", known->len > 0 ? ", " : "", rule->name + n_group);
    }
    return fail_at(self, setting, error, "there is no such setting; here may stand: %s",
                   known->str);
}

static bool
is_of_kind(const config_setting_t *setting, ConfigKind kind)
{
    int type = config_setting_type(setting);

    switch (kind) {
    case CONFIG_KIND_GROUP:
        return type == CONFIG_TYPE_GROUP;
    case CONFIG_KIND_TEXT:
    case CONFIG_KIND_PATH:
        return type == CONFIG_TYPE_STRING;
    case CONFIG_KIND_NUMBER:
        return type == CONFIG_TYPE_INT || type == CONFIG_TYPE_INT64;
    case CONFIG_KIND_SWITCH:
        return type == CONFIG_TYPE_BOOL;
    case CONFIG_KIND_LIST:
    case CONFIG_KIND_WORDS:
        return type == CONFIG_TYPE_ARRAY || type == CONFIG_TYPE_LIST;
    default:
        return false;
    }
}

static bool
text_is_allowed(const ConfigRule *rule, const char *text)
{
    return text[0] != '\0' && (rule->accepts == NULL || rule->accepts(text));
}

static bool
check_list(const ConfigFile *self, const config_setting_t *setting, const ConfigRule *rule,
           GError **error)
{
    int n = config_setting_length(setting);

    if (n < rule->least || n > rule->most)
        return fail_at(self, setting, error, "must be %s", rule->allowed);
    for (int i = 0; i < n; i++) {
        const char *text = config_setting_get_string_elem(setting, i);

        if (text == NULL || !text_is_allowed(rule, text)) {
            return fail_at(self, setting, error, "must be %s; entry %d is not", rule->allowed,
                           i + 1);
        }
        for (int k = 0; rule->kind == CONFIG_KIND_LIST && k < i; k++) {
            if (strcmp(text, config_setting_get_string_elem(setting, k)) == 0) {
                return fail_at(self, setting, error, "entries %d and %d are the same", k + 1,
                               i + 1);
            }
        }
    }
    return true;
}

static bool
check_value(const ConfigFile *self, const config_setting_t *setting, const ConfigRule *rule,
            GError **error)
{
    int64_t number = 0;

    if (!is_of_kind(setting, rule->kind)) {
        return fail_at(self, setting, error, "must be %s",
                       rule->allowed != NULL ? rule->allowed : kind_texts[rule->kind]);
    }
    switch (rule->kind) {
    case CONFIG_KIND_NUMBER:
        number = config_setting_get_int64(setting);
        return (number >= rule->least && number <= rule->most) ||
               fail_at(self, setting, error, "must be %s, and is %" G_GINT64_FORMAT, rule->allowed,
                       number);
    case CONFIG_KIND_TEXT:
    case CONFIG_KIND_PATH:
        return text_is_allowed(rule, config_setting_get_string(setting)) ||
               fail_at(self, setting, error, "must be %s",
                       rule->allowed != NULL ? rule->allowed : "a text that is not empty");
    case CONFIG_KIND_LIST:
    case CONFIG_KIND_WORDS:
        return check_list(self, setting, rule, error);
    case CONFIG_KIND_GROUP:
    case CONFIG_KIND_SWITCH:
    default:
        return true;
    }
}

/* Depth is bounded by the rules: a group without a rule is not entered. */
static bool
check_group(const ConfigFile *self, const config_setting_t *group, GError **error)
{
    int n = config_setting_length(group);

    for (int i = 0; i < n; i++) {
        const config_setting_t *setting = config_setting_get_elem(group, (unsigned) i);
        g_autofree char *name = name_of(setting);
        const ConfigRule *rule = find_rule(self, name);

        if (rule == NULL)
            return fail_unknown(self, setting, error);
        if (!check_value(self, setting, rule, error))
            return false;
        if (rule->kind == CONFIG_KIND_GROUP && !check_group(self, setting, error))
            return false;
    }
    return true;
}

static bool
check_required(const ConfigFile *self, GError **error)
{
    for (guint i = 0; i < self->rules->len; i++) {
        const ConfigRule *rule = &g_array_index(self->rules, ConfigRule, i);

        if (!rule->is_required || config_lookup(&self->config, rule->name) != NULL)
            continue;
        g_set_error(error, CONFIG_ERROR, CONFIG_ERROR_INVALID, "%s: %s: is missing; it must be %s",
                    self->path, rule->name,
                    rule->allowed != NULL ? rule->allowed : kind_texts[rule->kind]);
        return false;
    }
    return true;
}

static bool
fail_file(const char *path, GError **error, const char *sentence)
{
    g_set_error(error, CONFIG_ERROR, CONFIG_ERROR_INVALID, "%s: %s", path, sentence);
    return false;
}

/* Only a file that is whole in itself: its digest then says everything about it. */
static bool
check_bytes(const char *path, const char *text, gsize n_bytes, GError **error)
{
    if (n_bytes > MAX_FILE_BYTES)
        return fail_file(path, error, "is longer than 1 MiB");
    if (!g_utf8_validate(text, (gssize) n_bytes, NULL))
        return fail_file(path, error, "is not UTF-8 text");
    if (g_regex_match_simple("^[ \\t]*@include", text, G_REGEX_MULTILINE, 0))
        return fail_file(path, error, "must not use @include");
    return true;
}

static bool
read_file(ConfigFile *self, GError **error)
{
    g_autofree char *text = NULL;
    gsize n_bytes = 0;
    g_autoptr(GError) fault = NULL;

    if (!g_file_get_contents(self->path, &text, &n_bytes, &fault)) {
        /* GLib's sentence names the file and the cause. */
        g_set_error_literal(error, CONFIG_ERROR, CONFIG_ERROR_UNREADABLE, fault->message);
        return false;
    }
    if (!check_bytes(self->path, text, n_bytes, error))
        return false;
    self->bytes = g_bytes_new(text, n_bytes);
    if (config_read_string(&self->config, text) == CONFIG_TRUE)
        return true;
    g_set_error(error, CONFIG_ERROR, CONFIG_ERROR_INVALID, "%s:%d: %s", self->path,
                config_error_line(&self->config), config_error_text(&self->config));
    return false;
}

static void
add_rules(ConfigFile *self, const ConfigRule *rules)
{
    for (const ConfigRule *rule = rules; rule->name != NULL; rule++)
        g_array_append_val(self->rules, *rule);
}

ConfigFile *
config_file_open(const char *path, const ConfigRule *const *tables, GError **error)
{
    g_autoptr(ConfigFile) self = g_new0(ConfigFile, 1);

    config_init(&self->config);
    self->path = g_strdup(path);
    self->folder = g_path_get_dirname(path);
    self->rules = g_array_new(FALSE, FALSE, sizeof(ConfigRule));
    for (; *tables != NULL; tables++)
        add_rules(self, *tables);
    if (!read_file(self, error) || !check_group(self, config_root_setting(&self->config), error) ||
        !check_required(self, error))
        return NULL;
    return g_steal_pointer(&self);
}

bool
config_file_has(const ConfigFile *self, const char *name)
{
    return config_lookup(&self->config, name) != NULL;
}

char *
config_file_text(const ConfigFile *self, const char *name)
{
    const ConfigRule *rule = find_rule(self, name);
    const char *text = NULL;

    g_assert(rule != NULL);
    if (config_lookup_string(&self->config, name, &text) != CONFIG_TRUE)
        return NULL;
    return rule->kind == CONFIG_KIND_PATH ? config_file_resolve(self, text) : g_strdup(text);
}

int64_t
config_file_number(const ConfigFile *self, const char *name, int64_t fallback)
{
    const config_setting_t *setting = config_lookup(&self->config, name);

    return setting != NULL ? config_setting_get_int64(setting) : fallback;
}

bool
config_file_switch(const ConfigFile *self, const char *name, bool fallback)
{
    const config_setting_t *setting = config_lookup(&self->config, name);

    return setting != NULL ? config_setting_get_bool(setting) == CONFIG_TRUE : fallback;
}

GPtrArray *
config_file_list(const ConfigFile *self, const char *name)
{
    const config_setting_t *setting = config_lookup(&self->config, name);
    GPtrArray *texts = g_ptr_array_new_with_free_func(g_free);
    int n = setting != NULL ? config_setting_length(setting) : 0;

    for (int i = 0; i < n; i++)
        g_ptr_array_add(texts, g_strdup(config_setting_get_string_elem(setting, i)));
    return texts;
}

char *
config_file_resolve(const ConfigFile *self, const char *path)
{
    if (g_str_has_prefix(path, CREDENTIAL)) {
        const char *folder = g_getenv("CREDENTIALS_DIRECTORY");

        return folder != NULL ? g_build_filename(folder, path + strlen(CREDENTIAL), NULL)
                              : g_strdup(path);
    }
    return g_canonicalize_filename(path, self->folder);
}

void
config_file_fail(const ConfigFile *self, const char *name, GError **error, const char *format, ...)
{
    const config_setting_t *setting = config_lookup(&self->config, name);
    g_autofree char *sentence = NULL;
    va_list arguments;

    va_start(arguments, format);
    sentence = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    if (setting != NULL) {
        (void) fail_at(self, setting, error, "%s", sentence);
    } else {
        g_set_error(error, CONFIG_ERROR, CONFIG_ERROR_INVALID, "%s: %s: %s", self->path, name,
                    sentence);
    }
}

GBytes *
config_file_bytes(const ConfigFile *self)
{
    return g_bytes_ref(self->bytes);
}

void
config_file_free(ConfigFile *self)
{
    if (self == NULL)
        return;
    config_destroy(&self->config);
    g_clear_pointer(&self->bytes, g_bytes_unref);
    g_free(self->path);
    g_free(self->folder);
    g_array_unref(self->rules);
    g_free(self);
}
