#pragma once

#include "storage/s3_store.h"

#include <glib.h>

/* What a bucket and its server really do, found out by doing it: what a manual says is not what
 * every server of that kind does. */
typedef enum {
    S3_PROBE_GOOD,
    S3_PROBE_WARNING, /* works, with less protection than there could be */
    S3_PROBE_BAD,     /* do not record there */
} S3ProbeVerdict;

typedef struct {
    const char *name; /* put, put-if-absent, payload-hash, content-md5, checksum, clock, read, list,
                         delete, object-lock */
    S3ProbeVerdict verdict;
    char *finding; /* one sentence */
} S3ProbeRow;

/* Tries the recorder's credentials on objects named `sealtape-probe*` of their own; at most two of
 * them stay. Returns: GPtrArray of S3ProbeRow (owned), in the order above; only `put` if not even
 * that works. Blocks. Errors: DENIED - the options. */
GPtrArray *s3_probe(const S3StoreOptions *options, GError **error) G_GNUC_WARN_UNUSED_RESULT;
