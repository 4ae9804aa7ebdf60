#pragma once

#include "storage/s3_client.h"
#include "storage/s3_store.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* Single objects of a bucket: put, proved, fetched. For s3_store.c alone. Thread: any. */
typedef struct S3Objects S3Objects;

/* `client`: borrowed. Of `options`, what is asked for each object is copied. */
S3Objects *s3_objects_new(S3Client *client, const S3StoreOptions *options);

/* Puts if the name is free, and proves what came of it:
 * - the store's answer echoes our checksum: done;
 * - else the object is looked at: length and our digest beside it;
 * - a name that was taken is fetched and compared: our own put with a lost answer is a success.
 * Credentials that may not read can prove nothing more than that the store said yes to a signed
 * digest; then that counts. Errors: CONFLICT, CORRUPT - stored, but other bytes; others as of
 * s3_client_send(). */
bool s3_objects_put(S3Objects *self, const char *key, GBytes *body,
                    GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Puts whether or not the name is taken; proved in the same way. */
bool s3_objects_replace(S3Objects *self, const char *key, GBytes *body,
                        GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Puts only over exactly `expected`, which the server checks (If-Match); proved in the same way. A
 * server that knows no If-Match, or refuses it in a bucket with versions, leaves a moment between
 * look and put. Errors: CONFLICT. */
bool s3_objects_exchange(S3Objects *self, const char *key, GBytes *expected, GBytes *body,
                         GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Errors: CORRUPT - the bytes do not match the digest stored with them. */
GBytes *s3_objects_get(S3Objects *self, const char *key, GError **error) G_GNUC_WARN_UNUSED_RESULT;

void s3_objects_free(S3Objects *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(S3Objects, s3_objects_free)
