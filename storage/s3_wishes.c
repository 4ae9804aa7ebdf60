#include "storage/s3_wishes.h"

#define SECONDS_A_DAY 86400

struct S3Wishes {
    char *encryption;
    char *kms_key_id;
    char *storage_class;
    char *tags;
    S3Lock lock;
    unsigned lock_days;
    bool legal_hold;
};

S3Wishes *
s3_wishes_new(const S3StoreOptions *options)
{
    S3Wishes *self = g_new0(S3Wishes, 1);

    self->encryption = g_strdup(options->encryption);
    self->kms_key_id = g_strdup(options->kms_key_id);
    self->storage_class = g_strdup(options->storage_class);
    self->tags = g_strdup(options->tags);
    self->lock = options->lock;
    self->lock_days = options->lock_days;
    self->legal_hold = options->legal_hold;
    return self;
}

static void
add_if_set(AwsRequest *request, const char *name, const char *value)
{
    if (value != NULL)
        aws_request_add_header(request, name, value);
}

/* Media, manifests and audit checkpoints never change; envelopes and metadata must stay erasable.
 */
static bool
is_lockable(const char *key)
{
    return g_str_has_suffix(key, ".tape") || g_str_has_suffix(key, ".note");
}

static void
add_lock(const S3Wishes *self, AwsRequest *request)
{
    if (self->legal_hold)
        aws_request_add_header(request, "x-amz-object-lock-legal-hold", "ON");
    if (self->lock != S3_LOCK_NONE) {
        const int64_t until_unix =
            g_get_real_time() / G_USEC_PER_SEC + (int64_t) self->lock_days * SECONDS_A_DAY;
        g_autoptr(GDateTime) until = g_date_time_new_from_unix_utc(until_unix);
        g_autofree char *text = g_date_time_format(until, "%Y-%m-%dT%H:%M:%SZ");

        aws_request_add_header(request, "x-amz-object-lock-mode",
                               self->lock == S3_LOCK_COMPLIANCE ? "COMPLIANCE" : "GOVERNANCE");
        aws_request_add_header(request, "x-amz-object-lock-retain-until-date", text);
    }
}

void
s3_wishes_add(const S3Wishes *self, AwsRequest *request, const char *key)
{
    aws_request_add_header(request, "content-type", "application/octet-stream");
    add_if_set(request, "x-amz-server-side-encryption", self->encryption);
    add_if_set(request, "x-amz-server-side-encryption-aws-kms-key-id", self->kms_key_id);
    add_if_set(request, "x-amz-storage-class", self->storage_class);
    add_if_set(request, "x-amz-tagging", self->tags);
    if (is_lockable(key))
        add_lock(self, request);
}

void
s3_wishes_free(S3Wishes *self)
{
    if (self == NULL)
        return;
    g_free(self->encryption);
    g_free(self->kms_key_id);
    g_free(self->storage_class);
    g_free(self->tags);
    g_free(self);
}
