#pragma once

#include "storage/object_store.h"
#include "storage/s3_client.h"

#include <stdbool.h>

/* As object_store_get_range(), for s3_store.c alone. Errors: as of s3_client_send(). */
bool s3_range_get(S3Client *client, const char *key, ObjectRange *range,
                  GError **error) G_GNUC_WARN_UNUSED_RESULT;
