#include "storage/dir_store_erase.h"

#include "storage/dir_store_walk.h"
#include "storage/durable_file.h"
#include "storage/object_key.h"
#include "storage/storage_error.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Folders are walked one word at a time without following symbolic links, as everywhere in this
 * store: a link that lies here is removed itself, never what it points to. */

enum { MAX_DEPTH = 16 };

static bool visit_folder(GPtrArray *found, int folder, const char *path, unsigned depth);

static bool
visit_entry(GPtrArray *found, int parent, const char *path, const char *name, unsigned depth)
{
    struct stat status;
    ObjectVersion *version = NULL;

    if (fstatat(parent, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
        return errno == ENOENT;
    if (S_ISDIR(status.st_mode)) {
        g_autofree char *below = g_strconcat(path, name, "/", NULL);
        g_auto(Fd) folder = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

        return folder >= 0 && depth < MAX_DEPTH && visit_folder(found, folder, below, depth + 1);
    }
    version = g_new0(ObjectVersion, 1);
    version->key = g_strconcat(path, name, NULL);
    version->version = g_strdup("-");
    version->kind =
        object_key_is_valid(version->key) ? OBJECT_VERSION_BYTES : OBJECT_VERSION_UPLOAD;
    version->n_bytes = (uint64_t) status.st_size;
    version->is_latest = true;
    g_ptr_array_add(found, version);
    return true;
}

static bool
visit_folder(GPtrArray *found, int folder, const char *path, unsigned depth)
{
    const int own = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *entries = own < 0 ? NULL : fdopendir(own);
    bool is_good = entries != NULL;

    errno = 0;
    for (struct dirent *entry = is_good ? readdir(entries) : NULL; is_good && entry != NULL;
         entry = readdir(entries)) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            is_good = visit_entry(found, dirfd(entries), path, entry->d_name, depth);
        if (is_good)
            errno = 0;
    }
    is_good = is_good && errno == 0;
    if (entries != NULL)
        (void) closedir(entries); /* only read */
    return is_good;
}

static int
compare_keys(gconstpointer a, gconstpointer b)
{
    const ObjectVersion *first = *(const ObjectVersion *const *) a;
    const ObjectVersion *second = *(const ObjectVersion *const *) b;

    return strcmp(first->key, second->key);
}

GPtrArray *
dir_store_erase_list(int root, const char *prefix, GError **error)
{
    g_autoptr(GPtrArray) found =
        g_ptr_array_new_with_free_func((GDestroyNotify) object_version_free);
    g_auto(Fd) folder = -1;

    g_assert(g_str_has_suffix(prefix, "/"));
    folder = dir_store_walk_to_folder(root, prefix, false);
    if (folder < 0 && errno == ENOENT)
        return g_steal_pointer(&found);
    if (folder < 0 || !visit_folder(found, folder, prefix, 0)) {
        (void) storage_fail_errno(error, "list", prefix);
        return NULL;
    }
    g_ptr_array_sort(found, compare_keys);
    return g_steal_pointer(&found);
}

static bool
remove_one(int root, const ObjectVersion *what, GError **error)
{
    g_auto(Fd) folder = dir_store_walk_to_folder(root, what->key, false);
    const char *slash = strrchr(what->key, '/');

    if (folder >= 0 && unlinkat(folder, slash == NULL ? what->key : slash + 1, 0) == 0)
        return true;
    return errno == ENOENT || storage_fail_errno(error, "remove", what->key);
}

static bool
flush_folder(int root, const char *key, GHashTable *done)
{
    g_auto(Fd) folder = -1;
    const size_t n_folder = (size_t) (strrchr(key, '/') - key);

    if (!g_hash_table_add(done, g_strndup(key, n_folder)))
        return true;
    folder = dir_store_walk_to_folder(root, key, false);
    return folder >= 0 ? fsync(folder) == 0 : errno == ENOENT;
}

/* Folders above `key` that are empty now, up to below the organisation's. One that comes back after
 * a power cut does no harm. */
static void
remove_empty_folders(int root, const char *key)
{
    g_autofree char *path = g_strdup(key);
    bool is_gone = true;

    for (char *slash = strrchr(path, '/'); is_gone && slash != NULL; slash = strrchr(path, '/')) {
        const char *name = NULL;

        *slash = '\0';
        name = strrchr(path, '/');
        if (name != NULL) {
            g_auto(Fd) parent = dir_store_walk_to_folder(root, path, false);

            is_gone = parent < 0 || unlinkat(parent, name + 1, AT_REMOVEDIR) == 0;
        }
    }
}

void
dir_store_erase_remove(int root, ObjectRemoval *removals, size_t n_removals)
{
    g_autoptr(GHashTable) done = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

    for (size_t i = 0; i < n_removals; i++)
        (void) remove_one(root, removals[i].what, &removals[i].error);
    for (size_t i = 0; i < n_removals; i++) {
        if (removals[i].error == NULL && !flush_folder(root, removals[i].what->key, done))
            (void) storage_fail_errno(&removals[i].error, "flush folder of", removals[i].what->key);
    }
    for (size_t i = 0; i < n_removals; i++)
        remove_empty_folders(root, removals[i].what->key);
}
