#pragma once

#include "storage/s3_client.h"
#include "storage/s3_store.h"

#include <glib.h>

/* From checked options to a client, for the store and for the probe. Errors: DENIED - an option or
 * the credentials, in one sentence. */
S3Client *s3_setup_client(const S3StoreOptions *options, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Returns: how many requests at once. */
unsigned s3_setup_concurrent(const S3StoreOptions *options);
