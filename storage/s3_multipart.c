#include "storage/s3_multipart.h"

#include "crypto/digest.h"
#include "storage/s3_xml.h"
#include "storage/storage_error.h"

#include <string.h>

enum { PART_BYTES = 16 << 20, MAX_ANSWER_BYTES = 1 << 20 };

static void
set_body(AwsRequest *request, GBytes *body)
{
    const Digest digest = digest_of_bytes(body);
    g_autofree char *md5_hex = g_compute_checksum_for_bytes(G_CHECKSUM_MD5, body);
    guint8 md5[16];
    g_autofree char *base64 = NULL;

    for (size_t i = 0; i < sizeof(md5); i++) {
        md5[i] = (guint8) (g_ascii_xdigit_value(md5_hex[2 * i]) * 16 +
                           g_ascii_xdigit_value(md5_hex[2 * i + 1]));
    }
    base64 = g_base64_encode(md5, sizeof(md5));
    aws_request_add_header(request, "content-md5", base64);
    g_free(request->payload_sha256);
    request->payload_sha256 = digest_to_hex(&digest);
}

static AwsRequest *
new_request(const S3Multipart *self, const char *method, const char *upload)
{
    AwsRequest *request = s3_endpoint_request(s3_client_endpoint(self->client), method, self->key);

    aws_request_add_query(request, "uploadId", upload);
    return request;
}

static bool
on_begun(const char *path, const char *text, void *user_data)
{
    char **upload = user_data;

    if (strcmp(path, "UploadId") == 0 && *upload == NULL)
        *upload = g_strdup(text);
    return true;
}

/* Returns: the upload's id, owned. */
static char *
begin(const S3Multipart *self, S3FaultKind *kind, GError **error)
{
    static const char *const root = "InitiateMultipartUploadResult";
    g_autoptr(GBytes) nothing = g_bytes_new_static("", 0);
    const Digest digest = digest_of_bytes(nothing);
    const S3Call call = {self->begin, nothing, S3_EXPECT_XML, root, MAX_ANSWER_BYTES};
    g_autoptr(HttpResponse) answer = NULL;
    g_autofree char *upload = NULL;

    aws_request_add_query(self->begin, "uploads", "");
    g_free(self->begin->payload_sha256);
    self->begin->payload_sha256 = digest_to_hex(&digest);
    answer = s3_client_send(self->client, &call, kind, error);
    if (answer == NULL || !s3_xml_read(answer->body, root, on_begun, &upload, error))
        return NULL;
    if (upload == NULL || upload[0] == '\0') {
        g_set_error(error, STORAGE_ERROR, STORAGE_ERROR_TRANSIENT,
                    "%s: the store began an upload without a name", self->key);
        return NULL;
    }
    return g_steal_pointer(&upload);
}

/* Returns: the part's mark, owned, as the completion has to name it. */
static char *
put_part(const S3Multipart *self, const char *upload, unsigned number, S3FaultKind *kind,
         GError **error)
{
    const size_t offset = (size_t) (number - 1) * PART_BYTES;
    const size_t n_left = g_bytes_get_size(self->body) - offset;
    g_autoptr(GBytes) part = g_bytes_new_from_bytes(self->body, offset, MIN(n_left, PART_BYTES));
    g_autoptr(AwsRequest) request = new_request(self, "PUT", upload);
    const S3Call call = {request, part, S3_EXPECT_NOTHING, NULL, MAX_ANSWER_BYTES};
    g_autoptr(HttpResponse) answer = NULL;
    g_autofree char *text = g_strdup_printf("%u", number);
    const char *mark = NULL;

    aws_request_add_query(request, "partNumber", text);
    set_body(request, part);
    answer = s3_client_send(self->client, &call, kind, error);
    if (answer == NULL)
        return NULL;
    mark = http_response_header(answer, "etag");
    if (mark == NULL) {
        g_set_error(error, STORAGE_ERROR, STORAGE_ERROR_TRANSIENT,
                    "%s: the store took a part and gave it no ETag", self->key);
    }
    return g_strdup(mark);
}

static bool
complete(const S3Multipart *self, const char *upload, const char *parts, S3FaultKind *kind,
         GError **error)
{
    g_autofree char *text =
        g_strconcat("<CompleteMultipartUpload>", parts, "</CompleteMultipartUpload>", NULL);
    g_autoptr(GBytes) body = g_bytes_new(text, strlen(text));
    g_autoptr(AwsRequest) request = new_request(self, "POST", upload);
    const S3Call call = {request, body, S3_EXPECT_XML, "CompleteMultipartUploadResult",
                         MAX_ANSWER_BYTES};
    g_autoptr(HttpResponse) answer = NULL;

    set_body(request, body);
    aws_request_add_header(request, "content-type", "application/xml");
    if (self->if_absent)
        aws_request_add_header(request, "if-none-match", "*");
    answer = s3_client_send(self->client, &call, kind, error);
    return answer != NULL;
}

static void
give_up(const S3Multipart *self, const char *upload)
{
    g_autoptr(AwsRequest) request = new_request(self, "DELETE", upload);
    const Digest nothing = digest_of("", 0);
    const S3Call call = {request, NULL, S3_EXPECT_NOTHING, NULL, MAX_ANSWER_BYTES};
    g_autoptr(HttpResponse) answer = NULL;
    g_autoptr(GError) error = NULL;

    request->payload_sha256 = digest_to_hex(&nothing);
    answer = s3_client_send(self->client, &call, NULL, &error);
    if (answer == NULL)
        g_message("parts of %s stay in the store: %s", self->key, error->message);
}

static bool
put_parts(const S3Multipart *self, const char *upload, S3FaultKind *kind, GError **error)
{
    const size_t n_bytes = g_bytes_get_size(self->body);
    g_autoptr(GString) parts = g_string_new(NULL);

    for (unsigned number = 1; (size_t) (number - 1) * PART_BYTES < n_bytes; number++) {
        g_autofree char *mark = put_part(self, upload, number, kind, error);
        g_autofree char *escaped = mark == NULL ? NULL : g_markup_escape_text(mark, -1);

        if (mark == NULL)
            return false;
        g_string_append_printf(parts, "<Part><PartNumber>%u</PartNumber><ETag>%s</ETag></Part>",
                               number, escaped);
    }
    return complete(self, upload, parts->str, kind, error);
}

bool
s3_multipart_put(const S3Multipart *self, S3FaultKind *kind, GError **error)
{
    g_autofree char *upload = begin(self, kind, error);

    if (upload == NULL)
        return false;
    if (put_parts(self, upload, kind, error))
        return true;
    give_up(self, upload);
    return false;
}

static const char *
wish(const S3Multipart *self, const char *name)
{
    for (guint i = 0; i < self->begin->headers->len; i++) {
        const AwsField *field = self->begin->headers->pdata[i];

        if (strcmp(field->name, name) == 0)
            return field->value;
    }
    return NULL;
}

/* `what`: the name of the subresource, which is put anew. */
static bool
put_lock(const S3Multipart *self, const char *what, const char *text, GError **error)
{
    g_autoptr(AwsRequest) request =
        s3_endpoint_request(s3_client_endpoint(self->client), "PUT", self->key);
    g_autoptr(GBytes) body = g_bytes_new(text, strlen(text));
    const S3Call call = {request, body, S3_EXPECT_NOTHING, NULL, MAX_ANSWER_BYTES};
    g_autoptr(HttpResponse) answer = NULL;

    aws_request_add_query(request, what, "");
    set_body(request, body);
    aws_request_add_header(request, "content-type", "application/xml");
    answer = s3_client_send(self->client, &call, NULL, error);
    return answer != NULL;
}

bool
s3_multipart_lock(const S3Multipart *self, GError **error)
{
    const char *mode = wish(self, "x-amz-object-lock-mode");
    const char *until = wish(self, "x-amz-object-lock-retain-until-date");
    const char *hold = wish(self, "x-amz-object-lock-legal-hold");
    g_autofree char *text = NULL;

    if (mode != NULL) {
        text = g_strdup_printf("<Retention><Mode>%s</Mode><RetainUntilDate>%s</RetainUntilDate>"
                               "</Retention>",
                               mode, until);
        if (!put_lock(self, "retention", text, error))
            return false;
    }
    return hold == NULL ||
           put_lock(self, "legal-hold", "<LegalHold><Status>ON</Status></LegalHold>", error);
}
