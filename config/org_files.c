#include "config/org_files.h"

#include "config/org_key_ring.h"
#include "config/org_settings.h"
#include "config/org_signature.h"

#include <string.h>

static int
compare_paths(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *) a, *(const char *const *) b);
}

/* Returns: the folder's *.conf, whole paths in order; hidden files and an editor's leftovers are
 * not read. */
static GPtrArray *
list_org_files(const char *folder, GError **error)
{
    g_autoptr(GPtrArray) paths = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GError) fault = NULL;
    g_autoptr(GDir) dir = g_dir_open(folder, 0, &fault);
    const char *name = NULL;

    if (dir == NULL) {
        g_set_error_literal(error, CONFIG_ERROR, CONFIG_ERROR_UNREADABLE, fault->message);
        return NULL;
    }
    while ((name = g_dir_read_name(dir)) != NULL) {
        if (name[0] != '.' && g_str_has_suffix(name, ".conf"))
            g_ptr_array_add(paths, g_build_filename(folder, name, NULL));
    }
    g_ptr_array_sort(paths, compare_paths);
    return g_steal_pointer(&paths);
}

/* Where media may be is law to an organisation that names regions: what a store says of itself does
 * not change it. */
static void
keep_region(Settings *self)
{
    g_atomic_int_set(self->store.keeps_region, 1);
}

static bool
read_org(Settings *self, const char *path, GError **error)
{
    g_autoptr(OrgSettings) org = org_settings_load(path, error);

    if (org == NULL || !org_signature_check(org, path, self->keys->policy_keys, error) ||
        !org_key_ring_apply(org, self->orgs_path, self->keys->admin_keys, error))
        return false;
    if (org->consent->regions != NULL)
        keep_region(self);
    g_ptr_array_add(self->orgs, g_steal_pointer(&org));
    return true;
}

/* Returns: owned. */
static char *
id_of(const char *path)
{
    char *name = g_path_get_basename(path);

    name[strlen(name) - strlen(".conf")] = '\0';
    return name;
}

bool
org_files_read(Settings *self, const ConfigFile *file, GHashTable *left_out, GError **error)
{
    const char *folder = self->orgs_path = config_file_text(file, "orgs");
    g_autoptr(GPtrArray) paths = list_org_files(folder, error);

    if (paths == NULL)
        return false;
    if (paths->len == 0) {
        config_file_fail(file, "orgs", error, "the folder %s has no <organisation>.conf", folder);
        return false;
    }
    for (guint i = 0; i < paths->len; i++) {
        const char *path = paths->pdata[i];
        g_autoptr(GError) fault = NULL;

        if (read_org(self, path, &fault))
            continue;
        if (left_out == NULL) {
            g_propagate_error(error, g_steal_pointer(&fault));
            return false;
        }
        keep_region(self);
        g_hash_table_insert(left_out, id_of(path), g_strdup(fault->message));
    }
    return true;
}
