#include "crypto/crypto_error.h"
#include "storage/aws_credentials_fetch.h"

#include <string.h>

/* Nothing but printable words gets out of a credentials file, nor of the JSON that machines get. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes);

static void
check(const AwsCredentials *credentials, const GError *error)
{
    g_assert_true((credentials == NULL) == (error != NULL));
    for (const char *c = credentials == NULL ? "" : credentials->access_key_id; *c != '\0'; c++)
        g_assert_true(g_ascii_isgraph(*c));
}

static void
check_json(const uint8_t *data, size_t n_bytes)
{
    g_autoptr(GBytes) answer = g_bytes_new(data, n_bytes);
    g_autoptr(GError) error = NULL;
    g_autoptr(AwsCredentials) credentials = aws_credentials_fetch_parse(answer, "x", &error);

    check(credentials, error);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes)
{
    if (n_bytes == 0 || n_bytes > 4096 || !crypto_start(NULL))
        return 0;
    g_autoptr(GError) error = NULL;
    g_autoptr(Secret) text = secret_new_zero(n_bytes, NULL);
    g_assert_nonnull(text);
    memcpy(secret_bytes(text), data, n_bytes);
    g_autoptr(AwsCredentials) credentials = aws_credentials_parse(text, "x", &error);

    check(credentials, error);
    check_json(data, n_bytes);
    return 0;
}
