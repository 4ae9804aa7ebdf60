#include "storage/s3_range.h"

#include "crypto/digest.h"
#include "storage/storage_error.h"

#include <inttypes.h>
#include <string.h>

enum { MAX_REFUSAL_BYTES = 1 << 20, BEHIND_THE_END = 416 };

/* Returns: whether `answer` is what lies at `range`, and all of it that it says it is. */
static bool
is_asked_for(const HttpResponse *answer, const ObjectRange *range)
{
    const char *text = http_response_header(answer, "content-range");
    const uint64_t n_bytes = g_bytes_get_size(answer->body);
    g_auto(GStrv) ends = NULL;
    guint64 first = 0;
    guint64 last = 0;

    if (text == NULL || !g_str_has_prefix(text, "bytes "))
        return false;
    ends = g_strsplit_set(text + strlen("bytes "), "-/", 3);
    return g_strv_length(ends) == 3 &&
           g_ascii_string_to_unsigned(ends[0], 10, 0, G_MAXINT64, &first, NULL) &&
           g_ascii_string_to_unsigned(ends[1], 10, 0, G_MAXINT64, &last, NULL) &&
           first == range->offset && last >= first && last - first + 1 == n_bytes &&
           n_bytes <= range->n_bytes;
}

static bool
take(const HttpResponse *answer, const char *key, ObjectRange *range, GError **error)
{
    gsize n_bytes = 0;
    const void *bytes = g_bytes_get_data(answer->body, &n_bytes);

    if (answer->status == BEHIND_THE_END)
        return true; /* `n_read` is 0 */
    if (answer->status != 206) {
        g_set_error(error, STORAGE_ERROR, STORAGE_ERROR_IO, "%s: the store gives no ranges", key);
        return false;
    }
    if (!is_asked_for(answer, range)) {
        g_set_error(error, STORAGE_ERROR, STORAGE_ERROR_CORRUPT,
                    "%s: the store gave another stretch than was asked for", key);
        return false;
    }
    memcpy(range->bytes, bytes, n_bytes);
    range->n_read = n_bytes;
    return true;
}

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

    g_free(request->payload_sha256);
    request->payload_sha256 = digest_to_hex(&nothing);
    aws_request_add_header(request, "range", wanted);
    answer = s3_client_send(client, &call, NULL, error);
    return answer != NULL && take(answer, key, range, error);
}
