#pragma once

#include "storage/aws_credentials.h"
#include "storage/aws_request.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* AWS Signature Version 4 in an Authorization header. libcurl 7.88 has a signer of its own that is
 * wrong for many requests. The signing key of a day is derived once and kept in locked memory.
 * Thread: any; it has its own lock. */
typedef struct AwsSigner AwsSigner;

/* `service`: s3, sts. */
AwsSigner *aws_signer_new(const char *service);

/* With whose keys, for where and when. */
typedef struct {
    AwsCredentials *credentials;
    const char *region;
    int64_t now_unix; /* as the store's clock has it */
} AwsSigning;

/* Adds x-amz-date, x-amz-content-sha256, x-amz-security-token and authorization to `request`,
 * in place of what an earlier try left there. `request->payload_sha256` must be set.
 * Errors: CRYPTO_ERROR_NO_LOCKED_MEMORY. */
bool aws_signer_sign(AwsSigner *self, AwsRequest *request, const AwsSigning *signing,
                     GError **error) G_GNUC_WARN_UNUSED_RESULT;

void aws_signer_free(AwsSigner *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AwsSigner, aws_signer_free)
