#pragma once

#include "storage/object_store.h"
#include "storage/s3_client.h"

#include <glib.h>

/* All that a bucket keeps under a prefix, what a plain list does not show included. For s3_store.c
 * alone. Thread: any. */

/* Returns: GPtrArray of ObjectVersion (owned): versions, delete markers, unfinished uploads.
 * Errors: those of s3_client_send(); CORRUPT. */
GPtrArray *s3_versions_list(S3Client *client, const char *prefix,
                            GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Removes one, by its version; what is gone already is a success. `removal`: its `error`, and where
 * the store keeps it under lock, until when. */
void s3_versions_remove(S3Client *client, ObjectRemoval *removal);
