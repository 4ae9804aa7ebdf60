#include "storage/aws_credentials.h"

#include "storage/storage_error.h"

#include <string.h>

#define KEY_PREFIX "AWS4"

enum { MAX_VALUE_BYTES = 16 << 10 };

/* A stretch of the text that is being read; not terminated. */
typedef struct {
    const char *start;
    size_t length;
} Span;

static void
clear_credentials(void *data)
{
    AwsCredentials *self = data;

    g_free(self->access_key_id);
    g_free(self->session_token);
    secret_free(self->secret);
}

static AwsCredentials *
make(Span id, Span secret, Span token, GError **error)
{
    const size_t n_prefix = strlen(KEY_PREFIX);
    AwsCredentials *self = NULL;
    Secret *key = secret_new_zero(n_prefix + secret.length, error);

    if (key == NULL)
        return NULL;
    memcpy(secret_bytes(key), KEY_PREFIX, n_prefix);
    memcpy(secret_bytes(key) + n_prefix, secret.start, secret.length);
    self = g_atomic_rc_box_new0(AwsCredentials);
    self->secret = key;
    self->access_key_id = g_strndup(id.start, id.length);
    if (token.length > 0)
        self->session_token = g_strndup(token.start, token.length);
    return self;
}

static bool
is_printable(Span value)
{
    if (value.length > MAX_VALUE_BYTES)
        return false;
    for (size_t i = 0; i < value.length; i++) {
        if (!g_ascii_isgraph(value.start[i]))
            return false;
    }
    return true;
}

static Span
trim(Span text)
{
    while (text.length > 0 && g_ascii_isspace(text.start[0])) {
        text.start++;
        text.length--;
    }
    while (text.length > 0 && g_ascii_isspace(text.start[text.length - 1]))
        text.length--;
    return text;
}

/* Takes one line off `text`. */
static Span
take_line(Span *text)
{
    const char *end = memchr(text->start, '\n', text->length);
    const size_t length = end == NULL ? text->length : (size_t) (end - text->start);
    const Span line = {text->start, length};
    const size_t taken = MIN(text->length, length + 1);

    text->start += taken;
    text->length -= taken;
    return trim(line);
}

static bool
is_name(Span name, const char *wanted)
{
    return name.length == strlen(wanted) && memcmp(name.start, wanted, name.length) == 0;
}

static bool
fail(GError **error, const char *origin, const char *sentence)
{
    g_set_error(error, STORAGE_ERROR, STORAGE_ERROR_DENIED, "%s: %s", origin, sentence);
    return false;
}

enum { ID, SECRET, TOKEN, N_VALUES };

static bool
read_line(Span line, Span values[N_VALUES], const char *origin, GError **error)
{
    static const char *const names[N_VALUES] = {"aws_access_key_id", "aws_secret_access_key",
                                                "aws_session_token"};
    const char *equals = memchr(line.start, '=', line.length);
    Span name;
    Span value;

    if (line.length == 0 || line.start[0] == '#' || line.start[0] == '[')
        return true;
    if (equals == NULL)
        return fail(error, origin, "a line that is not `name = value`");
    name = trim((Span){line.start, (size_t) (equals - line.start)});
    value = trim((Span){equals + 1, line.length - (size_t) (equals + 1 - line.start)});
    for (size_t i = 0; i < N_VALUES; i++) {
        if (!is_name(name, names[i]))
            continue;
        if (values[i].length > 0)
            return fail(error, origin, "a name stands there twice");
        if (value.length == 0 || !is_printable(value))
            return fail(error, origin, "a value is empty or holds what no key does");
        values[i] = value;
        return true;
    }
    return fail(error, origin,
                "only aws_access_key_id, aws_secret_access_key and aws_session_token are known");
}

AwsCredentials *
aws_credentials_parse(const Secret *text, const char *origin, GError **error)
{
    Span left = {(const char *) secret_peek(text), secret_length(text)};
    Span values[N_VALUES] = {0};

    while (left.length > 0) {
        if (!read_line(take_line(&left), values, origin, error))
            return NULL;
    }
    if (values[ID].length == 0 || values[SECRET].length == 0) {
        (void) fail(error, origin, "needs aws_access_key_id and aws_secret_access_key");
        return NULL;
    }
    return make(values[ID], values[SECRET], values[TOKEN], error);
}

AwsCredentials *
aws_credentials_new(const char *access_key_id, const char *secret_access_key,
                    const char *session_token, GError **error)
{
    const Span id = {access_key_id, strlen(access_key_id)};
    const Span secret = {secret_access_key, strlen(secret_access_key)};
    const Span token = {session_token, session_token == NULL ? 0 : strlen(session_token)};

    if (id.length == 0 || secret.length == 0 || !is_printable(id) || !is_printable(secret) ||
        !is_printable(token)) {
        (void) fail(error, "credentials", "a key is empty or holds what no key does");
        return NULL;
    }
    return make(id, secret, token, error);
}

AwsCredentials *
aws_credentials_ref(AwsCredentials *self)
{
    return g_atomic_rc_box_acquire(self);
}

void
aws_credentials_unref(AwsCredentials *self)
{
    g_atomic_rc_box_release_full(self, clear_credentials);
}
