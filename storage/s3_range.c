#include "storage/s3_range.h"

#include "crypto/digest.h"
#include "storage/storage_error.h"

#include <inttypes.h>
#include <string.h>

enum { MAX_REFUSAL_BYTES = 1 << 20 };

bool
s3_range_get(S3Client *client, const char *key, ObjectRange *range, GError **error)
{
    g_autoptr(AwsRequest) request = s3_endpoint_request(s3_client_endpoint(client), "GET", key);
    const Digest nothing = digest_of("", 0);
    g_autofree char *wanted = g_strdup_printf("bytes=%" PRIu64 "-%" PRIu64, range->offset,
                                              range->offset + range->n_bytes - 1);
    const S3Call call = {.request = request,
                         .expect = S3_EXPECT_RANGE,
                         .max_response_bytes = MAX(range->n_bytes, MAX_REFUSAL_BYTES)};
    g_autoptr(HttpResponse) answer = NULL;
    gsize n_bytes = 0;
    const void *bytes = NULL;

    g_free(request->payload_sha256);
    request->payload_sha256 = digest_to_hex(&nothing);
    aws_request_add_header(request, "range", wanted);
    answer = s3_client_send(client, &call, NULL, error);
    if (answer == NULL)
        return false;
    if (answer->status != 206) {
        g_set_error(error, STORAGE_ERROR, STORAGE_ERROR_IO, "%s: the store gives no ranges", key);
        return false;
    }
    bytes = g_bytes_get_data(answer->body, &n_bytes);
    range->n_read = MIN(n_bytes, range->n_bytes);
    if (range->n_read > 0)
        memcpy(range->bytes, bytes, range->n_read);
    return true;
}
