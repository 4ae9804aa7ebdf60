#include "tests/fakes/flaky_store.h"

#include "storage/storage_error.h"

#include <string.h>

typedef struct {
    ObjectStore base;
    GHashTable *objects;
    GMutex mutex;
    unsigned n_failing;
    int code;
    bool is_late;
    const char *suffix;
    unsigned n_batches;
} FlakyStore;

GHashTable *
flaky_store_objects_new(void)
{
    return g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_bytes_unref);
}

static void
put_locked(FlakyStore *self, ObjectPut *put)
{
    const bool is_aimed_at = self->suffix == NULL || g_str_has_suffix(put->key, self->suffix);
    const bool must_fail = is_aimed_at && self->n_failing > 0;
    GBytes *stored = g_hash_table_lookup(self->objects, put->key);

    if (must_fail) {
        self->n_failing--;
        g_set_error(&put->error, STORAGE_ERROR, self->code, "%s: the store is flaky", put->key);
        if (!self->is_late)
            return;
    }
    if (stored == NULL)
        g_hash_table_insert(self->objects, g_strdup(put->key), g_bytes_ref(put->body));
    else if (!g_bytes_equal(stored, put->body) && put->error == NULL)
        g_set_error(&put->error, STORAGE_ERROR, STORAGE_ERROR_CONFLICT, "%s exists", put->key);
}

static void
flaky_put_all(ObjectStore *base, ObjectPut *puts, size_t n_puts)
{
    FlakyStore *self = (FlakyStore *) base;

    g_mutex_lock(&self->mutex);
    self->n_batches++;
    for (size_t i = 0; i < n_puts; i++)
        put_locked(self, &puts[i]);
    g_mutex_unlock(&self->mutex);
}

static bool
flaky_replace(ObjectStore *base, const char *key, GBytes *body, GError **error)
{
    FlakyStore *self = (FlakyStore *) base;

    g_mutex_lock(&self->mutex);
    g_hash_table_replace(self->objects, g_strdup(key), g_bytes_ref(body));
    g_mutex_unlock(&self->mutex);
    return true;
}

static bool
flaky_exchange(ObjectStore *base, const char *key, GBytes *expected, GBytes *body, GError **error)
{
    FlakyStore *self = (FlakyStore *) base;
    GBytes *stored = NULL;
    bool is_same = false;

    g_mutex_lock(&self->mutex);
    stored = g_hash_table_lookup(self->objects, key);
    is_same = stored != NULL && g_bytes_equal(stored, expected);
    if (is_same)
        g_hash_table_replace(self->objects, g_strdup(key), g_bytes_ref(body));
    else
        g_set_error(error, STORAGE_ERROR, STORAGE_ERROR_CONFLICT, "%s was changed", key);
    g_mutex_unlock(&self->mutex);
    return is_same;
}

static GBytes *
flaky_get(ObjectStore *base, const char *key, GError **error)
{
    FlakyStore *self = (FlakyStore *) base;
    GBytes *stored = NULL;

    g_mutex_lock(&self->mutex);
    stored = g_hash_table_lookup(self->objects, key);
    if (stored == NULL)
        g_set_error(error, STORAGE_ERROR, STORAGE_ERROR_NOT_FOUND, "no %s", key);
    else
        (void) g_bytes_ref(stored);
    g_mutex_unlock(&self->mutex);
    return stored;
}

static bool
flaky_get_range(ObjectStore *base, const char *key, ObjectRange *range, GError **error)
{
    g_autoptr(GBytes) stored = flaky_get(base, key, error);
    gsize n_bytes = 0;
    const uint8_t *bytes = stored == NULL ? NULL : g_bytes_get_data(stored, &n_bytes);

    if (range->offset < n_bytes) {
        range->n_read = MIN(range->n_bytes, n_bytes - (size_t) range->offset);
        memcpy(range->bytes, bytes + range->offset, range->n_read);
    }
    return stored != NULL;
}

static int
compare_names(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *) a, *(const char *const *) b);
}

static GPtrArray *
flaky_list(ObjectStore *base, const char *prefix, GError **error)
{
    FlakyStore *self = (FlakyStore *) base;
    GPtrArray *found = g_ptr_array_new_with_free_func(g_free);
    GHashTableIter iter;
    void *key = NULL;

    g_mutex_lock(&self->mutex);
    g_hash_table_iter_init(&iter, self->objects);
    while (g_hash_table_iter_next(&iter, &key, NULL))
        if (g_str_has_prefix(key, prefix))
            g_ptr_array_add(found, g_strdup(key));
    g_mutex_unlock(&self->mutex);
    g_ptr_array_sort(found, compare_names);
    return found;
}

static GPtrArray *
flaky_list_folders(ObjectStore *base, const char *prefix, GError **error)
{
    g_autoptr(GPtrArray) keys = flaky_list(base, prefix, error);
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    GPtrArray *found = g_ptr_array_new_with_free_func(g_free);

    for (guint i = 0; i < keys->len; i++) {
        const char *key = g_ptr_array_index(keys, i);
        const char *slash = strchr(key + strlen(prefix), '/');

        if (slash != NULL && g_hash_table_add(seen, g_strndup(key, slash - key)))
            g_ptr_array_add(found, g_strndup(key, slash - key));
    }
    return found;
}

static GPtrArray *
flaky_list_versions(ObjectStore *base, const char *prefix, GError **error)
{
    g_autoptr(GPtrArray) keys = flaky_list(base, prefix, error);
    GPtrArray *found = g_ptr_array_new_with_free_func((GDestroyNotify) object_version_free);

    for (guint i = 0; i < keys->len; i++) {
        ObjectVersion *version = g_new0(ObjectVersion, 1);

        version->key = g_strdup(keys->pdata[i]);
        version->version = g_strdup("-");
        version->is_latest = true;
        g_ptr_array_add(found, version);
    }
    return found;
}

static void
flaky_remove_versions(ObjectStore *base, ObjectRemoval *removals, size_t n_removals)
{
    FlakyStore *self = (FlakyStore *) base;

    g_mutex_lock(&self->mutex);
    for (size_t i = 0; i < n_removals; i++)
        (void) g_hash_table_remove(self->objects, removals[i].what->key);
    g_mutex_unlock(&self->mutex);
}

static void
flaky_free(ObjectStore *base)
{
    FlakyStore *self = (FlakyStore *) base;

    g_mutex_clear(&self->mutex);
    g_free(self);
}

static const ObjectStoreOps flaky_ops = {
    .put_all = flaky_put_all,
    .replace = flaky_replace,
    .exchange = flaky_exchange,
    .get = flaky_get,
    .get_range = flaky_get_range,
    .list = flaky_list,
    .list_folders = flaky_list_folders,
    .list_versions = flaky_list_versions,
    .remove_versions = flaky_remove_versions,
    .free = flaky_free,
};

ObjectStore *
flaky_store_new(GHashTable *objects)
{
    FlakyStore *self = g_new0(FlakyStore, 1);

    self->base.ops = &flaky_ops;
    self->objects = objects;
    g_mutex_init(&self->mutex);
    return &self->base;
}

void
flaky_store_fail(ObjectStore *base, unsigned n_puts, int code, bool is_late)
{
    FlakyStore *self = (FlakyStore *) base;

    g_mutex_lock(&self->mutex);
    self->n_failing = n_puts;
    self->code = code;
    self->is_late = is_late;
    g_mutex_unlock(&self->mutex);
}

void
flaky_store_aim(ObjectStore *base, const char *suffix)
{
    FlakyStore *self = (FlakyStore *) base;

    g_mutex_lock(&self->mutex);
    self->suffix = suffix;
    g_mutex_unlock(&self->mutex);
}

unsigned
flaky_store_n_batches(ObjectStore *base)
{
    FlakyStore *self = (FlakyStore *) base;
    unsigned n_batches = 0;

    g_mutex_lock(&self->mutex);
    n_batches = self->n_batches;
    g_mutex_unlock(&self->mutex);
    return n_batches;
}
