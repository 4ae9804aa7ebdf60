#include "storage/aws_credentials_source.h"

#include "storage/aws_credentials_fetch.h"
#include "storage/durable_file.h"
#include "storage/storage_error.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CONTAINER_HOST "http://169.254.170.2"

/* Credentials that end are fetched anew this long before. */
enum { REFRESH_EARLY_S = 300, REFRESH_AGAIN_S = 30, MAX_FILE_BYTES = 64 << 10 };

typedef enum {
    SOURCE_FILE,
    SOURCE_ENVIRONMENT,
    SOURCE_SYSTEMD, /* a file that the service manager guards */
    SOURCE_INSTANCE,
    SOURCE_CONTAINER,
    SOURCE_WEB_IDENTITY,
} SourceKind;

struct AwsCredentialsSource {
    SourceKind kind;
    char *path; /* for SYSTEMD: the credential's name */
    GMutex lock;
    struct {
        AwsCredentials *current; /* NULL: to be read */
        int64_t not_before_unix; /* a refresh failed: not again until then */
    } locked;
};

static void *
fail(GError **error, const char *what, const char *sentence)
{
    g_set_error(error, STORAGE_ERROR, STORAGE_ERROR_DENIED, "%s: %s", what, sentence);
    return NULL;
}

AwsCredentialsSource *
aws_credentials_source_new(const char *text, GError **error)
{
    AwsCredentialsSource *self = NULL;
    static const struct {
        const char *text;
        SourceKind kind;
    } words[] = {
        {"environment",  SOURCE_ENVIRONMENT },
        {"instance",     SOURCE_INSTANCE    },
        {"container",    SOURCE_CONTAINER   },
        {"web-identity", SOURCE_WEB_IDENTITY},
    };
    SourceKind kind = SOURCE_FILE;
    const char *path = text;

    for (size_t i = 0; i < G_N_ELEMENTS(words); i++) {
        if (strcmp(text, words[i].text) == 0)
            kind = words[i].kind;
    }
    if (kind != SOURCE_FILE) {
        path = NULL;
    } else if (g_str_has_prefix(text, "systemd:")) {
        kind = SOURCE_SYSTEMD;
        path = text + strlen("systemd:");
        if (path[0] == '\0' || strchr(path, '/') != NULL)
            return fail(error, text, "names no credential of the unit");
    } else if (text[0] != '/') {
        return fail(error, text,
                    "is none of: an absolute path, systemd:<name>, environment, instance, "
                    "container, web-identity");
    }
    self = g_new0(AwsCredentialsSource, 1);
    self->kind = kind;
    self->path = g_strdup(path);
    g_mutex_init(&self->lock);
    return self;
}

static AwsCredentials *
read_environment(GError **error)
{
    const char *id = getenv("AWS_ACCESS_KEY_ID");
    const char *secret = getenv("AWS_SECRET_ACCESS_KEY");

    if (id == NULL || secret == NULL)
        return fail(error, "environment", "AWS_ACCESS_KEY_ID or AWS_SECRET_ACCESS_KEY is not set");
    return aws_credentials_new(id, secret, getenv("AWS_SESSION_TOKEN"), error);
}

/* Straight into locked memory. */
static Secret *
read_open_file(int file, size_t n_bytes, const char *path, GError **error)
{
    g_autoptr(Secret) text = secret_new_zero(n_bytes, error);
    size_t n_read = 0;

    while (text != NULL && n_read < n_bytes) {
        const ssize_t n = read(file, secret_bytes(text) + n_read, n_bytes - n_read);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return fail(error, path, n < 0 ? g_strerror(errno) : "was cut while it was read");
        n_read += (size_t) n;
    }
    return g_steal_pointer(&text);
}

static AwsCredentials *
read_file(const char *path, bool is_guarded, GError **error)
{
    g_auto(Fd) file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    g_autoptr(Secret) text = NULL;
    struct stat found;

    if (file < 0 || fstat(file, &found) != 0)
        return fail(error, path, g_strerror(errno));
    if (!S_ISREG(found.st_mode))
        return fail(error, path, "is not a file");
    if (!is_guarded && (found.st_mode & 077) != 0)
        return fail(error, path, "group or others may use these credentials; `chmod 600` the file");
    if (found.st_size == 0 || found.st_size > MAX_FILE_BYTES)
        return fail(error, path, "is empty or longer than 64 KiB");
    text = read_open_file(file, (size_t) found.st_size, path, error);
    return text == NULL ? NULL : aws_credentials_parse(text, path, error);
}

static AwsCredentials *
read_systemd(const char *name, GError **error)
{
    const char *folder = getenv("CREDENTIALS_DIRECTORY");
    g_autofree char *path = NULL;

    if (folder == NULL)
        return fail(error, name, "this unit has no credentials: set LoadCredential= for it");
    path = g_build_filename(folder, name, NULL);
    return read_file(path, true, error);
}

/* A token for a header or a form: one line. Returns: owned. */
static char *
read_token(const char *path, GError **error)
{
    g_autofree char *text = NULL;
    g_autoptr(GError) reason = NULL;

    if (!g_file_get_contents(path, &text, NULL, &reason))
        return fail(error, path, reason->message);
    if (strpbrk(g_strstrip(text), "\r\n") != NULL || text[0] == '\0')
        return fail(error, path, "is no token");
    return g_steal_pointer(&text);
}

static AwsCredentials *
fetch_container(GError **error)
{
    const char *relative = getenv("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
    const char *full = getenv("AWS_CONTAINER_CREDENTIALS_FULL_URI");
    const char *token_path = getenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
    g_autofree char *url =
        relative == NULL ? g_strdup(full) : g_strconcat(CONTAINER_HOST, relative, NULL);
    g_autofree char *token = NULL;

    if (url == NULL)
        return fail(error, "container", "AWS_CONTAINER_CREDENTIALS_FULL_URI is not set");
    if (token_path != NULL) {
        token = read_token(token_path, error);
        if (token == NULL)
            return NULL;
    } else {
        token = g_strdup(getenv("AWS_CONTAINER_AUTHORIZATION_TOKEN"));
    }
    return aws_credentials_fetch_container(url, token, error);
}

static AwsCredentials *
fetch_web_identity(GError **error)
{
    const char *path = getenv("AWS_WEB_IDENTITY_TOKEN_FILE");
    const char *name = getenv("AWS_ROLE_SESSION_NAME");
    const char *endpoint = getenv("AWS_ENDPOINT_URL_STS");
    AwsWebIdentity identity = {.endpoint =
                                   endpoint == NULL ? "https://sts.amazonaws.com" : endpoint,
                               .role_arn = getenv("AWS_ROLE_ARN"),
                               .session_name = name == NULL ? "sealtape" : name};
    g_autofree char *token = NULL;

    if (path == NULL || identity.role_arn == NULL) {
        return fail(error, "web-identity",
                    "AWS_ROLE_ARN or AWS_WEB_IDENTITY_TOKEN_FILE is not set");
    }
    token = read_token(path, error); /* it is replaced every hour or so */
    identity.token = token;
    return token == NULL ? NULL : aws_credentials_fetch_web_identity(&identity, error);
}

static AwsCredentials *
read_source(const AwsCredentialsSource *self, GError **error)
{
    switch (self->kind) {
    case SOURCE_ENVIRONMENT:
        return read_environment(error);
    case SOURCE_SYSTEMD:
        return read_systemd(self->path, error);
    case SOURCE_INSTANCE:
        return aws_credentials_fetch_instance(getenv("AWS_EC2_METADATA_SERVICE_ENDPOINT"), error);
    case SOURCE_CONTAINER:
        return fetch_container(error);
    case SOURCE_WEB_IDENTITY:
        return fetch_web_identity(error);
    case SOURCE_FILE:
    default:
        return read_file(self->path, false, error);
    }
}

static bool
is_fresh_locked(const AwsCredentialsSource *self, int64_t now_unix)
{
    const AwsCredentials *current = self->locked.current;

    return current != NULL &&
           (current->expires_unix == 0 || current->expires_unix - REFRESH_EARLY_S > now_unix ||
            (current->expires_unix > now_unix && self->locked.not_before_unix > now_unix));
}

/* The old ones are good to their end, whatever ails their source. */
static void
refresh_locked(AwsCredentialsSource *self, int64_t now_unix, GError **error)
{
    g_autoptr(GError) reason = NULL;
    AwsCredentials *next = read_source(self, &reason);
    const AwsCredentials *old = self->locked.current;

    if (next == NULL && old != NULL && old->expires_unix > now_unix) {
        g_warning("credentials for the store could not be renewed yet: %s", reason->message);
        self->locked.not_before_unix = now_unix + REFRESH_AGAIN_S;
        return;
    }
    g_clear_pointer(&self->locked.current, aws_credentials_unref);
    self->locked.current = next;
    if (next == NULL)
        g_propagate_error(error, g_steal_pointer(&reason));
}

AwsCredentials *
aws_credentials_source_get(AwsCredentialsSource *self, int64_t now_unix, GError **error)
{
    AwsCredentials *found = NULL;

    g_mutex_lock(&self->lock);
    if (!is_fresh_locked(self, now_unix))
        refresh_locked(self, now_unix, error);
    if (self->locked.current != NULL)
        found = aws_credentials_ref(self->locked.current);
    g_mutex_unlock(&self->lock);
    return found;
}

void
aws_credentials_source_expire(AwsCredentialsSource *self, const AwsCredentials *used)
{
    g_mutex_lock(&self->lock);
    if (self->locked.current == used) {
        g_clear_pointer(&self->locked.current, aws_credentials_unref);
    }
    g_mutex_unlock(&self->lock);
}

void
aws_credentials_source_free(AwsCredentialsSource *self)
{
    if (self == NULL)
        return;
    g_clear_pointer(&self->locked.current, aws_credentials_unref);
    g_mutex_clear(&self->lock);
    g_free(self->path);
    g_free(self);
}
