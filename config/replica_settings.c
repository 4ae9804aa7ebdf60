#include "config/replica_settings.h"

#include "config/store_settings.h"

#include <string.h>

static void
settings_free_one(gpointer data)
{
    store_settings_clear(data);
    g_free(data);
}

static char *
name_of(const char *path)
{
    char *name = g_path_get_basename(path);

    if (g_str_has_suffix(name, ".conf"))
        name[strlen(name) - strlen(".conf")] = '\0';
    return name;
}

static bool
is_same_place(const StoreSettings *one, const StoreSettings *other)
{
    return one->type == other->type && g_strcmp0(one->path, other->path) == 0 &&
           g_strcmp0(one->endpoint, other->endpoint) == 0 &&
           g_strcmp0(one->bucket, other->bucket) == 0 && g_strcmp0(one->prefix, other->prefix) == 0;
}

static bool
is_new(const StoreSettings *self, const StoreSettings *replica, const ConfigFile *file,
       GError **error)
{
    const char *sentence = NULL;

    if (is_same_place(self, replica))
        sentence = "the same place as the first store";
    for (guint i = 0; i < self->replicas->len; i++) {
        const StoreSettings *before = self->replicas->pdata[i];

        if (is_same_place(before, replica)) {
            sentence = "the same place as a replica before it";
        } else if (strcmp(before->name, replica->name) == 0) {
            sentence = "the same name as a replica before it";
        }
    }
    if (sentence != NULL)
        config_file_fail(file, "store.replicas", error, "%s: has %s", replica->name, sentence);
    return sentence == NULL;
}

static StoreSettings *
read_one(const char *path, GError **error)
{
    g_autoptr(ConfigFile) file =
        config_file_open(path, (const ConfigRule *const[]){store_settings_rules, NULL}, error);
    StoreSettings *replica = NULL;

    if (file == NULL)
        return NULL;
    if (config_file_has(file, "store.replicas")) {
        config_file_fail(file, "store.replicas", error,
                         "a replica has none of its own: name them all beside the first store");
        return NULL;
    }
    replica = g_new0(StoreSettings, 1);
    if (!store_settings_read(replica, file, error)) {
        settings_free_one(replica);
        return NULL;
    }
    replica->name = name_of(path);
    return replica;
}

bool
replica_settings_read(StoreSettings *self, const ConfigFile *file, GError **error)
{
    g_autoptr(GPtrArray) paths = config_file_list(file, "store.replicas");

    if (paths->len == 0)
        return true;
    self->replicas = g_ptr_array_new_with_free_func(settings_free_one);
    for (guint i = 0; i < paths->len; i++) {
        g_autofree char *path = config_file_resolve(file, paths->pdata[i]);
        StoreSettings *replica = read_one(path, error);

        if (replica == NULL)
            return false;
        if (!is_new(self, replica, file, error)) {
            settings_free_one(replica);
            return false;
        }
        g_ptr_array_add(self->replicas, replica);
    }
    return true;
}
