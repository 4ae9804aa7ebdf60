#pragma once

#include "storage/s3_client.h"

#include <stdbool.h>

/* An object too large for one request: begun, its parts put one after the other, completed. For
 * s3_objects.c alone. What it costs: no put-if-absent before the completion, and on servers that
 * ignore `If-None-Match` there (Ceph 16) none at all, so the caller looks first. */
typedef struct {
    S3Client *client; /* borrowed, like all here */
    const char *key;
    GBytes *body;
    AwsRequest *begin; /* `POST` to the key, with what is wished for the object */
    bool if_absent;
} S3Multipart;

/* From this size on; S3 takes 5 GiB in one request, but a try that fails near its end is dear. */
enum { S3_MULTIPART_BYTES = 64 << 20 };

/* Returns: true once the store calls it complete, which proves no more than that. What had been put
 * of one that failed is given up; where credentials may not (s3:AbortMultipartUpload), a rule of
 * the bucket has to clear it. `kind`, Errors: as s3_client_send(). Blocks. */
bool s3_multipart_put(const S3Multipart *self, S3FaultKind *kind,
                      GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Puts the locks that `begin` wishes for on what is stored: Ceph 16 forgets them when an upload is
 * begun. Where they stand already, nothing changes. Errors: as s3_client_send(). Blocks. */
bool s3_multipart_lock(const S3Multipart *self, GError **error) G_GNUC_WARN_UNUSED_RESULT;
