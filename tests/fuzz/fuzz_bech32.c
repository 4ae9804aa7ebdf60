#include "crypto/bech32.h"

#include <glib.h>
#include <string.h>

/* A text that decodes is written back as exactly itself in lower case. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes)
{
    const char *reason = NULL;
    char text[BECH32_TEXT_BYTES];
    Bech32 value;

    if (!bech32_decode(&value, (const char *) data, n_bytes, &reason)) {
        g_assert_nonnull(reason);
        return 0;
    }
    for (char *c = value.prefix; *c != '\0'; c++)
        *c = g_ascii_tolower(*c);
    bech32_encode(&value, text);
    g_autofree char *lower = g_ascii_strdown((const char *) data, (gssize) n_bytes);
    g_assert_cmpuint(strlen(text), ==, n_bytes);
    g_assert_true(memcmp(text, lower, n_bytes) == 0);
    return 0;
}
