#pragma once

#include "storage/object_store.h"
#include "storage/s3_endpoint.h"

#include <stdbool.h>

/* Objects that outlast everyone's rights to delete them. */
typedef enum {
    S3_LOCK_NONE,
    S3_LOCK_GOVERNANCE, /* who has s3:BypassGovernanceRetention may still */
    S3_LOCK_COMPLIANCE, /* nobody may, the root account included */
} S3Lock;

/* What is NULL or 0 takes what stands behind it. */
typedef struct {
    const char *endpoint; /* https://host[:port]; http on loopback only */
    const char *bucket;
    const char *region;      /* us-east-1 */
    const int *keeps_region; /* of g_atomic_rc_box, atomic, shared from here on: while it is not 0 a
                                bucket that says it is in another region is refused, not followed;
                                NULL: never */
    S3Style style;
    const char *prefix;         /* none; else ends in `/` */
    const char *credentials;    /* as in aws_credentials_source_new() */
    const char *ca_file;        /* the system's authorities */
    const char *const *pins;    /* none; `sha256//<base64>`, NULL at the end */
    const char *proxy;          /* none */
    unsigned max_concurrent;    /* 4 */
    unsigned max_upload_kbit_s; /* no limit */
    unsigned attempt_ms;        /* 60000: of one try */
    unsigned retry_ms;          /* 10000: then the caller hears of it */
    const char *encryption;     /* none; AES256 or aws:kms */
    const char *kms_key_id;     /* the bucket's own */
    const char *storage_class;  /* the bucket's own */
    const char *tags;           /* none; `name=value&name=value`, encoded */
    S3Lock lock; /* for media, manifests and audit; never for what must be erasable */
    unsigned lock_days;
    bool legal_hold; /* as `lock` */
} S3StoreOptions;

/* An object store in a bucket of S3 or of a server that speaks it. Opening checks the options and
 * reads the credentials; it asks the network nothing, so that recording starts whether or not the
 * store can be reached. Errors: DENIED - an option or the credentials, in one sentence. */
ObjectStore *s3_store_open(const S3StoreOptions *options, GError **error) G_GNUC_WARN_UNUSED_RESULT;
