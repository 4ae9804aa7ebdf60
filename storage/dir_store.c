#include "storage/dir_store.h"

#include "storage/dir_store_erase.h"
#include "storage/dir_store_walk.h"
#include "storage/direct_write.h"
#include "storage/durable_file.h"
#include "storage/object_key.h"
#include "storage/storage_error.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* How a batch becomes durable:
 * 1. write every object to a file without a name (O_TMPFILE), which a crash removes by itself;
 * 2. flush: the bytes are down before any name shows them;
 * 3. link each into place; a taken name is compared, never overwritten;
 * 4. flush again: the names, and the folders made for them, are down.
 * A batch of up to FEW objects flushes each file, then each folder once, from its own up to the
 * root. A larger one calls syncfs() twice, however many objects it has. That writes out others'
 * data on the same file system too, which on a busy disk takes long: a session that ends alone need
 * not wait for it. syncfs() is called on the store opened anew: it reports the write errors since
 * that open, so that no other thread's flush can swallow ours (Linux 5.8 and later report them at
 * all).
 *
 * Folders are walked one word at a time without following symbolic links: a link planted inside the
 * store leads nowhere. */

typedef struct {
    ObjectStore base;
    Fd root;
} DirStore;

/* One object on its way. */
typedef struct {
    ObjectPut *put;
    const char *name; /* inside put->key */
    Fd folder;
    Fd file;
    char *partial; /* a temporary name, only where the file system knows no nameless files */
    bool shares_flush;
} DirPut;

enum { OBJECT_MODE = 0640, FEW = 8, MAX_BATCH = 256 };

static const char *
name_in(const char *key)
{
    const char *slash = strrchr(key, '/');

    return slash == NULL ? key : slash + 1;
}

static void
dir_put_clear(DirPut *self)
{
    if (self->partial != NULL)
        (void) unlinkat(self->folder, self->partial, 0); /* never listed, so only untidy */
    g_clear_pointer(&self->partial, g_free);
    fd_close(&self->folder);
    fd_close(&self->file);
}

static bool
create_file(DirPut *self)
{
    const int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;

    self->file = openat(self->folder, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, OBJECT_MODE);
    if (self->file >= 0 || (errno != EOPNOTSUPP && errno != EISDIR))
        return self->file >= 0;
    self->partial = g_strdup_printf(".%08x%08x.partial", g_random_int(), g_random_int());
    self->file = openat(self->folder, self->partial, flags, OBJECT_MODE);
    return self->file >= 0;
}

static bool
dir_put_write(DirStore *store, DirPut *self, ObjectPut *put, GError **error)
{
    gsize n_bytes = 0;
    const void *bytes = g_bytes_get_data(put->body, &n_bytes);

    self->put = put;
    self->name = name_in(put->key);
    self->file = -1;
    self->folder = dir_store_walk_to_folder(store->root, put->key, true);
    if (self->folder < 0)
        return storage_fail_errno(error, "make folder of", put->key);
    if (!create_file(self))
        return storage_fail_errno(error, "create", put->key);
    if (!direct_write_all(self->file, bytes, n_bytes))
        return storage_fail_errno(error, "write", put->key);
    return true;
}

/* The name is taken: equal bytes are ours from before, anything else stays and is told. */
static bool
compare_with_stored(DirPut *self, GError **error)
{
    g_autoptr(GBytes) stored = NULL;
    g_auto(Fd) file = openat(self->folder, self->name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

    if (file < 0)
        return storage_fail_errno(error, "compare", self->put->key);
    stored = dir_store_walk_read(file, self->put->key, error);
    if (stored == NULL)
        return false;
    if (g_bytes_equal(stored, self->put->body)) {
        /* Whoever wrote it may not have flushed it yet; syncfs() does. */
        if (!self->shares_flush && fsync(file) < 0)
            return storage_fail_errno(error, "flush", self->put->key);
        return true;
    }
    g_set_error(error, STORAGE_ERROR, STORAGE_ERROR_CONFLICT,
                "%s already exists in the store with other content", self->put->key);
    return false;
}

static bool
dir_put_link(DirPut *self, GError **error)
{
    char path[64];

    (void) snprintf(path, sizeof path, "/proc/self/fd/%d", self->file);
    if (self->partial != NULL) {
        if (linkat(self->folder, self->partial, self->folder, self->name, 0) == 0)
            return true;
    } else if (linkat(AT_FDCWD, path, self->folder, self->name, AT_SYMLINK_FOLLOW) == 0) {
        return true;
    }
    if (errno == EEXIST)
        return compare_with_stored(self, error);
    return storage_fail_errno(error, "name", self->put->key);
}

/* Flushes the folder of `key` and every one above it, which may be new as well, unless it is in
 * `done`. */
static bool
flush_folders(DirStore *store, const char *key, GHashTable *done)
{
    g_autofree char *path = g_strdup(key);

    for (char *slash = strrchr(path, '/'); slash != NULL; slash = strrchr(path, '/')) {
        g_auto(Fd) folder = dir_store_walk_to_folder(store->root, path, false);

        *slash = '\0';
        if (g_hash_table_contains(done, path))
            return true; /* and so are those above */
        if (folder < 0 || fsync(folder) < 0)
            return false;
        (void) g_hash_table_add(done, g_strdup(path));
    }
    if (!g_hash_table_contains(done, "") && fsync(store->root) < 0)
        return false;
    (void) g_hash_table_add(done, g_strdup(""));
    return true;
}

static void
fail_all(ObjectPut *puts, size_t n_puts, int number)
{
    for (size_t i = 0; i < n_puts; i++) {
        errno = number;
        if (puts[i].error == NULL)
            (void) storage_fail_errno(&puts[i].error, "flush", puts[i].key);
    }
}

static void
link_all(DirPut *batch, ObjectPut *puts, size_t n_puts)
{
    for (size_t i = 0; i < n_puts; i++) {
        if (puts[i].error == NULL)
            (void) dir_put_link(&batch[i], &puts[i].error);
    }
}

static void
make_few_durable(DirStore *store, DirPut *batch, ObjectPut *puts, size_t n_puts)
{
    g_autoptr(GHashTable) done = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

    for (size_t i = 0; i < n_puts; i++) {
        if (puts[i].error == NULL && fsync(batch[i].file) < 0)
            (void) storage_fail_errno(&puts[i].error, "flush", puts[i].key);
    }
    link_all(batch, puts, n_puts);
    for (size_t i = 0; i < n_puts; i++) {
        if (puts[i].error == NULL && !flush_folders(store, puts[i].key, done))
            (void) storage_fail_errno(&puts[i].error, "flush folder of", puts[i].key);
    }
}

static void
make_many_durable(Fd flusher, DirPut *batch, ObjectPut *puts, size_t n_puts)
{
    if (syncfs(flusher) < 0) {
        fail_all(puts, n_puts, errno);
        return;
    }
    link_all(batch, puts, n_puts);
    if (syncfs(flusher) < 0)
        fail_all(puts, n_puts, errno);
}

/* What is large is media: written once, read seldom. What pages it has, clean by now, serve the
 * next batch instead of filling the machine's memory, whose other pages are worth more (and fresh
 * ones cost). Written directly, it has one at most. */
static void
let_pages_go(const DirPut *self, const ObjectPut *put)
{
    if (put->error == NULL && g_bytes_get_size(put->body) >= DIRECT_WRITE_LARGE)
        (void) posix_fadvise(self->file, 0, 0, POSIX_FADV_DONTNEED); /* advice */
}

static void
put_batch(DirStore *store, ObjectPut *puts, size_t n_puts)
{
    g_auto(Fd) flusher = openat(store->root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    g_autofree DirPut *batch = g_new0(DirPut, n_puts);

    if (flusher < 0) {
        fail_all(puts, n_puts, errno);
        return;
    }
    for (size_t i = 0; i < n_puts; i++) {
        batch[i].shares_flush = n_puts > FEW;
        (void) dir_put_write(store, &batch[i], &puts[i], &puts[i].error);
    }
    if (n_puts <= FEW) {
        make_few_durable(store, batch, puts, n_puts);
    } else {
        make_many_durable(flusher, batch, puts, n_puts);
    }
    for (size_t i = 0; i < n_puts; i++) {
        let_pages_go(&batch[i], &puts[i]);
        dir_put_clear(&batch[i]);
    }
}

/* Each object holds two descriptors until its batch is flushed, so batches are bounded; that makes
 * one more pair of flushes for every MAX_BATCH objects. */
static void
dir_store_put_all(ObjectStore *base, ObjectPut *puts, size_t n_puts)
{
    for (size_t first = 0; first < n_puts; first += MAX_BATCH)
        put_batch((DirStore *) base, puts + first, MIN(n_puts - first, MAX_BATCH));
}

/* Removes what a process that was killed had written for this name and not yet renamed: the folder
 * is locked, so nobody is at it. A copy of an envelope must not outlive it. */
static bool
remove_leftovers(Fd folder, const char *name)
{
    g_autofree char *prefix = g_strconcat(name, ".", NULL);
    DIR *dir = fdopendir(openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    const struct dirent *entry = NULL;
    bool is_clean = dir != NULL;

    /* The stream is this thread's own. NOLINTNEXTLINE(concurrency-mt-unsafe) */
    while (is_clean && (entry = readdir(dir)) != NULL) {
        if (g_str_has_prefix(entry->d_name, prefix) && g_str_has_suffix(entry->d_name, ".partial"))
            is_clean = unlinkat(folder, entry->d_name, 0) == 0 || errno == ENOENT;
    }
    if (dir != NULL)
        (void) closedir(dir); /* only read from */
    return is_clean;
}

/* `folder`: locked, so that nobody replaces anything in it between an exchange's look and its put.
 */
static bool
replace_in(DirStore *store, Fd folder, const char *key, GBytes *body, GError **error)
{
    g_autoptr(GHashTable) done = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

    if (!remove_leftovers(folder, name_in(key)))
        return storage_fail_errno(error, "clean folder of", key);
    if (!durable_file_replace(folder, name_in(key), body, error))
        return false;
    if (!flush_folders(store, key, done))
        return storage_fail_errno(error, "flush folder of", key);
    return true;
}

static bool
dir_store_replace(ObjectStore *base, const char *key, GBytes *body, GError **error)
{
    DirStore *store = (DirStore *) base;
    g_auto(Fd) folder = dir_store_walk_to_folder(store->root, key, true);

    if (folder < 0)
        return storage_fail_errno(error, "make folder of", key);
    if (flock(folder, LOCK_EX) < 0)
        return storage_fail_errno(error, "lock folder of", key);
    return replace_in(store, folder, key, body, error);
}

static bool
dir_store_exchange(ObjectStore *base, const char *key, GBytes *expected, GBytes *body,
                   GError **error)
{
    DirStore *store = (DirStore *) base;
    g_auto(Fd) folder = dir_store_walk_to_folder(store->root, key, false);
    g_autoptr(GBytes) stored = NULL;

    if (folder >= 0 && flock(folder, LOCK_EX) < 0)
        return storage_fail_errno(error, "lock folder of", key);
    stored = dir_store_walk_read_in(folder, key, error);
    if (stored == NULL)
        return false;
    if (g_bytes_equal(stored, body))
        return true;
    if (!g_bytes_equal(stored, expected)) {
        g_set_error(error, STORAGE_ERROR, STORAGE_ERROR_CONFLICT, "%s was changed meanwhile", key);
        return false;
    }
    return replace_in(store, folder, key, body, error);
}

static GBytes *
dir_store_get(ObjectStore *base, const char *key, GError **error)
{
    DirStore *store = (DirStore *) base;
    g_auto(Fd) folder = dir_store_walk_to_folder(store->root, key, false);

    return dir_store_walk_read_in(folder, key, error);
}

static bool
dir_store_get_range(ObjectStore *base, const char *key, ObjectRange *range, GError **error)
{
    return dir_store_walk_read_range(((DirStore *) base)->root, key, range, error);
}

static GPtrArray *
dir_store_list(ObjectStore *base, const char *prefix, GError **error)
{
    return dir_store_walk_list(((DirStore *) base)->root, prefix, error);
}

static GPtrArray *
dir_store_list_folders(ObjectStore *base, const char *prefix, GError **error)
{
    return dir_store_walk_list_folders(((DirStore *) base)->root, prefix, error);
}

static GPtrArray *
dir_store_list_versions(ObjectStore *base, const char *prefix, GError **error)
{
    return dir_store_erase_list(((DirStore *) base)->root, prefix, error);
}

static void
dir_store_remove_versions(ObjectStore *base, ObjectRemoval *removals, size_t n_removals)
{
    dir_store_erase_remove(((DirStore *) base)->root, removals, n_removals);
}

static void
dir_store_free(ObjectStore *base)
{
    DirStore *store = (DirStore *) base;

    fd_close(&store->root);
    g_free(store);
}

static const ObjectStoreOps dir_store_ops = {
    .put_all = dir_store_put_all,
    .replace = dir_store_replace,
    .exchange = dir_store_exchange,
    .get = dir_store_get,
    .get_range = dir_store_get_range,
    .list = dir_store_list,
    .list_folders = dir_store_list_folders,
    .list_versions = dir_store_list_versions,
    .remove_versions = dir_store_remove_versions,
    .free = dir_store_free,
};

ObjectStore *
dir_store_open(const char *path, GError **error)
{
    g_autofree DirStore *store = g_new0(DirStore, 1);

    store->base.ops = &dir_store_ops;
    store->root = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (store->root < 0) {
        (void) storage_fail_errno(error, "open store", path);
        return NULL;
    }
    return &g_steal_pointer(&store)->base;
}
