#include "storage/s3_setup.h"

#include "storage/aws_credentials_source.h"
#include "storage/storage_error.h"

#include <string.h>

enum { DEFAULT_CONCURRENT = 4, DEFAULT_ATTEMPT_MS = 60000, DEFAULT_RETRY_MS = 10000 };

static bool
fail(GError **error, const char *sentence)
{
    g_set_error(error, STORAGE_ERROR, STORAGE_ERROR_DENIED, "S3 store: %s", sentence);
    return false;
}

static bool
is_printable(const char *text)
{
    for (; text != NULL && *text != '\0'; text++) {
        if (!g_ascii_isgraph(*text))
            return false;
    }
    return true;
}

/* What is put beside each object. */
static bool
check_wishes(const S3StoreOptions *options, GError **error)
{
    if (options->encryption != NULL && strcmp(options->encryption, "AES256") != 0 &&
        strcmp(options->encryption, "aws:kms") != 0)
        return fail(error, "encryption is AES256 or aws:kms");
    if (options->kms_key_id != NULL && g_strcmp0(options->encryption, "aws:kms") != 0)
        return fail(error, "a KMS key needs encryption aws:kms");
    if ((options->lock == S3_LOCK_NONE) != (options->lock_days == 0))
        return fail(error, "an object lock needs a mode and a number of days");
    if (!is_printable(options->kms_key_id) || !is_printable(options->storage_class) ||
        !is_printable(options->tags))
        return fail(error, "key id, storage class and tags hold no spaces or control characters");
    return true;
}

static bool
check_connection(const S3StoreOptions *options, GError **error)
{
    static const char region_letters[] = "abcdefghijklmnopqrstuvwxyz0123456789-";
    const char *region = options->region == NULL ? "" : options->region;

    if (options->endpoint == NULL || options->bucket == NULL || options->credentials == NULL)
        return fail(error, "needs an endpoint, a bucket and credentials");
    if (strspn(region, region_letters) != strlen(region))
        return fail(error, "a region is of a-z, 0-9 and `-`");
    for (size_t i = 0; options->pins != NULL && options->pins[i] != NULL; i++) {
        const char *pin = options->pins[i];

        if (!g_str_has_prefix(pin, "sha256//") || strchr(pin, ';') != NULL)
            return fail(error, "a pin is sha256//<base64 of the public key's SHA-256>");
    }
    if (options->ca_file != NULL && !g_file_test(options->ca_file, G_FILE_TEST_IS_REGULAR))
        return fail(error, "the file of certificate authorities is not there");
    return true;
}

unsigned
s3_setup_concurrent(const S3StoreOptions *options)
{
    return options->max_concurrent == 0 ? DEFAULT_CONCURRENT : options->max_concurrent;
}

S3Client *
s3_setup_client(const S3StoreOptions *options, GError **error)
{
    g_autoptr(S3Endpoint) endpoint = NULL;
    g_autoptr(AwsCredentialsSource) source = NULL;
    g_autoptr(AwsCredentials) first = NULL;
    g_autoptr(GError) reason = NULL;
    g_autofree char *pins = options->pins == NULL ? NULL : g_strjoinv(";", (char **) options->pins);
    S3ClientOptions made = {
        .region = options->region == NULL ? "us-east-1" : options->region,
        .keeps_region = options->keeps_region,
        .http = {.ca_file = options->ca_file,
                 .pins = pins == NULL || pins[0] == '\0' ? NULL : pins,
                 .proxy = options->proxy},
        .max_concurrent = s3_setup_concurrent(options),
        .attempt_ms = options->attempt_ms == 0 ? DEFAULT_ATTEMPT_MS : options->attempt_ms,
        .retry_ms = options->retry_ms == 0 ? DEFAULT_RETRY_MS : options->retry_ms,
    };

    if (!check_connection(options, error) || !check_wishes(options, error))
        return NULL;
    made.http.max_connections = made.max_concurrent;
    made.http.max_bytes_per_s = (uint64_t) options->max_upload_kbit_s * 1000 / 8;
    endpoint = s3_endpoint_new(options->endpoint, options->bucket, options->style,
                               options->prefix == NULL ? "" : options->prefix, error);
    if (endpoint == NULL)
        return NULL;
    source = aws_credentials_source_new(options->credentials, error);
    if (source == NULL)
        return NULL;
    first = aws_credentials_source_get(source, g_get_real_time() / G_USEC_PER_SEC, &reason);
    if (g_error_matches(reason, STORAGE_ERROR, STORAGE_ERROR_TRANSIENT)) {
        g_warning("no credentials for the store yet: %s", reason->message);
    } else if (first == NULL) {
        g_propagate_error(error, g_steal_pointer(&reason));
        return NULL;
    }
    made.endpoint = g_steal_pointer(&endpoint);
    made.credentials = g_steal_pointer(&source);
    return s3_client_new(&made);
}
