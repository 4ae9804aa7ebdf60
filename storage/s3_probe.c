#include "storage/s3_probe.h"

#include "crypto/digest.h"
#include "storage/s3_client.h"
#include "storage/s3_list.h"
#include "storage/s3_setup.h"
#include "storage/s3_xml.h"
#include "storage/storage_error.h"

#include <stdlib.h>
#include <string.h>

#define OBJECT "sealtape-probe"
/* What a server that checks nothing would keep. */
#define DAMAGED_OBJECT "sealtape-probe-damaged"

enum { MAX_ANSWER_BYTES = 1 << 20, SMALL_SKEW_S = 30 };

typedef struct {
    S3Client *client;
    GPtrArray *rows;
} Probe;

/* One request that may be wrong on purpose. */
typedef struct {
    const char *method;
    const char *key;  /* NULL: the bucket */
    const char *text; /* NULL: no body */
    const char *header, *value;
    const char *query;
    const char *claimed; /* NULL: the payload hash is `text`'s; else that of this */
    S3Expect expect;
    const char *root;
} Attempt;

static void
on_row_free(void *data)
{
    S3ProbeRow *row = data;

    g_free(row->finding);
    g_free(row);
}

static void
add(Probe *self, const char *name, S3ProbeVerdict verdict, const char *finding)
{
    S3ProbeRow *row = g_new(S3ProbeRow, 1);

    *row = (S3ProbeRow){name, verdict, g_strdup(finding)};
    g_ptr_array_add(self->rows, row);
}

static void
add_md5(AwsRequest *request, const char *text)
{
    g_autoptr(GChecksum) md5 = g_checksum_new(G_CHECKSUM_MD5);
    guint8 bytes[16];
    gsize n_bytes = sizeof(bytes);
    g_autofree char *base64 = NULL;

    g_checksum_update(md5, (const guint8 *) text, -1);
    g_checksum_get_digest(md5, bytes, &n_bytes);
    base64 = g_base64_encode(bytes, n_bytes);
    aws_request_add_header(request, "content-md5", base64);
}

static HttpResponse *
attempt(Probe *self, const Attempt *what, S3FaultKind *kind, GError **error)
{
    g_autoptr(AwsRequest) request =
        s3_endpoint_request(s3_client_endpoint(self->client), what->method, what->key);
    const char *text = what->text == NULL ? "" : what->text;
    const char *claimed = what->claimed == NULL ? text : what->claimed;
    const Digest digest = digest_of(claimed, strlen(claimed));
    g_autoptr(GBytes) body = what->text == NULL ? NULL : g_bytes_new(text, strlen(text));
    const S3Call call = {request, body, what->expect, what->root, MAX_ANSWER_BYTES};

    request->payload_sha256 = digest_to_hex(&digest);
    if (what->header != NULL)
        aws_request_add_header(request, what->header, what->value);
    if (what->text != NULL && g_strcmp0(what->header, "content-md5") != 0)
        add_md5(request, text); /* a bucket with object lock takes nothing without */
    if (what->query != NULL)
        aws_request_add_query(request, what->query, "");
    return s3_client_send(self->client, &call, kind, error);
}

static void
look_at_clock(Probe *self, const HttpResponse *answer)
{
    g_autofree char *finding = NULL;
    int64_t offset_s = 0;

    if (!s3_fault_clock_offset(answer, g_get_real_time() / G_USEC_PER_SEC, &offset_s)) {
        add(self, "clock", S3_PROBE_WARNING, "the store does not tell the time");
        return;
    }
    finding = g_strdup_printf("the store's clock and ours differ by %" G_GINT64_FORMAT " s",
                              (int64_t) llabs(offset_s));
    add(self, "clock", llabs(offset_s) <= SMALL_SKEW_S ? S3_PROBE_GOOD : S3_PROBE_WARNING, finding);
}

/* Returns: false if nothing else can be found out. */
static bool
try_put(Probe *self)
{
    const Attempt plain = {
        .method = "PUT", .key = OBJECT, .text = "probe", .header = "if-none-match", .value = "*"};
    S3FaultKind kind = S3_FAULT_FINAL;
    g_autoptr(GError) error = NULL;
    g_autoptr(HttpResponse) answer = attempt(self, &plain, &kind, &error);

    if (answer == NULL && kind != S3_FAULT_EXISTS) {
        add(self, "put", S3_PROBE_BAD, error->message);
        return false;
    }
    add(self, "put", S3_PROBE_GOOD, "objects can be put");
    return true;
}

static void
try_put_if_absent(Probe *self)
{
    const Attempt other = {.method = "PUT",
                           .key = OBJECT,
                           .text = "other bytes",
                           .header = "if-none-match",
                           .value = "*"};
    S3FaultKind kind = S3_FAULT_FINAL;
    g_autoptr(GError) error = NULL;
    g_autoptr(HttpResponse) answer = attempt(self, &other, &kind, &error);

    if (kind == S3_FAULT_EXISTS && answer == NULL) {
        add(self, "put-if-absent", S3_PROBE_GOOD, "a taken name is never overwritten");
    } else if (answer != NULL && http_response_header(answer, "x-amz-version-id") != NULL) {
        add(self, "put-if-absent", S3_PROBE_WARNING,
            "the store ignores If-None-Match in this bucket, but keeps versions: other bytes at a "
            "taken name are not noticed, and the first ones stay as an older version");
    } else if (answer != NULL) {
        add(self, "put-if-absent", S3_PROBE_BAD,
            "the store ignores If-None-Match and overwrites: recordings are not safe there");
    } else {
        add(self, "put-if-absent", S3_PROBE_BAD, error->message);
    }
}

/* A request that is wrong in one way has to be refused. */
static void
try_damaged(Probe *self, const char *name, const Attempt *what, S3ProbeVerdict if_taken,
            const char *finding)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(HttpResponse) answer = attempt(self, what, NULL, &error);

    if (answer != NULL) {
        add(self, name, if_taken, finding);
    } else if (g_error_matches(error, STORAGE_ERROR, STORAGE_ERROR_TRANSIENT)) {
        add(self, name, S3_PROBE_WARNING, error->message);
    } else {
        add(self, name, S3_PROBE_GOOD, "damaged bytes are refused");
    }
}

static void
try_damage(Probe *self)
{
    const Attempt hash = {
        .method = "PUT", .key = DAMAGED_OBJECT, .text = "sent", .claimed = "signed"};
    const Attempt md5 = {.method = "PUT",
                         .key = DAMAGED_OBJECT,
                         .text = "sent",
                         .header = "content-md5",
                         .value = "1B2M2Y8AsgTpgAmY7PhCfg=="};
    const Attempt checksum = {.method = "PUT",
                              .key = DAMAGED_OBJECT,
                              .text = "sent",
                              .header = "x-amz-checksum-sha256",
                              .value = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="};

    try_damaged(self, "payload-hash", &hash, S3_PROBE_BAD,
                "the store does not check what is signed: use another");
    try_damaged(self, "content-md5", &md5, S3_PROBE_WARNING, "the store ignores Content-MD5");
    try_damaged(self, "checksum", &checksum, S3_PROBE_WARNING,
                "the store ignores x-amz-checksum-sha256: a HEAD follows each put");
}

/* What the credentials must not be able to do. `reason`: NULL if they can. */
static void
judge_right(Probe *self, const char *name, const GError *reason, const char *if_allowed)
{
    g_autofree char *denied = g_strdup_printf("these credentials may not %s", name);

    if (reason == NULL) {
        add(self, name, S3_PROBE_WARNING, if_allowed);
    } else if (g_error_matches(reason, STORAGE_ERROR, STORAGE_ERROR_DENIED)) {
        add(self, name, S3_PROBE_GOOD, denied);
    } else {
        add(self, name, S3_PROBE_WARNING, reason->message); /* not known */
    }
}

static void
try_rights(Probe *self)
{
    const Attempt get = {.method = "GET", .key = OBJECT, .expect = S3_EXPECT_BYTES};
    const Attempt delete = {.method = "DELETE", .key = OBJECT};
    g_autoptr(GError) no_list = NULL;
    g_autoptr(GError) no_delete = NULL;
    g_autoptr(HttpResponse) got = attempt(self, &get, NULL, NULL);
    g_autoptr(GPtrArray) names = s3_list(self->client, OBJECT, false, &no_list);
    g_autoptr(HttpResponse) deleted = attempt(self, &delete, NULL, &no_delete);

    if (got != NULL) {
        look_at_clock(self, got);
        add(self, "read", S3_PROBE_GOOD, "an own object with a lost answer can be recognised");
    } else {
        add(self, "read", S3_PROBE_WARNING,
            "own objects can not be read: a put with a lost answer needs somebody to look; allow "
            "s3:GetObject");
    }
    judge_right(self, "list", no_list,
                got != NULL ? "these credentials may find and read what others put there (sealed, "
                              "all the same): deny s3:ListBucket"
                            : "these credentials may list: a recorder need not");
    judge_right(self, "delete", no_delete,
                "these credentials may delete: a recorder must not, deny s3:DeleteObject");
    g_assert((names == NULL) == (no_list != NULL) && (deleted == NULL) == (no_delete != NULL));
}

static bool
on_lock_leaf(const char *path, const char *text, void *user_data)
{
    bool *has_default = user_data;

    *has_default |= g_str_has_prefix(path, "Rule/DefaultRetention");
    return true;
}

static void
try_object_lock(Probe *self, const S3StoreOptions *options)
{
    const Attempt ask = {.method = "GET",
                         .query = "object-lock",
                         .expect = S3_EXPECT_XML,
                         .root = "ObjectLockConfiguration"};
    const bool is_wanted = options->lock != S3_LOCK_NONE || options->legal_hold;
    g_autoptr(GError) error = NULL;
    g_autoptr(HttpResponse) answer = attempt(self, &ask, NULL, &error);
    bool has_default = false;

    if (answer != NULL && s3_xml_read(answer->body, ask.root, on_lock_leaf, &has_default, NULL)) {
        add(self, "object-lock", has_default ? S3_PROBE_WARNING : S3_PROBE_GOOD,
            has_default
                ? "the bucket locks by default, envelopes too: they could not be erased in time"
                : "the bucket has object lock");
    } else if (g_error_matches(error, STORAGE_ERROR, STORAGE_ERROR_NOT_FOUND)) {
        add(self, "object-lock", is_wanted ? S3_PROBE_BAD : S3_PROBE_GOOD,
            is_wanted ? "the bucket was made without object lock, which the settings ask for"
                      : "the bucket has no object lock, and none is asked for");
    } else {
        add(self, "object-lock", is_wanted ? S3_PROBE_WARNING : S3_PROBE_GOOD,
            "these credentials may not see whether the bucket has object lock");
    }
}

GPtrArray *
s3_probe(const S3StoreOptions *options, GError **error)
{
    g_autoptr(S3Client) client = s3_setup_client(options, error);
    Probe self = {.client = client};

    if (client == NULL)
        return NULL;
    self.rows = g_ptr_array_new_with_free_func(on_row_free);
    if (!try_put(&self))
        return self.rows;
    try_put_if_absent(&self);
    try_damage(&self);
    try_rights(&self);
    try_object_lock(&self, options);
    return self.rows;
}
