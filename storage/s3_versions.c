#include "storage/s3_versions.h"

#include "crypto/digest.h"
#include "storage/s3_xml.h"
#include "storage/storage_error.h"

#include <string.h>

/* A plain DELETE in a bucket that keeps versions removes nothing: it adds a delete marker. So each
 * version, each marker and each unfinished upload is listed and named. */

#define VERSIONS "ListVersionsResult"
#define UPLOADS  "ListMultipartUploadsResult"

enum { MAX_PAGE_BYTES = 16 << 20, MAX_ANSWER_BYTES = 1 << 20 };

typedef struct {
    const char *root;
    const char *prefix; /* whole, the endpoint's included */
    size_t n_skip;      /* of it, what callers do not see */
    GPtrArray *found;   /* ObjectVersion; the last may lack its version yet */
    bool is_truncated;
    char *key_marker, *other_marker; /* where the next page begins */
} Page;

static bool
begin_version(Page *self, const char *key, ObjectVersionKind kind)
{
    ObjectVersion *version = NULL;

    if (!g_str_has_prefix(key, self->prefix))
        return false;
    version = g_new0(ObjectVersion, 1);
    version->kind = kind;
    version->key = g_strdup(key + self->n_skip);
    g_ptr_array_add(self->found, version);
    return true;
}

/* `Key` comes first in each of them; an answer in another order is refused rather than guessed. */
static bool
name_version(Page *self, const char *id)
{
    ObjectVersion *last = self->found->len > 0 ? self->found->pdata[self->found->len - 1] : NULL;

    if (last == NULL || last->version != NULL || id[0] == '\0')
        return false;
    last->version = g_strdup(id);
    return true;
}

static bool
size_version(Page *self, const char *text)
{
    ObjectVersion *last = self->found->len > 0 ? self->found->pdata[self->found->len - 1] : NULL;

    return last != NULL &&
           g_ascii_string_to_unsigned(text, 10, 0, G_MAXINT64, &last->n_bytes, NULL);
}

static bool
rank_version(Page *self, const char *text)
{
    ObjectVersion *last = self->found->len > 0 ? self->found->pdata[self->found->len - 1] : NULL;

    if (last == NULL)
        return false;
    last->is_latest = strcmp(text, "true") == 0;
    return true;
}

static bool
set_marker(char **marker, const char *text)
{
    g_free(*marker);
    *marker = g_strdup(text);
    return true;
}

static bool
on_leaf(const char *path, const char *text, void *user_data)
{
    Page *self = user_data;

    if (strcmp(path, "Version/Key") == 0)
        return begin_version(self, text, OBJECT_VERSION_BYTES);
    if (strcmp(path, "DeleteMarker/Key") == 0)
        return begin_version(self, text, OBJECT_VERSION_MARKER);
    if (strcmp(path, "Upload/Key") == 0)
        return begin_version(self, text, OBJECT_VERSION_UPLOAD);
    if (strcmp(path, "Version/VersionId") == 0 || strcmp(path, "DeleteMarker/VersionId") == 0 ||
        strcmp(path, "Upload/UploadId") == 0)
        return name_version(self, text);
    if (strcmp(path, "Version/Size") == 0)
        return size_version(self, text);
    if (strcmp(path, "Version/IsLatest") == 0)
        return rank_version(self, text);
    if (strcmp(path, "NextKeyMarker") == 0)
        return set_marker(&self->key_marker, text);
    if (strcmp(path, "NextVersionIdMarker") == 0 || strcmp(path, "NextUploadIdMarker") == 0)
        return set_marker(&self->other_marker, text);
    if (strcmp(path, "IsTruncated") == 0)
        self->is_truncated = strcmp(text, "true") == 0;
    return true;
}

static void
set_no_payload(AwsRequest *request)
{
    const Digest nothing = digest_of("", 0);

    g_free(request->payload_sha256);
    request->payload_sha256 = digest_to_hex(&nothing);
}

static HttpResponse *
fetch_page(S3Client *client, const Page *page, const char *key_marker, const char *other_marker,
           GError **error)
{
    g_autoptr(AwsRequest) request = s3_endpoint_request(s3_client_endpoint(client), "GET", NULL);
    const bool is_versions = strcmp(page->root, VERSIONS) == 0;
    const S3Call call = {.request = request,
                         .expect = S3_EXPECT_XML,
                         .root = page->root,
                         .max_response_bytes = MAX_PAGE_BYTES};

    set_no_payload(request);
    aws_request_add_query(request, is_versions ? "versions" : "uploads", "");
    aws_request_add_query(request, "prefix", page->prefix);
    if (key_marker != NULL)
        aws_request_add_query(request, "key-marker", key_marker);
    if (other_marker != NULL && other_marker[0] != '\0') {
        aws_request_add_query(request, is_versions ? "version-id-marker" : "upload-id-marker",
                              other_marker);
    }
    return s3_client_send(client, &call, NULL, error);
}

static bool
fail(GError **error, const char *prefix, const char *sentence)
{
    g_set_error(error, STORAGE_ERROR, STORAGE_ERROR_CORRUPT, "versions of '%s': %s", prefix,
                sentence);
    return false;
}

static bool
has_all_versions(const Page *page, guint first, GError **error)
{
    for (guint i = first; i < page->found->len; i++) {
        const ObjectVersion *version = page->found->pdata[i];

        if (version->version == NULL)
            return fail(error, page->prefix, "the store names an object without its version");
    }
    return true;
}

/* Returns: false at the end and on failure. */
static bool
read_page(S3Client *client, Page *page, GError **error)
{
    g_autofree char *key_marker = g_steal_pointer(&page->key_marker);
    g_autofree char *other_marker = g_steal_pointer(&page->other_marker);
    g_autoptr(HttpResponse) response = fetch_page(client, page, key_marker, other_marker, error);
    const guint first = page->found->len;

    page->is_truncated = false;
    if (response == NULL || !s3_xml_read(response->body, page->root, on_leaf, page, error) ||
        !has_all_versions(page, first, error) || !page->is_truncated)
        return false;
    if (page->key_marker == NULL || page->key_marker[0] == '\0')
        return fail(error, page->prefix, "cut, and the store does not say where it goes on");
    if (g_strcmp0(key_marker, page->key_marker) == 0 &&
        g_strcmp0(other_marker, page->other_marker) == 0)
        return fail(error, page->prefix, "the store gives the same page again and again");
    return true;
}

static bool
read_pages(S3Client *client, const char *root, const char *prefix, GPtrArray *found, GError **error)
{
    g_autoptr(GError) reason = NULL;
    Page page = {.root = root,
                 .prefix = prefix,
                 .n_skip = strlen(s3_client_endpoint(client)->prefix),
                 .found = found};

    while (read_page(client, &page, &reason))
        continue;
    g_free(page.key_marker);
    g_free(page.other_marker);
    if (reason == NULL)
        return true;
    g_propagate_error(error, g_steal_pointer(&reason));
    return false;
}

GPtrArray *
s3_versions_list(S3Client *client, const char *prefix, GError **error)
{
    g_autofree char *whole = g_strconcat(s3_client_endpoint(client)->prefix, prefix, NULL);
    g_autoptr(GPtrArray) found =
        g_ptr_array_new_with_free_func((GDestroyNotify) object_version_free);

    if (!read_pages(client, VERSIONS, whole, found, error) ||
        !read_pages(client, UPLOADS, whole, found, error))
        return NULL;
    return g_steal_pointer(&found);
}

static int64_t
read_lock_date(const char *text)
{
    g_autoptr(GDateTime) until = text != NULL ? g_date_time_new_from_iso8601(text, NULL) : NULL;

    return until != NULL ? g_date_time_to_unix(until) : 0;
}

/* The store refused: is it a lock, or are these credentials not allowed to? */
static void
look_for_lock(S3Client *client, ObjectRemoval *removal)
{
    g_autoptr(AwsRequest) request =
        s3_endpoint_request(s3_client_endpoint(client), "HEAD", removal->what->key);
    const S3Call call = {
        .request = request, .expect = S3_EXPECT_BYTES, .max_response_bytes = MAX_ANSWER_BYTES};
    g_autoptr(HttpResponse) head = NULL;

    set_no_payload(request);
    aws_request_add_query(request, "versionId", removal->what->version);
    head = s3_client_send(client, &call, NULL, NULL);
    if (head == NULL)
        return;
    removal->locked_until_s =
        read_lock_date(http_response_header(head, "x-amz-object-lock-retain-until-date"));
    removal->has_legal_hold =
        g_strcmp0(http_response_header(head, "x-amz-object-lock-legal-hold"), "ON") == 0;
}

void
s3_versions_remove(S3Client *client, ObjectRemoval *removal)
{
    const ObjectVersion *what = removal->what;
    g_autoptr(AwsRequest) request =
        s3_endpoint_request(s3_client_endpoint(client), "DELETE", what->key);
    const S3Call call = {
        .request = request, .expect = S3_EXPECT_NOTHING, .max_response_bytes = MAX_ANSWER_BYTES};
    g_autoptr(HttpResponse) answer = NULL;

    set_no_payload(request);
    aws_request_add_query(request, what->kind == OBJECT_VERSION_UPLOAD ? "uploadId" : "versionId",
                          what->version);
    answer = s3_client_send(client, &call, NULL, &removal->error);
    if (answer != NULL)
        return;
    if (g_error_matches(removal->error, STORAGE_ERROR, STORAGE_ERROR_NOT_FOUND)) {
        g_clear_error(&removal->error); /* somebody was faster */
    } else if (g_error_matches(removal->error, STORAGE_ERROR, STORAGE_ERROR_DENIED) &&
               what->kind == OBJECT_VERSION_BYTES) {
        look_for_lock(client, removal);
    }
}
