#include "storage/s3_store.h"

#include "storage/s3_client.h"
#include "storage/s3_list.h"
#include "storage/s3_objects.h"
#include "storage/s3_range.h"
#include "storage/s3_setup.h"
#include "storage/s3_versions.h"

typedef struct {
    ObjectStore base;
    S3Client *client;
    S3Objects *objects;
    GThreadPool *putters; /* of Errand */
} S3Store;

/* Counts down what one call has to do many times over. */
typedef struct {
    GMutex lock;
    GCond changed;
    size_t n_left;
} Errands;

typedef struct {
    void (*run)(S3Store *self, void *what);
    void *what;
    Errands *errands;
} Errand;

static void
put_one(S3Store *self, void *what)
{
    ObjectPut *put = what;

    /* What is wrong stands in put->error. */
    (void) !s3_objects_put(self->objects, put->key, put->body, &put->error);
    if (put->n_done != NULL)
        g_atomic_int_inc(put->n_done);
}

static void
remove_one(S3Store *self, void *what)
{
    s3_versions_remove(self->client, what);
}

static void
on_errand(gpointer data, gpointer user_data)
{
    Errand *errand = data;
    Errands *errands = errand->errands;

    errand->run(user_data, errand->what);
    g_mutex_lock(&errands->lock);
    errands->n_left--;
    g_cond_signal(&errands->changed);
    g_mutex_unlock(&errands->lock);
}

/* Runs all of `errand`, as many at once as the settings allow, and waits for them. */
static void
run_all(S3Store *self, Errand *errand, size_t n_errands)
{
    Errands errands = {.n_left = n_errands};

    g_mutex_init(&errands.lock);
    g_cond_init(&errands.changed);
    for (size_t i = 0; i < n_errands; i++) {
        errand[i].errands = &errands;
        (void) g_thread_pool_push(self->putters, &errand[i],
                                  NULL); /* its threads exist: no failure */
    }
    g_mutex_lock(&errands.lock);
    while (errands.n_left > 0)
        g_cond_wait(&errands.changed, &errands.lock);
    g_mutex_unlock(&errands.lock);
    g_mutex_clear(&errands.lock);
    g_cond_clear(&errands.changed);
}

static void
s3_store_put_all(ObjectStore *base, ObjectPut *puts, size_t n_puts)
{
    S3Store *self = (S3Store *) base;
    g_autofree Errand *errand = g_new0(Errand, n_puts);

    if (n_puts == 1) {
        put_one(self, puts);
        return;
    }
    for (size_t i = 0; i < n_puts; i++)
        errand[i] = (Errand){.run = put_one, .what = &puts[i]};
    run_all(self, errand, n_puts);
}

static GPtrArray *
s3_store_list_versions(ObjectStore *base, const char *prefix, GError **error)
{
    return s3_versions_list(((S3Store *) base)->client, prefix, error);
}

static void
s3_store_remove_versions(ObjectStore *base, ObjectRemoval *removals, size_t n_removals)
{
    g_autofree Errand *errand = g_new0(Errand, n_removals);

    for (size_t i = 0; i < n_removals; i++)
        errand[i] = (Errand){.run = remove_one, .what = &removals[i]};
    run_all((S3Store *) base, errand, n_removals);
}

static bool
s3_store_replace(ObjectStore *base, const char *key, GBytes *body, GError **error)
{
    return s3_objects_replace(((S3Store *) base)->objects, key, body, error);
}

static bool
s3_store_exchange(ObjectStore *base, const char *key, GBytes *expected, GBytes *body,
                  GError **error)
{
    return s3_objects_exchange(((S3Store *) base)->objects, key, expected, body, error);
}

static GBytes *
s3_store_get(ObjectStore *base, const char *key, GError **error)
{
    return s3_objects_get(((S3Store *) base)->objects, key, error);
}

static bool
s3_store_get_range(ObjectStore *base, const char *key, ObjectRange *range, GError **error)
{
    return s3_range_get(((S3Store *) base)->client, key, range, error);
}

static GPtrArray *
s3_store_list(ObjectStore *base, const char *prefix, GError **error)
{
    return s3_list(((S3Store *) base)->client, prefix, false, error);
}

static GPtrArray *
s3_store_list_folders(ObjectStore *base, const char *prefix, GError **error)
{
    return s3_list(((S3Store *) base)->client, prefix, true, error);
}

static void
s3_store_free(ObjectStore *base)
{
    S3Store *self = (S3Store *) base;

    if (self->putters != NULL)
        g_thread_pool_free(self->putters, FALSE, TRUE);
    s3_objects_free(self->objects);
    s3_client_free(self->client);
    g_free(self);
}

ObjectStore *
s3_store_open(const S3StoreOptions *options, GError **error)
{
    static const ObjectStoreOps ops = {
        .put_all = s3_store_put_all,
        .replace = s3_store_replace,
        .exchange = s3_store_exchange,
        .get = s3_store_get,
        .get_range = s3_store_get_range,
        .list = s3_store_list,
        .list_folders = s3_store_list_folders,
        .list_versions = s3_store_list_versions,
        .remove_versions = s3_store_remove_versions,
        .free = s3_store_free,
    };
    g_autoptr(S3Client) client = NULL;
    S3Store *self = NULL;

    client = s3_setup_client(options, error);
    if (client == NULL)
        return NULL;
    self = g_new0(S3Store, 1);
    self->base.ops = &ops;
    self->client = g_steal_pointer(&client);
    self->objects = s3_objects_new(self->client, options);
    self->putters =
        g_thread_pool_new(on_errand, self, (int) s3_setup_concurrent(options), TRUE, error);
    if (self->putters == NULL) {
        s3_store_free(&self->base);
        return NULL;
    }
    return &self->base;
}
