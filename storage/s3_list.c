#include "storage/s3_list.h"

#include "crypto/digest.h"
#include "storage/object_key.h"
#include "storage/s3_xml.h"
#include "storage/storage_error.h"

#include <string.h>

#define ROOT "ListBucketResult"

enum { MAX_PAGE_BYTES = 16 << 20 };

typedef struct {
    const char *prefix; /* whole, the endpoint's included */
    size_t n_skip;      /* of it, what callers do not see */
    const char *wanted; /* the element that holds a name */
    GPtrArray *names;
    bool is_encoded;
    bool is_truncated;
    char *token; /* of the next page */
} Page;

/* As `encoding-type=url` has it: a plus may stand for a space. Returns: NULL if it is not so
 * encoded. */
static char *
decode(const char *text)
{
    g_autofree char *spaced = g_strdelimit(g_strdup(text), "+", ' ');

    return g_uri_unescape_string(spaced, NULL);
}

static bool
add_name(Page *self, const char *text)
{
    g_autofree char *name = self->is_encoded ? decode(text) : g_strdup(text);

    if (name == NULL || !g_str_has_prefix(name, self->prefix))
        return false;
    if (g_str_has_suffix(name, "/"))
        name[strlen(name) - 1] = '\0'; /* a folder, or what some tool has put to stand for one */
    if (strlen(name) > self->n_skip)
        g_ptr_array_add(self->names, g_strdup(name + self->n_skip));
    return true;
}

/* Whether the names are encoded has to be known before the first of them: they are, if asked for
 * and the answer says so; most servers say it ahead of the names, some behind, so it is read in a
 * pass of its own. */
static bool
on_fact(const char *path, const char *text, void *user_data)
{
    Page *self = user_data;

    if (strcmp(path, "EncodingType") == 0) {
        self->is_encoded = strcmp(text, "url") == 0;
    } else if (strcmp(path, "IsTruncated") == 0) {
        self->is_truncated = strcmp(text, "true") == 0;
    } else if (strcmp(path, "NextContinuationToken") == 0 && self->token == NULL) {
        self->token = g_strdup(text);
    }
    return true;
}

static bool
on_name(const char *path, const char *text, void *user_data)
{
    Page *self = user_data;

    return strcmp(path, self->wanted) != 0 || add_name(self, text);
}

static HttpResponse *
fetch_page(S3Client *client, const Page *page, bool folders, GError **error)
{
    g_autoptr(AwsRequest) request = s3_endpoint_request(s3_client_endpoint(client), "GET", NULL);
    const Digest nothing = digest_of("", 0);
    const S3Call call = {.request = request,
                         .expect = S3_EXPECT_XML,
                         .root = ROOT,
                         .max_response_bytes = MAX_PAGE_BYTES};

    request->payload_sha256 = digest_to_hex(&nothing);
    aws_request_add_query(request, "list-type", "2");
    aws_request_add_query(request, "encoding-type", "url");
    aws_request_add_query(request, "prefix", page->prefix);
    if (folders)
        aws_request_add_query(request, "delimiter", "/");
    if (page->token != NULL)
        aws_request_add_query(request, "continuation-token", page->token);
    return s3_client_send(client, &call, NULL, error);
}

static bool
fail(GError **error, const char *prefix, const char *sentence)
{
    g_set_error(error, STORAGE_ERROR, STORAGE_ERROR_CORRUPT, "list of '%s': %s", prefix, sentence);
    return false;
}

/* Returns: false at the end and on failure. */
static bool
read_page(S3Client *client, Page *page, bool folders, GError **error)
{
    g_autoptr(HttpResponse) response = fetch_page(client, page, folders, error);
    g_autofree char *token = g_steal_pointer(&page->token);

    if (response == NULL)
        return false;
    page->is_encoded = false;
    page->is_truncated = false;
    if (!s3_xml_read(response->body, ROOT, on_fact, page, error) ||
        !s3_xml_read(response->body, ROOT, on_name, page, error))
        return false;
    if (!page->is_truncated)
        return false;
    if (page->token == NULL || page->token[0] == '\0')
        return fail(error, page->prefix, "cut, and the store does not say where it goes on");
    if (g_strcmp0(token, page->token) == 0)
        return fail(error, page->prefix, "the store gives the same page again and again");
    return true;
}

GPtrArray *
s3_list(S3Client *client, const char *prefix, bool folders, GError **error)
{
    const S3Endpoint *endpoint = s3_client_endpoint(client);
    g_autofree char *whole = g_strconcat(endpoint->prefix, prefix, NULL);
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GError) reason = NULL;
    Page page = {.prefix = whole,
                 .n_skip = strlen(endpoint->prefix),
                 .wanted = folders ? "CommonPrefixes/Prefix" : "Contents/Key",
                 .names = names};

    while (read_page(client, &page, folders, &reason))
        continue;
    g_free(page.token);
    if (reason != NULL) {
        g_propagate_error(error, g_steal_pointer(&reason));
        return NULL;
    }
    return object_key_sort(names);
}
