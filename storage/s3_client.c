#include "storage/s3_client.h"

#include "crypto/digest.h"
#include "storage/aws_signer.h"
#include "storage/s3_gate.h"
#include "storage/s3_xml.h"

#include <stdlib.h>
#include <string.h>

enum {
    FIRST_WAIT_MS = 200,
    LONGEST_WAIT_MS = 5000,
    /* Servers allow 15 minutes; less than this is not why they refuse. */
    SMALLEST_SKEW_S = 240,
};

struct S3Client {
    S3Endpoint *endpoint;
    AwsCredentialsSource *credentials;
    AwsSigner *signer;
    HttpClient *http;
    S3Gate *gate;
    const int *keeps_region; /* a share; NULL: never */
    char *own_region;        /* of the settings */
    unsigned attempt_ms;
    unsigned retry_ms;
    GMutex lock;
    GCond never; /* only waited on with a time */
    struct {
        char *region;
        int64_t clock_offset_s;
    } locked;
};

/* The tries of one call. */
typedef struct {
    const S3Call *call;
    int64_t deadline_us; /* monotonic */
    unsigned n_tries;
    int64_t signed_offset_s; /* of the clock that the last try was signed with */
    bool has_set_clock, has_renewed, has_moved, has_resent; /* each helps once */
    AwsCredentials *credentials;                            /* of the last try */
    HttpResponse *response;
    S3Fault *fault; /* NULL with a response: a success */
    GError *error;  /* no answer at all */
} Tries;

static void
tries_clear(Tries *self)
{
    g_clear_pointer(&self->credentials, aws_credentials_unref);
    g_clear_pointer(&self->response, http_response_free);
    g_clear_pointer(&self->fault, s3_fault_free);
    g_clear_error(&self->error);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Tries, tries_clear)

S3Client *
s3_client_new(const S3ClientOptions *options)
{
    S3Client *self = g_new0(S3Client, 1);

    self->endpoint = options->endpoint;
    self->credentials = options->credentials;
    self->signer = aws_signer_new("s3");
    self->http = http_client_new(&options->http);
    self->gate = s3_gate_new(options->max_concurrent);
    self->attempt_ms = options->attempt_ms;
    self->retry_ms = options->retry_ms;
    if (options->keeps_region != NULL)
        self->keeps_region = g_atomic_rc_box_acquire((int *) options->keeps_region);
    self->own_region = g_strdup(options->region);
    self->locked.region = g_strdup(options->region);
    g_mutex_init(&self->lock);
    g_cond_init(&self->never);
    return self;
}

static int64_t
unix_now(void)
{
    return g_get_real_time() / G_USEC_PER_SEC;
}

static bool
keeps_region(const S3Client *self)
{
    return self->keeps_region != NULL && g_atomic_int_get(self->keeps_region) != 0;
}

/* What was learnt before a rule came counts no more. */
static char *
dup_region(S3Client *self)
{
    char *region = NULL;

    if (keeps_region(self))
        return g_strdup(self->own_region);
    g_mutex_lock(&self->lock);
    region = g_strdup(self->locked.region);
    g_mutex_unlock(&self->lock);
    return region;
}

int64_t
s3_client_clock_offset(S3Client *self)
{
    int64_t offset_s = 0;

    g_mutex_lock(&self->lock);
    offset_s = self->locked.clock_offset_s;
    g_mutex_unlock(&self->lock);
    return offset_s;
}

static bool
sign(S3Client *self, Tries *tries, GError **error)
{
    g_autofree char *region = dup_region(self);

    tries->credentials = aws_credentials_source_get(self->credentials, unix_now(), error);
    if (tries->credentials == NULL)
        return false;
    tries->signed_offset_s = s3_client_clock_offset(self);
    return aws_signer_sign(
        self->signer, tries->call->request,
        &(AwsSigning){tries->credentials, region, unix_now() + tries->signed_offset_s}, error);
}

static GStrv
header_lines(const AwsRequest *request)
{
    g_autoptr(GStrvBuilder) lines = g_strv_builder_new();

    for (guint i = 0; i < request->headers->len; i++) {
        const AwsField *field = g_ptr_array_index(request->headers, i);
        g_autofree char *line = g_strdup_printf("%s: %s", field->name, field->value);

        g_strv_builder_add(lines, line);
    }
    return g_strv_builder_end(lines);
}

static bool
on_any_leaf(const char *path, const char *text, void *user_data)
{
    return true;
}

static bool
is_as_expected(const S3Call *call, const HttpResponse *response)
{
    if (call->expect == S3_EXPECT_RANGE && response->status == 416)
        return true;
    if (response->status < 200 || response->status > 299)
        return false;
    switch (call->expect) {
    case S3_EXPECT_NOTHING:
        return g_bytes_get_size(response->body) == 0;
    case S3_EXPECT_XML:
        return s3_xml_read(response->body, call->root, on_any_leaf, NULL, NULL);
    case S3_EXPECT_RANGE:
        return response->status == 206 || response->status == 200;
    case S3_EXPECT_BYTES:
    default:
        return response->status == 200;
    }
}

static void
try_once(S3Client *self, Tries *tries)
{
    const S3Call *call = tries->call;
    g_autofree char *target = aws_request_target(call->request);
    g_autofree char *url = g_strconcat(self->endpoint->base, target, NULL);
    g_auto(GStrv) headers = NULL;
    HttpRequest request = {.method = call->request->method,
                           .url = url,
                           .body = call->body,
                           .max_response_bytes = call->max_response_bytes,
                           .timeout_ms = self->attempt_ms};

    tries_clear(tries);
    tries->n_tries++;
    if (!sign(self, tries, &tries->error))
        return;
    headers = header_lines(call->request);
    request.headers = (const char *const *) headers;
    s3_gate_enter(self->gate);
    tries->response = http_client_send(self->http, &request, &tries->error);
    if (tries->response != NULL && !is_as_expected(call, tries->response))
        tries->fault = s3_fault_read(tries->response);
    s3_gate_leave(self->gate, tries->fault != NULL && tries->fault->kind == S3_FAULT_THROTTLED);
}

/* The answer tells the time: sign with it from now on. Returns: false if the clock is not the
 * trouble. */
static bool
follow_clock(S3Client *self, const Tries *tries)
{
    int64_t offset_s = 0;
    bool is_news = false;

    if (!s3_fault_clock_offset(tries->response, unix_now(), &offset_s))
        return false;
    g_mutex_lock(&self->lock);
    is_news = llabs(offset_s - self->locked.clock_offset_s) >= SMALLEST_SKEW_S;
    if (is_news)
        self->locked.clock_offset_s = offset_s;
    g_mutex_unlock(&self->lock);
    if (is_news) {
        g_warning("the store's clock is %" G_GINT64_FORMAT " s ahead of ours (negative: behind): "
                  "requests are signed with its time",
                  offset_s);
    }
    /* Another request may have learnt it while this one was on its way. */
    return llabs(offset_s - tries->signed_offset_s) >= SMALLEST_SKEW_S;
}

static bool
follow_region(S3Client *self, const char *region)
{
    if (region == NULL || region[0] == '\0' ||
        strspn(region, "abcdefghijklmnopqrstuvwxyz0123456789-") != strlen(region))
        return false;
    if (keeps_region(self)) {
        g_warning("the bucket's region is %s, and an organisation's `regions` hold to that of the "
                  "settings: nothing goes there",
                  region);
        return false;
    }
    g_mutex_lock(&self->lock);
    g_free(self->locked.region);
    self->locked.region = g_strdup(region);
    g_mutex_unlock(&self->lock);
    g_warning("the bucket's region is %s: requests are signed for it; correct the settings",
              region);
    return true;
}

static bool
once(bool *is_used)
{
    const bool was_used = *is_used;

    *is_used = true;
    return !was_used;
}

/* Returns: true if something was changed that lets the same request pass at once. */
static bool
mend(S3Client *self, Tries *tries)
{
    const S3Fault *fault = tries->fault;

    switch (fault->kind) {
    case S3_FAULT_CLOCK:
        return once(&tries->has_set_clock) && follow_clock(self, tries);
    case S3_FAULT_EXPIRED:
        aws_credentials_source_expire(self->credentials, tries->credentials);
        return once(&tries->has_renewed);
    case S3_FAULT_REGION:
        return once(&tries->has_moved) && follow_region(self, fault->region);
    case S3_FAULT_DAMAGED:
        return once(&tries->has_resent);
    case S3_FAULT_FINAL:
        /* A refused HEAD has no body to say that the clock is why. */
        return tries->response->status == 403 && g_bytes_get_size(tries->response->body) == 0 &&
               once(&tries->has_set_clock) && follow_clock(self, tries);
    case S3_FAULT_PASSING:
    case S3_FAULT_THROTTLED:
    case S3_FAULT_EXISTS:
    default:
        return false;
    }
}

static bool
may_pass(const Tries *tries)
{
    if (tries->fault != NULL)
        return tries->fault->kind == S3_FAULT_PASSING || tries->fault->kind == S3_FAULT_THROTTLED;
    return g_error_matches(tries->error, STORAGE_ERROR, STORAGE_ERROR_TRANSIENT);
}

/* Full jitter, doubling; at least what the server asks for. Returns: false if that is past the
 * deadline. */
static bool
wait_for_next_try(S3Client *self, const Tries *tries)
{
    const unsigned doubled = FIRST_WAIT_MS << MIN(tries->n_tries - 1, 10);
    const unsigned longest = MIN(doubled, LONGEST_WAIT_MS);
    const unsigned asked = tries->response == NULL ? 0 : s3_fault_retry_after_ms(tries->response);
    const unsigned wait_ms = MAX(asked, (unsigned) g_random_int_range(0, (gint32) longest + 1));
    const int64_t until_us = g_get_monotonic_time() + (int64_t) wait_ms * 1000;

    if (until_us >= tries->deadline_us)
        return false;
    g_mutex_lock(&self->lock);
    while (g_cond_wait_until(&self->never, &self->lock, until_us))
        continue;
    g_mutex_unlock(&self->lock);
    return true;
}

HttpResponse *
s3_client_send(S3Client *self, const S3Call *call, S3FaultKind *kind, GError **error)
{
    g_auto(Tries) tries = {.call = call,
                           .deadline_us = g_get_monotonic_time() + (int64_t) self->retry_ms * 1000};

    g_assert(call->request->payload_sha256 != NULL);
    do {
        do {
            try_once(self, &tries);
        } while (tries.fault != NULL && mend(self, &tries));
        if (tries.fault == NULL && tries.error == NULL)
            return g_steal_pointer(&tries.response);
    } while (may_pass(&tries) && wait_for_next_try(self, &tries));

    if (kind != NULL)
        *kind = tries.fault == NULL ? S3_FAULT_FINAL : tries.fault->kind;
    if (tries.error != NULL) {
        g_propagate_error(error, g_steal_pointer(&tries.error));
    } else {
        g_set_error(error, STORAGE_ERROR, (int) tries.fault->code, "%s %s: %s (try %u)",
                    call->request->method, call->request->path, tries.fault->sentence,
                    tries.n_tries);
    }
    return NULL;
}

const S3Endpoint *
s3_client_endpoint(const S3Client *self)
{
    return self->endpoint;
}

void
s3_client_free(S3Client *self)
{
    if (self == NULL)
        return;
    http_client_free(self->http);
    aws_signer_free(self->signer);
    aws_credentials_source_free(self->credentials);
    s3_endpoint_free(self->endpoint);
    s3_gate_free(self->gate);
    g_free(self->own_region);
    if (self->keeps_region != NULL)
        g_atomic_rc_box_release((int *) self->keeps_region);
    g_free(self->locked.region);
    g_mutex_clear(&self->lock);
    g_cond_clear(&self->never);
    g_free(self);
}
