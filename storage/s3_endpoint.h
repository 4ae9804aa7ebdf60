#pragma once

#include "storage/aws_request.h"

#include <glib.h>
#include <stdbool.h>

/* Where a bucket is, checked once. */
typedef enum {
    S3_STYLE_PATH, /* https://host/bucket/key */
    S3_STYLE_HOST, /* https://bucket.host/key */
} S3Style;

typedef struct {
    char *base;        /* scheme and host, without a slash at the end */
    char *host;        /* as in the Host header */
    char *folder;      /* what each key follows: `/` or `/bucket/`, and the prefix */
    char *bucket_path; /* of requests to the bucket itself */
    char *prefix;      /* empty, or ends in `/` */
} S3Endpoint;

/* `url`: `https://host[:port]`; http only on loopback, where no network carries it.
 * `prefix`: empty, or words of [a-z0-9._-] each followed by `/`.
 * Errors: STORAGE_ERROR_DENIED - says which of them is wrong, and what would be right. */
S3Endpoint *s3_endpoint_new(const char *url, const char *bucket, S3Style style, const char *prefix,
                            GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* `key`: NULL for the bucket itself. Returns: owned. */
AwsRequest *s3_endpoint_request(const S3Endpoint *self, const char *method, const char *key);

void s3_endpoint_free(S3Endpoint *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(S3Endpoint, s3_endpoint_free)
