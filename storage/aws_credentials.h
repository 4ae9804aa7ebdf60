#pragma once

#include "crypto/secret.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* One pair of keys for an S3 store, and where it comes from. The secret half is kept in locked
 * memory and is never logged. Immutable and counted, so that a request under way keeps what it
 * signs with while a refresh goes on. */
typedef struct {
    char *access_key_id;
    Secret *secret;       /* `AWS4` and the secret access key: what a signing key is derived from */
    char *session_token;  /* NULL: none */
    int64_t expires_unix; /* 0: never */
} AwsCredentials;

/* Reads lines of `name = value`, as in AWS's own credentials file: aws_access_key_id,
 * aws_secret_access_key, aws_session_token; a `[heading]`, `#` lines and empty lines are skipped.
 * `text` is not kept. `origin`: named in errors. Errors: STORAGE_ERROR_DENIED - one is missing,
 * unknown or malformed. */
AwsCredentials *aws_credentials_parse(const Secret *text, const char *origin,
                                      GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* From parts. `secret_access_key`: borrowed, not wiped here. Errors: no locked memory. */
AwsCredentials *aws_credentials_new(const char *access_key_id, const char *secret_access_key,
                                    const char *session_token,
                                    GError **error) G_GNUC_WARN_UNUSED_RESULT;

AwsCredentials *aws_credentials_ref(AwsCredentials *self);
void aws_credentials_unref(AwsCredentials *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AwsCredentials, aws_credentials_unref)
