#include "agent/store/configured_store.h"

#include "storage/dir_store.h"
#include "storage/replicated_store.h"
#include "storage/s3_probe.h"
#include "storage/s3_store.h"

enum { PROBE_ATTEMPT_MS = 5000, PROBE_RETRY_MS = 1000 };

static S3Lock
lock_of(StoreLock lock)
{
    switch (lock) {
    case STORE_LOCK_GOVERNANCE:
        return S3_LOCK_GOVERNANCE;
    case STORE_LOCK_COMPLIANCE:
        return S3_LOCK_COMPLIANCE;
    case STORE_LOCK_NONE:
    default:
        return S3_LOCK_NONE;
    }
}

/* Borrows from `settings`. */
static S3StoreOptions
s3_options(const StoreSettings *settings)
{
    return (S3StoreOptions){
        .endpoint = settings->endpoint,
        .bucket = settings->bucket,
        .region = settings->region,
        .keeps_region = settings->keeps_region,
        .style = settings->has_host_style ? S3_STYLE_HOST : S3_STYLE_PATH,
        .prefix = settings->prefix,
        .credentials = settings->credentials,
        .ca_file = settings->ca_file,
        .pins = (const char *const *) settings->pins->pdata,
        .proxy = settings->proxy,
        .max_concurrent = settings->max_concurrent,
        .max_upload_kbit_s = settings->max_upload_kbit_s,
        .attempt_ms = settings->attempt_ms,
        .retry_ms = settings->retry_ms,
        .encryption = settings->encryption,
        .kms_key_id = settings->kms_key_id,
        .storage_class = settings->storage_class,
        .tags = settings->tags,
        .lock = lock_of(settings->lock),
        .lock_days = settings->lock_days,
        .legal_hold = settings->legal_hold,
    };
}

char *
configured_store_place(const StoreSettings *settings)
{
    return settings->name == NULL ? g_strdup("store")
                                  : g_strdup_printf("replica %s", settings->name);
}

ObjectStore *
configured_store_open_one(const StoreSettings *settings, GError **error)
{
    g_autofree char *place = configured_store_place(settings);
    const bool is_directory = settings->type == STORE_TYPE_DIRECTORY;
    const S3StoreOptions options = is_directory ? (S3StoreOptions){0} : s3_options(settings);
    ObjectStore *store =
        is_directory ? dir_store_open(settings->path, error) : s3_store_open(&options, error);

    if (store == NULL)
        g_prefix_error(error, "%s%s: ", place, is_directory ? ".path" : "");
    return store;
}

ObjectStore *
configured_store_open(const StoreSettings *settings, GError **error)
{
    const guint n_replicas = settings->replicas == NULL ? 0 : settings->replicas->len;
    g_autoptr(ObjectStore) all = configured_store_open_one(settings, error);

    if (all == NULL || n_replicas == 0)
        return g_steal_pointer(&all);
    all = replicated_store_new(g_steal_pointer(&all));
    for (guint i = 0; i < n_replicas; i++) {
        const StoreSettings *replica = settings->replicas->pdata[i];
        ObjectStore *store = configured_store_open_one(replica, error);

        if (store == NULL)
            return NULL;
        replicated_store_add(all, store, replica->name);
    }
    return g_steal_pointer(&all);
}

GPtrArray *
configured_store_probe(const StoreSettings *settings, GError **error)
{
    S3StoreOptions options = {0};
    GPtrArray *rows = NULL;
    g_autofree char *place = configured_store_place(settings);

    if (settings->type == STORE_TYPE_DIRECTORY)
        return g_ptr_array_new();
    options = s3_options(settings);
    options.attempt_ms = PROBE_ATTEMPT_MS;
    options.retry_ms = PROBE_RETRY_MS;
    rows = s3_probe(&options, error);
    if (rows == NULL)
        g_prefix_error(error, "%s: ", place);
    return rows;
}
