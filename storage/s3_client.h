#pragma once

#include "storage/aws_credentials_source.h"
#include "storage/aws_request.h"
#include "storage/http_client.h"
#include "storage/s3_endpoint.h"
#include "storage/s3_fault.h"

#include <glib.h>

/* Carries requests to one bucket: signs every try anew, judges the answers, tries again what may
 * pass. It follows the server's clock for signing (and nothing else), fetches credentials anew when
 * they have ended, and learns the bucket's region unless it is kept. Thread: any, many at once. */
typedef struct S3Client S3Client;

typedef struct {
    S3Endpoint *endpoint; /* taken, like the next */
    AwsCredentialsSource *credentials;
    const char *region;
    const int *keeps_region; /* not 0: it is never another; as in S3StoreOptions */
    HttpClientOptions http;
    unsigned max_concurrent; /* > 0 */
    unsigned attempt_ms;     /* of one try */
    unsigned retry_ms;       /* no new try begins later than this after the first */
} S3ClientOptions;

/* What a success must look like; anything else with a 2xx is a failure that may pass. */
typedef enum {
    S3_EXPECT_NOTHING, /* an empty body */
    S3_EXPECT_BYTES,   /* an object */
    S3_EXPECT_RANGE,   /* a stretch of one; with status 200, all of it; 416: it ends sooner */
    S3_EXPECT_XML,     /* a document with root `root` */
} S3Expect;

typedef struct {
    AwsRequest *request; /* borrowed; gets the signature's headers */
    GBytes *body;        /* NULL: none */
    S3Expect expect;
    const char *root;
    size_t max_response_bytes;
} S3Call;

S3Client *s3_client_new(const S3ClientOptions *options);

/* Returns: the answer, 2xx and as expected; owned. `kind`: out, may be NULL, why not: EXISTS is
 * told apart from other conflicts. Blocks. Errors: TRANSIENT - tried until `retry_ms`; others as
 * s3_fault says. */
HttpResponse *s3_client_send(S3Client *self, const S3Call *call, S3FaultKind *kind,
                             GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Returns: borrowed. */
const S3Endpoint *s3_client_endpoint(const S3Client *self);

/* By how much the server's clock is ahead, in seconds. */
int64_t s3_client_clock_offset(S3Client *self);

void s3_client_free(S3Client *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(S3Client, s3_client_free)
