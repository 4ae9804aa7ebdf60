#pragma once

#include "storage/aws_request.h"
#include "storage/s3_store.h"

/* What the settings ask of each object that is put: encryption, storage class, tags, object lock.
 * Constant: any thread. */
typedef struct S3Wishes S3Wishes;

/* `options`: copied. */
S3Wishes *s3_wishes_new(const S3StoreOptions *options);

/* Adds the headers for `key`: to the one request, or to that which begins a put in parts. */
void s3_wishes_add(const S3Wishes *self, AwsRequest *request, const char *key);

/* NULL is allowed. */
void s3_wishes_free(S3Wishes *self);
