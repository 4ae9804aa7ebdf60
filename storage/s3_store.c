#include "storage/s3_store.h"

#include "storage/aws_credentials_source.h"
#include "storage/s3_client.h"
#include "storage/s3_list.h"
#include "storage/s3_objects.h"
#include "storage/storage_error.h"

#include <string.h>

enum { DEFAULT_CONCURRENT = 4, DEFAULT_ATTEMPT_MS = 60000, DEFAULT_RETRY_MS = 10000 };

typedef struct {
    ObjectStore base;
    S3Client *client;
    S3Objects *objects;
    GThreadPool *putters; /* of Errand */
} S3Store;

/* Counts down the puts of one put_all(). */
typedef struct {
    GMutex lock;
    GCond changed;
    size_t n_left;
} Errands;

typedef struct {
    ObjectPut *put;
    Errands *errands;
} Errand;

static void
put_one(S3Store *self, ObjectPut *put)
{
    /* What is wrong stands in put->error. */
    (void) !s3_objects_put(self->objects, put->key, put->body, &put->error);
}

static void
on_errand(gpointer data, gpointer user_data)
{
    Errand *errand = data;
    Errands *errands = errand->errands;

    put_one(user_data, errand->put);
    g_mutex_lock(&errands->lock);
    errands->n_left--;
    g_cond_signal(&errands->changed);
    g_mutex_unlock(&errands->lock);
}

static void
s3_store_put_all(ObjectStore *base, ObjectPut *puts, size_t n_puts)
{
    S3Store *self = (S3Store *) base;
    g_autofree Errand *errand = g_new(Errand, n_puts);
    Errands errands = {.n_left = n_puts};

    if (n_puts == 1) {
        put_one(self, puts);
        return;
    }
    g_mutex_init(&errands.lock);
    g_cond_init(&errands.changed);
    for (size_t i = 0; i < n_puts; i++) {
        errand[i] = (Errand){&puts[i], &errands};
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

static bool
s3_store_replace(ObjectStore *base, const char *key, GBytes *body, GError **error)
{
    return s3_objects_replace(((S3Store *) base)->objects, key, body, error);
}

static GBytes *
s3_store_get(ObjectStore *base, const char *key, GError **error)
{
    return s3_objects_get(((S3Store *) base)->objects, key, error);
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

static bool
fail(GError **error, const char *sentence)
{
    g_set_error(error, STORAGE_ERROR, STORAGE_ERROR_DENIED, "S3 store: %s", sentence);
    return false;
}

static bool
is_printable(const char *text)
{
    for (; text != NULL && *text != '\0'; text++) {
        if (!g_ascii_isgraph(*text))
            return false;
    }
    return true;
}

/* What is put beside each object. */
static bool
check_wishes(const S3StoreOptions *options, GError **error)
{
    if (options->encryption != NULL && strcmp(options->encryption, "AES256") != 0 &&
        strcmp(options->encryption, "aws:kms") != 0)
        return fail(error, "encryption is AES256 or aws:kms");
    if (options->kms_key_id != NULL && g_strcmp0(options->encryption, "aws:kms") != 0)
        return fail(error, "a KMS key needs encryption aws:kms");
    if ((options->lock == S3_LOCK_NONE) != (options->lock_days == 0))
        return fail(error, "an object lock needs a mode and a number of days");
    if (!is_printable(options->kms_key_id) || !is_printable(options->storage_class) ||
        !is_printable(options->tags))
        return fail(error, "key id, storage class and tags hold no spaces or control characters");
    return true;
}

static bool
check_connection(const S3StoreOptions *options, GError **error)
{
    static const char region_letters[] = "abcdefghijklmnopqrstuvwxyz0123456789-";
    const char *region = options->region == NULL ? "" : options->region;

    if (options->endpoint == NULL || options->bucket == NULL || options->credentials == NULL)
        return fail(error, "needs an endpoint, a bucket and credentials");
    if (strspn(region, region_letters) != strlen(region))
        return fail(error, "a region is of a-z, 0-9 and `-`");
    for (size_t i = 0; options->pins != NULL && options->pins[i] != NULL; i++) {
        const char *pin = options->pins[i];

        if (!g_str_has_prefix(pin, "sha256//") || strchr(pin, ';') != NULL)
            return fail(error, "a pin is sha256//<base64 of the public key's SHA-256>");
    }
    if (options->ca_file != NULL && !g_file_test(options->ca_file, G_FILE_TEST_IS_REGULAR))
        return fail(error, "the file of certificate authorities is not there");
    return true;
}

static S3Client *
new_client(const S3StoreOptions *options, GError **error)
{
    g_autoptr(S3Endpoint) endpoint = NULL;
    g_autoptr(AwsCredentialsSource) source = NULL;
    g_autoptr(AwsCredentials) first = NULL;
    g_autofree char *pins = options->pins == NULL ? NULL : g_strjoinv(";", (char **) options->pins);
    S3ClientOptions made = {
        .region = options->region == NULL ? "us-east-1" : options->region,
        .http = {.ca_file = options->ca_file,
                 .pins = pins == NULL || pins[0] == '\0' ? NULL : pins,
                 .proxy = options->proxy},
        .max_concurrent =
            options->max_concurrent == 0 ? DEFAULT_CONCURRENT : options->max_concurrent,
        .attempt_ms = options->attempt_ms == 0 ? DEFAULT_ATTEMPT_MS : options->attempt_ms,
        .retry_ms = options->retry_ms == 0 ? DEFAULT_RETRY_MS : options->retry_ms,
    };

    made.http.max_connections = made.max_concurrent;
    endpoint = s3_endpoint_new(options->endpoint, options->bucket, options->style,
                               options->prefix == NULL ? "" : options->prefix, error);
    if (endpoint == NULL)
        return NULL;
    source = aws_credentials_source_new(options->credentials, error);
    if (source == NULL)
        return NULL;
    first = aws_credentials_source_get(source, g_get_real_time() / G_USEC_PER_SEC, error);
    if (first == NULL)
        return NULL;
    made.endpoint = g_steal_pointer(&endpoint);
    made.credentials = g_steal_pointer(&source);
    return s3_client_new(&made);
}

ObjectStore *
s3_store_open(const S3StoreOptions *options, GError **error)
{
    static const ObjectStoreOps ops = {
        .put_all = s3_store_put_all,
        .replace = s3_store_replace,
        .get = s3_store_get,
        .list = s3_store_list,
        .list_folders = s3_store_list_folders,
        .free = s3_store_free,
    };
    g_autoptr(S3Client) client = NULL;
    S3Store *self = NULL;
    const unsigned n_threads =
        options->max_concurrent == 0 ? DEFAULT_CONCURRENT : options->max_concurrent;

    if (!check_connection(options, error) || !check_wishes(options, error))
        return NULL;
    client = new_client(options, error);
    if (client == NULL)
        return NULL;
    self = g_new0(S3Store, 1);
    self->base.ops = &ops;
    self->client = g_steal_pointer(&client);
    self->objects = s3_objects_new(self->client, options);
    self->putters = g_thread_pool_new(on_errand, self, (int) n_threads, TRUE, error);
    if (self->putters == NULL) {
        s3_store_free(&self->base);
        return NULL;
    }
    return &self->base;
}
