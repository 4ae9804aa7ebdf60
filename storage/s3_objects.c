#include "storage/s3_objects.h"

#include "crypto/digest.h"
#include "storage/s3_multipart.h"
#include "storage/s3_wishes.h"
#include "storage/storage_error.h"

#include <string.h>

/* Our own mark: not proof against somebody who may write there, but against a server that mixes
 * things up. */
#define DIGEST_HEADER "x-amz-meta-sealtape-sha256"

enum {
    MAX_OBJECT_BYTES = 256 << 20,
    MAX_ANSWER_BYTES = 1 << 20, /* of what is no object */
};

struct S3Objects {
    S3Client *client;
    S3Wishes *wishes;
    gint may_not_read; /* atomic: HEAD was refused, so it is not tried again */
};

S3Objects *
s3_objects_new(S3Client *client, const S3StoreOptions *options)
{
    S3Objects *self = g_new0(S3Objects, 1);

    self->client = client;
    self->wishes = s3_wishes_new(options);
    return self;
}

static void
set_payload(AwsRequest *request, const Digest *digest)
{
    g_free(request->payload_sha256);
    request->payload_sha256 = digest_to_hex(digest);
}

static void
set_no_payload(AwsRequest *request)
{
    const Digest digest = digest_of("", 0);

    set_payload(request, &digest);
}

/* One pass of SHA-256 serves the signature, the store's checksum and our mark. MD5 is what buckets
 * with object lock and older servers check. */
static void
add_checksums(AwsRequest *request, GBytes *body)
{
    const Digest digest = digest_of_bytes(body);
    g_autofree char *base64 = g_base64_encode(digest.bytes, sizeof(digest.bytes));
    g_autoptr(GChecksum) md5 = g_checksum_new(G_CHECKSUM_MD5);
    guint8 md5_bytes[16];
    gsize n_md5 = sizeof(md5_bytes);
    gsize n_bytes = 0;
    const guint8 *bytes = g_bytes_get_data(body, &n_bytes);
    g_autofree char *md5_base64 = NULL;

    g_checksum_update(md5, bytes, (gssize) n_bytes);
    g_checksum_get_digest(md5, md5_bytes, &n_md5);
    md5_base64 = g_base64_encode(md5_bytes, n_md5);
    set_payload(request, &digest);
    aws_request_add_header(request, "content-md5", md5_base64);
    aws_request_add_header(request, "x-amz-checksum-sha256", base64);
    aws_request_add_header(request, DIGEST_HEADER, request->payload_sha256);
}

/* What has to be true of the name for a put to count. */
typedef struct {
    const char *header, *value;
} Condition;

static const Condition absent = {"if-none-match", "*"};

static AwsRequest *
new_put(const S3Objects *self, const char *key, GBytes *body, const Condition *condition)
{
    AwsRequest *request = s3_endpoint_request(s3_client_endpoint(self->client), "PUT", key);

    add_checksums(request, body);
    s3_wishes_add(self->wishes, request, key);
    if (condition != NULL)
        aws_request_add_header(request, condition->header, condition->value);
    return request;
}

static bool
fail(GError **error, StorageError code, const char *key, const char *sentence)
{
    g_set_error(error, STORAGE_ERROR, (int) code, "%s: %s", key, sentence);
    return false;
}

static HttpResponse *
fetch(S3Objects *self, const char *method, const char *key, GError **error)
{
    g_autoptr(AwsRequest) request =
        s3_endpoint_request(s3_client_endpoint(self->client), method, key);
    const S3Call call = {
        .request = request, .expect = S3_EXPECT_BYTES, .max_response_bytes = MAX_OBJECT_BYTES};

    set_no_payload(request);
    return s3_client_send(self->client, &call, NULL, error);
}

static bool
compare_facts(const HttpResponse *head, const char *key, GBytes *body, const char *hex,
              GError **error)
{
    const char *length = http_response_header(head, "content-length");
    const char *mark = http_response_header(head, DIGEST_HEADER);
    guint64 n_bytes = 0;

    if (length == NULL || !g_ascii_string_to_unsigned(length, 10, 0, G_MAXINT64, &n_bytes, NULL))
        return fail(error, STORAGE_ERROR_TRANSIENT, key, "the store does not tell its length");
    if (n_bytes != g_bytes_get_size(body)) {
        return fail(error, STORAGE_ERROR_CORRUPT, key,
                    "the store holds another length than it took");
    }
    if (mark != NULL && strcmp(mark, hex) != 0) {
        return fail(error, STORAGE_ERROR_CORRUPT, key,
                    "the store holds another object than it took");
    }
    return true;
}

static char *
base64_of_hex(const char *hex)
{
    Digest digest;
    const bool is_digest = digest_from_hex(&digest, hex);

    g_assert(is_digest); /* our own */
    return g_base64_encode(digest.bytes, sizeof(digest.bytes));
}

/* The store said yes: does it have it? `hex`: the digest of `body`. */
static bool
look_at(S3Objects *self, const char *key, GBytes *body, const char *hex, GError **error)
{
    g_autoptr(HttpResponse) head = NULL;
    g_autoptr(GError) reason = NULL;

    if (g_atomic_int_get(&self->may_not_read))
        return true;
    head = fetch(self, "HEAD", key, &reason);
    if (head != NULL)
        return compare_facts(head, key, body, hex, error);
    if (g_error_matches(reason, STORAGE_ERROR, STORAGE_ERROR_DENIED)) {
        g_message("these S3 credentials may put but not look: a put counts when the store says so");
        g_atomic_int_set(&self->may_not_read, 1);
        return true;
    }
    if (g_error_matches(reason, STORAGE_ERROR, STORAGE_ERROR_NOT_FOUND))
        return fail(error, STORAGE_ERROR_TRANSIENT, key, "the store took it and does not have it");
    g_propagate_error(error, g_steal_pointer(&reason));
    return false;
}

static bool
prove(S3Objects *self, const char *key, const S3Call *call, const HttpResponse *answer,
      GError **error)
{
    const char *hex = call->request->payload_sha256;
    g_autofree char *base64 = base64_of_hex(hex);
    const char *echo = http_response_header(answer, "x-amz-checksum-sha256");

    if (echo != NULL && strcmp(echo, base64) != 0)
        return fail(error, STORAGE_ERROR_CORRUPT, key, "the store took other bytes than were sent");
    return echo != NULL || look_at(self, key, call->body, hex, error);
}

/* The name is taken: by our own bytes (a lost answer, a restart), or by others'.
 * `is_gone`: out, it is not there after all (deleted since). */
static bool
settle(S3Objects *self, const char *key, GBytes *body, bool *is_gone, GError **error)
{
    g_autoptr(GError) reason = NULL;
    g_autoptr(HttpResponse) stored = fetch(self, "GET", key, &reason);

    *is_gone = g_error_matches(reason, STORAGE_ERROR, STORAGE_ERROR_NOT_FOUND);
    if (stored != NULL) {
        if (g_bytes_equal(stored->body, body))
            return true;
        return fail(error, STORAGE_ERROR_CONFLICT, key,
                    "already exists in the store with other content");
    }
    if (g_error_matches(reason, STORAGE_ERROR, STORAGE_ERROR_DENIED)) {
        return fail(error, STORAGE_ERROR_DENIED, key,
                    "already exists, and these credentials may not read it to compare: allow "
                    "s3:GetObject");
    }
    g_propagate_error(error, g_steal_pointer(&reason));
    return false;
}

/* Is the name taken? Where that can not be found out, it counts as free. */
static bool
is_taken(S3Objects *self, const char *key)
{
    g_autoptr(HttpResponse) head =
        g_atomic_int_get(&self->may_not_read) ? NULL : fetch(self, "HEAD", key, NULL);

    return head != NULL;
}

/* Returns: true once it is stored and proved. `kind`: out, as of s3_client_send(). */
static bool
put_large(S3Objects *self, const ObjectPut *what, bool if_absent, S3FaultKind *kind, GError **error)
{
    g_autoptr(AwsRequest) begin =
        s3_endpoint_request(s3_client_endpoint(self->client), "POST", what->key);
    const Digest digest = digest_of_bytes(what->body);
    g_autofree char *hex = digest_to_hex(&digest);
    const S3Multipart multipart = {self->client, what->key, what->body, begin, if_absent};

    if (if_absent && is_taken(self, what->key)) {
        *kind = S3_FAULT_EXISTS;
        return fail(error, STORAGE_ERROR_CONFLICT, what->key, "already exists");
    }
    s3_wishes_add(self->wishes, begin, what->key);
    aws_request_add_header(begin, DIGEST_HEADER, hex);
    return s3_multipart_put(&multipart, kind, error) &&
           look_at(self, what->key, what->body, hex, error);
}

static bool
lock_large(S3Objects *self, const ObjectPut *what, GError **error)
{
    g_autoptr(AwsRequest) wished =
        s3_endpoint_request(s3_client_endpoint(self->client), "POST", what->key);
    const S3Multipart multipart = {self->client, what->key, what->body, wished, false};

    s3_wishes_add(self->wishes, wished, what->key);
    return s3_multipart_lock(&multipart, error);
}

/* As put_large(). */
static bool
put_small(S3Objects *self, const ObjectPut *what, const Condition *condition, S3FaultKind *kind,
          GError **error)
{
    g_autoptr(AwsRequest) request = new_put(self, what->key, what->body, condition);
    const S3Call call = {.request = request,
                         .body = what->body,
                         .expect = S3_EXPECT_NOTHING,
                         .max_response_bytes = MAX_ANSWER_BYTES};
    g_autoptr(HttpResponse) answer = s3_client_send(self->client, &call, kind, error);

    return answer != NULL && prove(self, what->key, &call, answer, error);
}

static bool
put(S3Objects *self, const char *key, GBytes *body, bool if_absent, GError **error)
{
    const ObjectPut what = {.key = key, .body = body};
    const bool is_large = g_bytes_get_size(body) > S3_MULTIPART_BYTES;
    S3FaultKind kind = S3_FAULT_FINAL;
    bool is_gone = false;
    g_autoptr(GError) reason = NULL;

    if (is_large ? put_large(self, &what, if_absent, &kind, &reason)
                 : put_small(self, &what, if_absent ? &absent : NULL, &kind, &reason))
        return !is_large || lock_large(self, &what, error);
    if (if_absent && kind == S3_FAULT_EXISTS) {
        if (settle(self, key, body, &is_gone, error))
            return !is_large || lock_large(self, &what, error);
        if (is_gone) {
            g_clear_error(error);
            return fail(error, STORAGE_ERROR_TRANSIENT, key,
                        "exists and does not: it is being deleted");
        }
        return false;
    }
    g_propagate_error(error, g_steal_pointer(&reason));
    return false;
}

bool
s3_objects_put(S3Objects *self, const char *key, GBytes *body, GError **error)
{
    return put(self, key, body, true, error);
}

bool
s3_objects_replace(S3Objects *self, const char *key, GBytes *body, GError **error)
{
    return put(self, key, body, false, error);
}

/* Ceph 16 refuses every If-Match in a bucket with versions. Where the object is what it must be
 * after such a refusal too, it is put without one: there an overwritten version stays, and nothing
 * of a change that comes in between is lost. */
static bool
exchange_refused(S3Objects *self, const ObjectPut *what, GBytes *expected, GError **error)
{
    g_autoptr(HttpResponse) stored = fetch(self, "GET", what->key, error);
    const char *version = stored != NULL ? http_response_header(stored, "x-amz-version-id") : NULL;
    S3FaultKind kind = S3_FAULT_FINAL;

    if (stored == NULL)
        return false;
    /* Our own put with a lost answer. */
    if (g_bytes_equal(stored->body, what->body))
        return true;
    if (!g_bytes_equal(stored->body, expected) || version == NULL || strcmp(version, "null") == 0)
        return fail(error, STORAGE_ERROR_CONFLICT, what->key, "was changed meanwhile");
    return put_small(self, what, NULL, &kind, error);
}

bool
s3_objects_exchange(S3Objects *self, const char *key, GBytes *expected, GBytes *body,
                    GError **error)
{
    const ObjectPut what = {.key = key, .body = body};
    g_autoptr(HttpResponse) stored = fetch(self, "GET", key, error);
    g_autofree char *mark = stored != NULL ? http_response_bare_tag(stored) : NULL;
    const Condition unchanged = {"if-match", mark};
    S3FaultKind kind = S3_FAULT_FINAL;
    g_autoptr(GError) reason = NULL;

    if (stored == NULL)
        return false;
    if (g_bytes_equal(stored->body, body))
        return true;
    if (!g_bytes_equal(stored->body, expected))
        return fail(error, STORAGE_ERROR_CONFLICT, key, "was changed meanwhile");
    if (put_small(self, &what, mark != NULL ? &unchanged : NULL, &kind, &reason))
        return true;
    if (kind == S3_FAULT_EXISTS)
        return exchange_refused(self, &what, expected, error);
    g_propagate_error(error, g_steal_pointer(&reason));
    return false;
}

GBytes *
s3_objects_get(S3Objects *self, const char *key, GError **error)
{
    g_autoptr(HttpResponse) stored = fetch(self, "GET", key, error);
    const char *mark = stored == NULL ? NULL : http_response_header(stored, DIGEST_HEADER);

    if (stored == NULL)
        return NULL;
    if (mark != NULL) {
        const Digest digest = digest_of_bytes(stored->body);
        g_autofree char *hex = digest_to_hex(&digest);

        if (strcmp(mark, hex) != 0) {
            (void) fail(error, STORAGE_ERROR_CORRUPT, key,
                        "the store gave other bytes than were put there");
            return NULL;
        }
    }
    return g_bytes_ref(stored->body);
}

void
s3_objects_free(S3Objects *self)
{
    if (self == NULL)
        return;
    s3_wishes_free(self->wishes);
    g_free(self);
}
