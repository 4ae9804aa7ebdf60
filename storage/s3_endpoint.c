#include "storage/s3_endpoint.h"

#include "storage/object_key.h"
#include "storage/storage_error.h"

#include <gio/gio.h>
#include <string.h>

enum { MIN_BUCKET_BYTES = 3, MAX_BUCKET_BYTES = 63 };

static bool
fail(GError **error, const char *what, const char *sentence)
{
    g_set_error(error, STORAGE_ERROR, STORAGE_ERROR_DENIED, "S3 store, '%s': %s", what, sentence);
    return false;
}

static bool
is_loopback(const char *host)
{
    g_autoptr(GInetAddress) address = g_inet_address_new_from_string(host);

    return address != NULL ? g_inet_address_get_is_loopback(address)
                           : strcmp(host, "localhost") == 0 || g_str_has_suffix(host, ".localhost");
}

static bool
check_bucket(const char *bucket, GError **error)
{
    const size_t n_bytes = strlen(bucket);

    if (n_bytes < MIN_BUCKET_BYTES || n_bytes > MAX_BUCKET_BYTES ||
        strspn(bucket, "abcdefghijklmnopqrstuvwxyz0123456789.-") != n_bytes ||
        !g_ascii_isalnum(bucket[0]) || !g_ascii_isalnum(bucket[n_bytes - 1]))
        return fail(error, bucket, "no name of a bucket: 3 to 63 of a-z, 0-9, `.` and `-`");
    return true;
}

static bool
check_prefix(const char *prefix, GError **error)
{
    g_autofree char *key = g_strconcat(prefix, "x", NULL);

    if (prefix[0] == '\0' || (g_str_has_suffix(prefix, "/") && object_key_is_valid(key)))
        return true;
    return fail(error, prefix,
                "a prefix is words of a-z, 0-9, `.`, `_`, `-`, each followed by `/`");
}

static bool
check_uri(GUri *uri, const char *url, GError **error)
{
    const char *scheme = g_uri_get_scheme(uri);
    const char *path = g_uri_get_path(uri);

    if (g_uri_get_host(uri) == NULL || g_uri_get_host(uri)[0] == '\0')
        return fail(error, url, "names no host: `https://host` or `https://host:port`");
    if (strcmp(scheme, "https") != 0 && strcmp(scheme, "http") != 0)
        return fail(error, url, "is not https");
    if (strcmp(scheme, "http") == 0 && !is_loopback(g_uri_get_host(uri)))
        return fail(error, url, "http is for this machine alone: use https");
    if (g_uri_get_userinfo(uri) != NULL || g_uri_get_query(uri) != NULL ||
        g_uri_get_fragment(uri) != NULL || (path[0] != '\0' && strcmp(path, "/") != 0))
        return fail(error, url, "holds more than scheme, host and port");
    return true;
}

/* `host` as it stands in a URL and a Host header: a default port is left out, as libcurl does. */
static char *
host_of(GUri *uri, const char *bucket, S3Style style)
{
    const bool is_tls = strcmp(g_uri_get_scheme(uri), "https") == 0;
    const int port = g_uri_get_port(uri);
    const bool is_v6 = strchr(g_uri_get_host(uri), ':') != NULL;
    GString *host = g_string_new(NULL);

    if (style == S3_STYLE_HOST)
        g_string_append_printf(host, "%s.", bucket);
    g_string_append_printf(host, is_v6 ? "[%s]" : "%s", g_uri_get_host(uri));
    if (port > 0 && port != (is_tls ? 443 : 80))
        g_string_append_printf(host, ":%d", port);
    return g_string_free(host, FALSE);
}

S3Endpoint *
s3_endpoint_new(const char *url, const char *bucket, S3Style style, const char *prefix,
                GError **error)
{
    g_autoptr(GUri) uri = g_uri_parse(url, G_URI_FLAGS_NONE, NULL);
    S3Endpoint *self = NULL;

    if (uri == NULL) {
        (void) fail(error, url, "is no URL: `https://host` or `https://host:port`");
        return NULL;
    }
    if (!check_uri(uri, url, error) || !check_bucket(bucket, error) || !check_prefix(prefix, error))
        return NULL;
    if (style == S3_STYLE_HOST &&
        (strchr(bucket, '.') != NULL || g_hostname_is_ip_address(g_uri_get_host(uri)))) {
        (void) fail(error, bucket,
                    "no certificate fits such a name in front of the host: set style = \"path\"");
        return NULL;
    }
    self = g_new0(S3Endpoint, 1);
    self->host = host_of(uri, bucket, style);
    self->base = g_strdup_printf("%s://%s", g_uri_get_scheme(uri), self->host);
    self->prefix = g_strdup(prefix);
    self->bucket_path = style == S3_STYLE_PATH ? g_strdup_printf("/%s", bucket) : g_strdup("/");
    self->folder = g_strconcat(self->bucket_path, style == S3_STYLE_PATH ? "/" : "", prefix, NULL);
    return self;
}

AwsRequest *
s3_endpoint_request(const S3Endpoint *self, const char *method, const char *key)
{
    g_autofree char *path = key == NULL ? NULL : g_strconcat(self->folder, key, NULL);

    return aws_request_new(method, self->host, key == NULL ? self->bucket_path : path);
}

void
s3_endpoint_free(S3Endpoint *self)
{
    if (self == NULL)
        return;
    g_free(self->base);
    g_free(self->host);
    g_free(self->folder);
    g_free(self->bucket_path);
    g_free(self->prefix);
    g_free(self);
}
