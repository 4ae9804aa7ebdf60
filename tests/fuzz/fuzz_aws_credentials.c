#include "crypto/crypto_error.h"
#include "storage/aws_credentials.h"

#include <string.h>

/* Nothing but printable words gets out of a credentials file. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes);

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

    g_assert_true((credentials == NULL) == (error != NULL));
    if (credentials != NULL)
        for (const char *c = credentials->access_key_id; *c != '\0'; c++)
            g_assert_true(g_ascii_isgraph(*c));
    return 0;
}
