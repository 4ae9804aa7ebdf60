#include "storage/s3_fault.h"

#include "storage/s3_xml.h"

#include <curl/curl.h>
#include <string.h>

enum { MAX_MESSAGE_BYTES = 300, MAX_RETRY_AFTER_S = 600 };

static const struct {
    const char *code;
    S3FaultKind kind;
    StorageError error;
} codes[] = {
    {"SlowDown",                     S3_FAULT_THROTTLED, STORAGE_ERROR_TRANSIENT},
    {"SlowDownRead",                 S3_FAULT_THROTTLED, STORAGE_ERROR_TRANSIENT},
    {"SlowDownWrite",                S3_FAULT_THROTTLED, STORAGE_ERROR_TRANSIENT},
    {"Throttling",                   S3_FAULT_THROTTLED, STORAGE_ERROR_TRANSIENT},
    {"ThrottlingException",          S3_FAULT_THROTTLED, STORAGE_ERROR_TRANSIENT},
    {"RequestThrottled",             S3_FAULT_THROTTLED, STORAGE_ERROR_TRANSIENT},
    {"RequestLimitExceeded",         S3_FAULT_THROTTLED, STORAGE_ERROR_TRANSIENT},
    {"TooManyRequests",              S3_FAULT_THROTTLED, STORAGE_ERROR_TRANSIENT},
    {"ServiceUnavailable",           S3_FAULT_THROTTLED, STORAGE_ERROR_TRANSIENT},
    {"InternalError",                S3_FAULT_PASSING,   STORAGE_ERROR_TRANSIENT},
    {"RequestTimeout",               S3_FAULT_PASSING,   STORAGE_ERROR_TRANSIENT},
    {"OperationAborted",             S3_FAULT_PASSING,   STORAGE_ERROR_TRANSIENT},
    {"ConditionalRequestConflict",   S3_FAULT_PASSING,   STORAGE_ERROR_TRANSIENT},
    {"IncompleteBody",               S3_FAULT_PASSING,   STORAGE_ERROR_TRANSIENT},
    {"RequestTimeTooSkewed",         S3_FAULT_CLOCK,     STORAGE_ERROR_DENIED   },
    {"RequestExpired",               S3_FAULT_CLOCK,     STORAGE_ERROR_DENIED   },
    {"ExpiredToken",                 S3_FAULT_EXPIRED,   STORAGE_ERROR_DENIED   },
    {"ExpiredTokenException",        S3_FAULT_EXPIRED,   STORAGE_ERROR_DENIED   },
    {"TokenRefreshRequired",         S3_FAULT_EXPIRED,   STORAGE_ERROR_DENIED   },
    {"InvalidToken",                 S3_FAULT_EXPIRED,   STORAGE_ERROR_DENIED   },
    {"InvalidAccessKeyId",           S3_FAULT_EXPIRED,   STORAGE_ERROR_DENIED   }, /* keys rotated: look again */
    {"SignatureDoesNotMatch",        S3_FAULT_EXPIRED,   STORAGE_ERROR_DENIED   },
    {"AuthorizationHeaderMalformed", S3_FAULT_REGION,    STORAGE_ERROR_DENIED   },
    {"PermanentRedirect",            S3_FAULT_FINAL,     STORAGE_ERROR_DENIED   },
    {"TemporaryRedirect",            S3_FAULT_PASSING,   STORAGE_ERROR_TRANSIENT},
    {"PreconditionFailed",           S3_FAULT_EXISTS,    STORAGE_ERROR_CONFLICT },
    {"BadDigest",                    S3_FAULT_DAMAGED,   STORAGE_ERROR_CORRUPT  },
    {"InvalidDigest",                S3_FAULT_DAMAGED,   STORAGE_ERROR_CORRUPT  },
    {"XAmzContentSHA256Mismatch",    S3_FAULT_DAMAGED,   STORAGE_ERROR_CORRUPT  },
    {"XAmzContentChecksumMismatch",  S3_FAULT_DAMAGED,   STORAGE_ERROR_CORRUPT  },
    {"AccessDenied",                 S3_FAULT_FINAL,     STORAGE_ERROR_DENIED   },
    {"NoSuchKey",                    S3_FAULT_FINAL,     STORAGE_ERROR_NOT_FOUND},
    {"NoSuchVersion",                S3_FAULT_FINAL,     STORAGE_ERROR_NOT_FOUND},
    {"NoSuchBucket",                 S3_FAULT_FINAL,
     STORAGE_ERROR_DENIED                                                       }, /* a fault of the set-up, not of one name */
    {"QuotaExceeded",                S3_FAULT_FINAL,     STORAGE_ERROR_FULL     },
    {"EntityTooLarge",               S3_FAULT_FINAL,     STORAGE_ERROR_DENIED   },
};

static const struct {
    unsigned status;
    S3FaultKind kind;
    StorageError error;
} statuses[] = {
    {404, S3_FAULT_FINAL,     STORAGE_ERROR_NOT_FOUND},
    {408, S3_FAULT_PASSING,   STORAGE_ERROR_TRANSIENT},
    {409, S3_FAULT_PASSING,   STORAGE_ERROR_TRANSIENT},
    {412, S3_FAULT_EXISTS,    STORAGE_ERROR_CONFLICT },
    {417, S3_FAULT_PASSING,   STORAGE_ERROR_TRANSIENT},
    {425, S3_FAULT_PASSING,   STORAGE_ERROR_TRANSIENT},
    {429, S3_FAULT_THROTTLED, STORAGE_ERROR_TRANSIENT},
    {499, S3_FAULT_PASSING,   STORAGE_ERROR_TRANSIENT},
    {501, S3_FAULT_FINAL,     STORAGE_ERROR_DENIED   },
    {503, S3_FAULT_THROTTLED, STORAGE_ERROR_TRANSIENT},
    {507, S3_FAULT_FINAL,     STORAGE_ERROR_FULL     },
};

/* What an <Error> says. */
typedef struct {
    char *code;
    char *message;
    char *region;
} ErrorText;

static void
error_text_clear(ErrorText *self)
{
    g_clear_pointer(&self->code, g_free);
    g_clear_pointer(&self->message, g_free);
    g_clear_pointer(&self->region, g_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(ErrorText, error_text_clear)

static bool
on_leaf(const char *path, const char *text, void *user_data)
{
    ErrorText *self = user_data;
    char **place = strcmp(path, "Code") == 0      ? &self->code
                   : strcmp(path, "Message") == 0 ? &self->message
                   : strcmp(path, "Region") == 0  ? &self->region
                                                  : NULL;

    if (place != NULL && *place == NULL)
        *place = g_strndup(text, MAX_MESSAGE_BYTES);
    return true;
}

static bool
read_error(GBytes *body, ErrorText *text)
{
    return s3_xml_read(body, "Error", on_leaf, text, NULL) && text->code != NULL;
}

bool
s3_fault_is_error(GBytes *body)
{
    g_auto(ErrorText) text = {0};

    return read_error(body, &text);
}

static void
classify(S3Fault *self, unsigned status, const char *code)
{
    for (size_t i = 0; code != NULL && i < G_N_ELEMENTS(codes); i++) {
        if (strcmp(codes[i].code, code) == 0) {
            self->kind = codes[i].kind;
            self->code = codes[i].error;
            return;
        }
    }
    for (size_t i = 0; i < G_N_ELEMENTS(statuses); i++) {
        if (statuses[i].status == status) {
            self->kind = statuses[i].kind;
            self->code = statuses[i].error;
            return;
        }
    }
    self->kind = status >= 500 || status < 300 ? S3_FAULT_PASSING : S3_FAULT_FINAL;
    self->code = self->kind == S3_FAULT_PASSING ? STORAGE_ERROR_TRANSIENT : STORAGE_ERROR_DENIED;
}

/* What a server says goes into a log line: printable, short. */
static char *
tame(const char *text)
{
    char *tamed = g_strndup(text, MAX_MESSAGE_BYTES);

    for (char *c = tamed; *c != '\0'; c++) {
        if (!g_ascii_isprint(*c))
            *c = '?';
    }
    return tamed;
}

static char *
describe(const HttpResponse *response, const ErrorText *text)
{
    const char *const ids[] = {"x-amz-request-id", "x-amz-id-2"};
    GString *sentence = g_string_new(NULL);

    g_string_append_printf(sentence, "status %u", response->status);
    if (text->code != NULL)
        g_string_append_printf(sentence, ", %s", text->code);
    if (text->message != NULL && text->message[0] != '\0')
        g_string_append_printf(sentence, ": %s", text->message);
    if (text->code == NULL && g_bytes_get_size(response->body) > 0)
        g_string_append(sentence, ", and the answer is not S3's (a proxy in between?)");
    if (text->region != NULL)
        g_string_append_printf(sentence, "; the bucket's region is %s", text->region);
    for (size_t i = 0; i < G_N_ELEMENTS(ids); i++) {
        if (http_response_header(response, ids[i]) != NULL) {
            g_string_append_printf(sentence, "; %s %s", ids[i],
                                   http_response_header(response, ids[i]));
        }
    }
    return g_string_free(sentence, FALSE);
}

S3Fault *
s3_fault_read(const HttpResponse *response)
{
    g_auto(ErrorText) text = {0};
    S3Fault *self = g_new0(S3Fault, 1);
    g_autofree char *sentence = NULL;

    if (!read_error(response->body, &text))
        error_text_clear(&text); /* half of an error is none */
    if (text.region == NULL)
        text.region = g_strdup(http_response_header(response, "x-amz-bucket-region"));
    classify(self, response->status, text.code);
    sentence = describe(response, &text);
    self->sentence = tame(sentence);
    self->region = g_steal_pointer(&text.region);
    return self;
}

unsigned
s3_fault_retry_after_ms(const HttpResponse *response)
{
    const char *text = http_response_header(response, "retry-after");
    guint64 seconds = 0;

    if (text == NULL || !g_ascii_string_to_unsigned(text, 10, 0, G_MAXUINT32, &seconds, NULL))
        return 0;
    return (unsigned) MIN(seconds, MAX_RETRY_AFTER_S) * 1000;
}

bool
s3_fault_clock_offset(const HttpResponse *response, int64_t now_unix, int64_t *offset_s)
{
    const char *text = http_response_header(response, "date");
    const time_t date = text == NULL ? -1 : curl_getdate(text, NULL);

    if (date <= 0)
        return false;
    *offset_s = (int64_t) date - now_unix;
    return true;
}

void
s3_fault_free(S3Fault *self)
{
    if (self == NULL)
        return;
    g_free(self->region);
    g_free(self->sentence);
    g_free(self);
}
