#pragma once

#include "storage/aws_credentials.h"

#include <glib.h>
#include <stdint.h>

/* Where they come from, asked again whenever they have expired or the store says so.
 * Thread: any; it has its own lock. */
typedef struct AwsCredentialsSource AwsCredentialsSource;

/* `text`: where from. Nothing is read yet.
 *   an absolute path   a file that nobody else may read
 *   systemd:<name>     a credential of the unit
 *   environment        AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN
 *   instance           the role of this EC2 instance
 *   container          AWS_CONTAINER_CREDENTIALS_FULL_URI or _RELATIVE_URI
 *   web-identity       AWS_ROLE_ARN and AWS_WEB_IDENTITY_TOKEN_FILE, by STS
 * Errors: DENIED - none of these. */
AwsCredentialsSource *aws_credentials_source_new(const char *text,
                                                 GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Returns: current credentials, counted for the caller. What ends is fetched anew five minutes
 * before, and used to its end where that fails. Blocks. Errors: DENIED - unreadable, readable by
 * others, malformed: says which. */
AwsCredentials *aws_credentials_source_get(AwsCredentialsSource *self, int64_t now_unix,
                                           GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The store refused `used`: the next get reads again, unless that has happened since. */
void aws_credentials_source_expire(AwsCredentialsSource *self, const AwsCredentials *used);

void aws_credentials_source_free(AwsCredentialsSource *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AwsCredentialsSource, aws_credentials_source_free)
