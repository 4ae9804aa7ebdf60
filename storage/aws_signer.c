#include "storage/aws_signer.h"

#include "crypto/hmac.h"

#include <string.h>

#define ALGORITHM "AWS4-HMAC-SHA256"

struct AwsSigner {
    char *service;
    GMutex lock;
    struct {
        Secret *key;                 /* NULL: none yet; for these two: */
        AwsCredentials *credentials; /* counted, so that no new pair has an old one's address */
        char *scope;
    } locked;
};

AwsSigner *
aws_signer_new(const char *service)
{
    AwsSigner *self = g_new0(AwsSigner, 1);

    self->service = g_strdup(service);
    g_mutex_init(&self->lock);
    return self;
}

/* secret -> day -> region -> service -> signing key. */
static Secret *
derive_key(const AwsCredentials *credentials, const char *scope, GError **error)
{
    g_auto(GStrv) words = g_strsplit(scope, "/", -1);
    g_autoptr(Secret) key = NULL;

    for (size_t i = 0; words[i] != NULL; i++) {
        Secret *next = hmac_derive(key == NULL ? credentials->secret : key, words[i], error);

        secret_free(key);
        key = next;
        if (key == NULL)
            return NULL;
    }
    return g_steal_pointer(&key);
}

static bool
prepare_key_locked(AwsSigner *self, AwsCredentials *credentials, const char *scope, GError **error)
{
    Secret *key = NULL;

    if (self->locked.credentials == credentials && strcmp(self->locked.scope, scope) == 0)
        return true;
    key = derive_key(credentials, scope, error);
    if (key == NULL)
        return false;
    secret_free(self->locked.key);
    self->locked.key = key;
    aws_credentials_ref(credentials);
    g_clear_pointer(&self->locked.credentials, aws_credentials_unref);
    self->locked.credentials = credentials;
    g_free(self->locked.scope);
    self->locked.scope = g_strdup(scope);
    return true;
}

/* What of the request is covered: out, `signed_headers`. Returns: the string to sign, owned. */
static char *
string_to_sign(const AwsRequest *request, const char *time, const char *scope,
               char **signed_headers)
{
    g_autofree char *canonical = aws_request_canonical(request, signed_headers);
    const Digest digest = digest_of(canonical, strlen(canonical));
    g_autofree char *hex = digest_to_hex(&digest);

    return g_strdup_printf(ALGORITHM "\n%s\n%s\n%s", time, scope, hex);
}

bool
aws_signer_sign(AwsSigner *self, AwsRequest *request, const AwsSigning *signing, GError **error)
{
    g_autoptr(GDateTime) now = g_date_time_new_from_unix_utc(signing->now_unix);
    g_autofree char *time = g_date_time_format(now, "%Y%m%dT%H%M%SZ");
    g_autofree char *scope =
        g_strdup_printf("%.8s/%s/%s/aws4_request", time, signing->region, self->service);
    g_autofree char *signed_headers = NULL;
    g_autofree char *text = NULL;
    g_autofree char *hex = NULL;
    g_autofree char *authorization = NULL;
    Digest signature;
    bool is_signed = false;

    aws_request_set_header(request, "authorization", NULL);
    aws_request_set_header(request, "x-amz-date", time);
    aws_request_set_header(request, "x-amz-content-sha256", request->payload_sha256);
    aws_request_set_header(request, "x-amz-security-token", signing->credentials->session_token);
    text = string_to_sign(request, time, scope, &signed_headers);
    g_mutex_lock(&self->lock);
    is_signed = prepare_key_locked(self, signing->credentials, scope, error);
    if (is_signed)
        signature = hmac_of(self->locked.key, text, strlen(text));
    g_mutex_unlock(&self->lock);
    if (!is_signed)
        return false;
    hex = digest_to_hex(&signature);
    authorization =
        g_strdup_printf(ALGORITHM " Credential=%s/%s,SignedHeaders=%s,Signature=%s",
                        signing->credentials->access_key_id, scope, signed_headers, hex);
    aws_request_set_header(request, "authorization", authorization);
    return true;
}

void
aws_signer_free(AwsSigner *self)
{
    if (self == NULL)
        return;
    g_free(self->service);
    g_free(self->locked.scope);
    secret_free(self->locked.key);
    g_clear_pointer(&self->locked.credentials, aws_credentials_unref);
    g_mutex_clear(&self->lock);
    g_free(self);
}
