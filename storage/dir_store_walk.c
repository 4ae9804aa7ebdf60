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

/* The umask decides whether a group may come in: a unit's lets it, for opener and retention. */
enum { FOLDER_MODE = 0770, MAX_DEPTH = 16 };

static int
open_folder(int parent, const char *name)
{
    return openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

static int
enter(int parent, const char *name, bool may_make)
{
    const int folder = open_folder(parent, name);

    if (folder >= 0 || errno != ENOENT || !may_make)
        return folder;
    /* Another thread may make it first, which is as good. */
    if (mkdirat(parent, name, FOLDER_MODE) < 0 && errno != EEXIST)
        return -1;
    return open_folder(parent, name);
}

int
dir_store_walk_to_folder(int root, const char *key, bool may_make)
{
    g_auto(GStrv) words = g_strsplit(key, "/", -1);
    Fd here = open_folder(root, ".");

    for (char **word = words; here >= 0 && *word != NULL && word[1] != NULL; word++) {
        const int next = enter(here, *word, may_make);

        fd_close(&here);
        here = next;
    }
    return here;
}

static bool
read_fully(int file, uint8_t *bytes, size_t n_bytes)
{
    size_t done = 0;

    while (done < n_bytes) {
        const ssize_t n = read(file, bytes + done, n_bytes - done);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            errno = n == 0 ? EIO : errno; /* shorter than it said a moment ago */
            return false;
        }
        done += (size_t) n;
    }
    return true;
}

GBytes *
dir_store_walk_read(int file, const char *key, GError **error)
{
    struct stat status;
    g_autofree uint8_t *bytes = NULL;
    size_t n_bytes = 0;

    if (fstat(file, &status) < 0) {
        (void) storage_fail_errno(error, "read", key);
        return NULL;
    }
    if (!S_ISREG(status.st_mode)) {
        g_set_error(error, STORAGE_ERROR, STORAGE_ERROR_NOT_FOUND, "%s is not an object", key);
        return NULL;
    }
    n_bytes = (size_t) status.st_size;
    bytes = g_try_malloc(MAX(n_bytes, 1));
    if (bytes == NULL || !read_fully(file, bytes, n_bytes)) {
        (void) storage_fail_errno(error, "read", key);
        return NULL;
    }
    return g_bytes_new_take(g_steal_pointer(&bytes), n_bytes);
}

static int
open_object(int folder, const char *key)
{
    const char *slash = strrchr(key, '/');

    if (folder < 0)
        return -1;
    return openat(folder, slash == NULL ? key : slash + 1,
                  O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
}

GBytes *
dir_store_walk_read_in(int folder, const char *key, GError **error)
{
    g_auto(Fd) file = open_object(folder, key);

    if (file >= 0)
        return dir_store_walk_read(file, key, error);
    (void) storage_fail_errno(error, "read", key);
    return NULL;
}

bool
dir_store_walk_read_range(int root, const char *key, ObjectRange *range, GError **error)
{
    g_auto(Fd) folder = dir_store_walk_to_folder(root, key, false);
    g_auto(Fd) file = open_object(folder, key);

    if (file < 0)
        return storage_fail_errno(error, "read", key);
    while (range->n_read < range->n_bytes) {
        const ssize_t n = pread(file, range->bytes + range->n_read, range->n_bytes - range->n_read,
                                (off_t) (range->offset + range->n_read));

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return storage_fail_errno(error, "read", key); /* EISDIR among them */
        if (n == 0)
            break;
        range->n_read += (size_t) n;
    }
    return true;
}

typedef struct {
    const char *prefix;
    GPtrArray *found;
    bool only_folders; /* of one level, instead of all files below */
} Listing;

static bool visit_folder(Listing *listing, int folder, const char *path, unsigned depth);

static bool
may_lie_below(const Listing *listing, const char *path)
{
    const size_t n = MIN(strlen(path), strlen(listing->prefix));

    return strncmp(path, listing->prefix, n) == 0;
}

static bool
visit_entry(Listing *listing, int parent, const char *path, unsigned depth)
{
    const char *name = strrchr(path, '/');
    struct stat status;

    name = name == NULL ? path : name + 1;
    if (fstatat(parent, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
        return errno == ENOENT; /* gone since it was listed */
    if (S_ISDIR(status.st_mode) && listing->only_folders) {
        g_ptr_array_add(listing->found, g_strdup(path));
        return true;
    }
    if (S_ISDIR(status.st_mode) && may_lie_below(listing, path) && depth < MAX_DEPTH) {
        g_auto(Fd) folder = open_folder(parent, name);

        return folder < 0 ? errno == ENOENT : visit_folder(listing, folder, path, depth + 1);
    }
    if (S_ISREG(status.st_mode) && !listing->only_folders &&
        g_str_has_prefix(path, listing->prefix))
        g_ptr_array_add(listing->found, g_strdup(path));
    return true;
}

static bool
visit_entries(Listing *listing, DIR *entries, const char *path, unsigned depth)
{
    errno = 0;
    for (struct dirent *entry = readdir(entries); entry != NULL; entry = readdir(entries)) {
        g_autofree char *below =
            *path == '\0' ? g_strdup(entry->d_name) : g_strconcat(path, "/", entry->d_name, NULL);

        /* Whatever no key can name was not put by a store: dot files, a file manager's. */
        if (object_key_is_valid(entry->d_name) &&
            !visit_entry(listing, dirfd(entries), below, depth))
            return false;
        errno = 0;
    }
    return errno == 0;
}

static bool
visit_folder(Listing *listing, int folder, const char *path, unsigned depth)
{
    const int own = open_folder(folder, ".");
    DIR *entries = own < 0 ? NULL : fdopendir(own);
    bool is_done = false;

    if (entries == NULL)
        return false;
    is_done = visit_entries(listing, entries, path, depth);
    (void) closedir(entries); /* only read */
    return is_done;
}

static int
compare_names(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *) a, *(const char *const *) b);
}

/* Starts at the deepest folder that `prefix` names whole, so that one session's listing does not
 * walk the store. */
static GPtrArray *
list_below(int root, const char *prefix, bool only_folders, GError **error)
{
    g_autoptr(GPtrArray) found = g_ptr_array_new_with_free_func(g_free);
    Listing listing = {.prefix = prefix, .found = found, .only_folders = only_folders};
    const char *slash = strrchr(prefix, '/');
    g_autofree char *start = slash == NULL ? g_strdup("") : g_strndup(prefix, slash - prefix);
    g_auto(Fd) folder = -1;

    if (*start != '\0' && !object_key_is_valid(start))
        return g_steal_pointer(&found);
    folder = dir_store_walk_to_folder(root, prefix, false);
    if (folder < 0 && (errno == ENOENT || errno == ENOTDIR))
        return g_steal_pointer(&found);
    if (folder < 0 || !visit_folder(&listing, folder, start, 0)) {
        (void) storage_fail_errno(error, "list", *prefix == '\0' ? "the store" : prefix);
        return NULL;
    }
    g_ptr_array_sort(found, compare_names);
    return g_steal_pointer(&found);
}

GPtrArray *
dir_store_walk_list(int root, const char *prefix, GError **error)
{
    return list_below(root, prefix, false, error);
}

GPtrArray *
dir_store_walk_list_folders(int root, const char *prefix, GError **error)
{
    return list_below(root, prefix, true, error);
}
