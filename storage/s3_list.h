#pragma once

#include "storage/s3_client.h"

#include <glib.h>
#include <stdbool.h>

/* Lists the bucket below the endpoint's prefix, page by page to the end. `folders`: not the
 * objects, but what stands between `prefix` and the next `/`. Returns: GPtrArray of char * (owned),
 * without the endpoint's prefix, in byte order, none twice. Errors: CORRUPT - the pages do not end,
 * or hold what was not asked for; others as of s3_client_send(). */
GPtrArray *s3_list(S3Client *client, const char *prefix, bool folders,
                   GError **error) G_GNUC_WARN_UNUSED_RESULT;
