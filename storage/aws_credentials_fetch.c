#include "storage/aws_credentials_fetch.h"

#include "storage/aws_request.h"
#include "storage/http_client.h"
#include "storage/s3_xml.h"
#include "storage/storage_error.h"

#include <gio/gio.h>
#include <jansson.h>
#include <string.h>

#define INSTANCE_ENDPOINT "http://169.254.169.254"
#define ROLE_PATH         "/latest/meta-data/iam/security-credentials/"
#define STS_ANSWER        "AssumeRoleWithWebIdentityResponse"
#define STS_CREDENTIALS   "AssumeRoleWithWebIdentityResult/Credentials/"

enum { TIMEOUT_MS = 5000, MAX_ANSWER_BYTES = 64 << 10 };

/* The parts of an answer. */
typedef struct {
    char *id, *secret, *token, *expiration;
} Parts;

static void
wipe(char *text)
{
    if (text != NULL)
        explicit_bzero(text, strlen(text));
    g_free(text);
}

static void
parts_clear(Parts *self)
{
    wipe(self->id);
    wipe(self->secret);
    wipe(self->token);
    wipe(self->expiration);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Parts, parts_clear)

static void *
fail(GError **error, const char *where, const char *sentence)
{
    g_set_error(error, STORAGE_ERROR, STORAGE_ERROR_DENIED, "%s: %s", where, sentence);
    return NULL;
}

/* Keys travel unencrypted to this machine's own addresses only. */
static bool
is_private(const char *url)
{
    static const char *const known[] = {"169.254.169.254",
                                        "169.254.170.2",
                                        "169.254.170.23",
                                        "127.0.0.1",
                                        "::1",
                                        "localhost",
                                        NULL};
    g_autoptr(GUri) uri = g_uri_parse(url, G_URI_FLAGS_NONE, NULL);

    if (uri == NULL || g_uri_get_host(uri) == NULL)
        return false;
    if (strcmp(g_uri_get_scheme(uri), "https") == 0)
        return true;
    return strcmp(g_uri_get_scheme(uri), "http") == 0 &&
           g_strv_contains(known, g_uri_get_host(uri));
}

/* Returns: the answer with status 200, owned. */
static HttpResponse *
ask(const char *method, const char *url, const char *header, GBytes *body, GError **error)
{
    const HttpClientOptions options = {.max_connections = 1};
    const char *const headers[] = {header, NULL};
    const HttpRequest request = {method, url, headers, body, MAX_ANSWER_BYTES, TIMEOUT_MS};
    g_autoptr(HttpClient) client = NULL;
    g_autoptr(HttpResponse) response = NULL;

    if (!is_private(url))
        return fail(error, url, "is neither https nor an address of this machine");
    client = http_client_new(&options);
    response = http_client_send(client, &request, error);
    if (response != NULL && response->status != 200) {
        g_set_error(error, STORAGE_ERROR,
                    response->status >= 500 ? STORAGE_ERROR_TRANSIENT : STORAGE_ERROR_DENIED,
                    "%.*s: status %u", (int) strcspn(url, "?"), url, response->status);
        return NULL;
    }
    return g_steal_pointer(&response);
}

static char *
text_of(const HttpResponse *response)
{
    gsize n_bytes = 0;
    const char *bytes = g_bytes_get_data(response->body, &n_bytes);

    return g_strstrip(g_strndup(bytes, n_bytes));
}

static AwsCredentials *
credentials_of(const Parts *parts, const char *where, GError **error)
{
    g_autoptr(GDateTime) until =
        parts->expiration == NULL ? NULL : g_date_time_new_from_iso8601(parts->expiration, NULL);
    AwsCredentials *credentials = NULL;

    if (parts->id == NULL || parts->secret == NULL || parts->token == NULL || until == NULL)
        return fail(error, where, "the answer holds no credentials");
    credentials = aws_credentials_new(parts->id, parts->secret, parts->token, error);
    if (credentials != NULL)
        credentials->expires_unix = g_date_time_to_unix(until);
    return credentials;
}

AwsCredentials *
aws_credentials_fetch_parse(GBytes *answer, const char *where, GError **error)
{
    gsize n_bytes = 0;
    const char *bytes = g_bytes_get_data(answer, &n_bytes);
    json_t *root = json_loadb(bytes, n_bytes, JSON_REJECT_DUPLICATES, NULL);
    const Parts borrowed = {
        (char *) json_string_value(json_object_get(root, "AccessKeyId")),
        (char *) json_string_value(json_object_get(root, "SecretAccessKey")),
        (char *) json_string_value(json_object_get(root, "Token")),
        (char *) json_string_value(json_object_get(root, "Expiration")),
    };
    AwsCredentials *credentials = credentials_of(&borrowed, where, error);

    json_decref(root);
    return credentials;
}

AwsCredentials *
aws_credentials_fetch_container(const char *url, const char *token, GError **error)
{
    g_autofree char *header = token == NULL ? NULL : g_strconcat("Authorization: ", token, NULL);
    g_autoptr(HttpResponse) response = ask("GET", url, header, NULL, error);

    return response == NULL ? NULL : aws_credentials_fetch_parse(response->body, url, error);
}

AwsCredentials *
aws_credentials_fetch_instance(const char *endpoint, GError **error)
{
    const char *base = endpoint == NULL ? INSTANCE_ENDPOINT : endpoint;
    g_autofree char *token_url = g_strconcat(base, "/latest/api/token", NULL);
    g_autofree char *roles_url = g_strconcat(base, ROLE_PATH, NULL);
    g_autoptr(GBytes) nothing = g_bytes_new(NULL, 0);
    g_autoptr(HttpResponse) answer =
        ask("PUT", token_url, "X-aws-ec2-metadata-token-ttl-seconds: 60", nothing, error);
    g_autoptr(HttpResponse) roles = NULL;
    g_autoptr(HttpResponse) found = NULL;
    g_autofree char *token = NULL;
    g_autofree char *header = NULL;
    g_autofree char *role = NULL;
    g_autofree char *role_url = NULL;

    if (answer == NULL)
        return NULL;
    token = text_of(answer);
    header = g_strconcat("X-aws-ec2-metadata-token: ", token, NULL);
    if (strpbrk(token, "\r\n") != NULL)
        return fail(error, token_url, "the answer is no token");
    roles = ask("GET", roles_url, header, NULL, error);
    if (roles == NULL)
        return NULL;
    role = text_of(roles);
    if (role[0] == '\0' || strpbrk(role, "\r\n /?#") != NULL)
        return fail(error, roles_url, "this instance has no role, or more than one");
    role_url = g_strconcat(roles_url, role, NULL);
    found = ask("GET", role_url, header, NULL, error);
    return found == NULL ? NULL : aws_credentials_fetch_parse(found->body, role_url, error);
}

static bool
on_leaf(const char *path, const char *text, void *user_data)
{
    Parts *parts = user_data;
    const struct {
        const char *path;
        char **place;
    } rows[] = {
        {STS_CREDENTIALS "AccessKeyId",     &parts->id        },
        {STS_CREDENTIALS "SecretAccessKey", &parts->secret    },
        {STS_CREDENTIALS "SessionToken",    &parts->token     },
        {STS_CREDENTIALS "Expiration",      &parts->expiration},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        if (strcmp(path, rows[i].path) == 0 && *rows[i].place == NULL)
            *rows[i].place = g_strdup(text);
    }
    return true;
}

AwsCredentials *
aws_credentials_fetch_web_identity(const AwsWebIdentity *identity, GError **error)
{
    g_autofree char *role = aws_request_encode(identity->role_arn, false);
    g_autofree char *name = aws_request_encode(identity->session_name, false);
    g_autofree char *token = aws_request_encode(identity->token, false);
    char *form = g_strdup_printf("Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn=%s&"
                                 "RoleSessionName=%s&WebIdentityToken=%s",
                                 role, name, token);
    g_autoptr(GBytes) body = g_bytes_new_take(form, strlen(form));
    g_autofree char *url = g_strconcat(identity->endpoint, "/", NULL);
    g_autoptr(HttpResponse) response =
        ask("POST", url, "Content-Type: application/x-www-form-urlencoded", body, error);
    g_auto(Parts) parts = {0};

    if (response == NULL || !s3_xml_read(response->body, STS_ANSWER, on_leaf, &parts, error))
        return NULL;
    return credentials_of(&parts, url, error);
}
