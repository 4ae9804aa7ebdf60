#include "crypto/base64.h"

#include <glib.h>
#include <sodium.h>
#include <string.h>

/* libsodium 1.0.18 takes 0xab for `+` and 0xaf for `/`, because it compares signed characters. */
static bool
is_ascii(const char *text, size_t n_text)
{
    unsigned char all = 0;

    for (size_t i = 0; i < n_text; i++)
        all |= (unsigned char) text[i];
    return all < 0x80;
}

bool
base64_decode_padded(const char *text, size_t n_text, uint8_t *bytes, size_t capacity,
                     size_t *n_bytes)
{
    return is_ascii(text, n_text) && sodium_base642bin(bytes, capacity, text, n_text, NULL, n_bytes,
                                                       NULL, sodium_base64_VARIANT_ORIGINAL) == 0;
}

bool
base64_decode_unpadded(const char *text, size_t n_text, uint8_t *bytes, size_t capacity,
                       size_t *n_bytes)
{
    return is_ascii(text, n_text) &&
           sodium_base642bin(bytes, capacity, text, n_text, NULL, n_bytes, NULL,
                             sodium_base64_VARIANT_ORIGINAL_NO_PADDING) == 0;
}

bool
base64_decode_exactly(const char *text, uint8_t *bytes, size_t n_bytes)
{
    size_t n_decoded = 0;

    return base64_decode_unpadded(text, strlen(text), bytes, n_bytes, &n_decoded) &&
           n_decoded == n_bytes;
}

char *
base64_encode_unpadded(const uint8_t *bytes, size_t n_bytes)
{
    const size_t n_text =
        sodium_base64_encoded_len(n_bytes, sodium_base64_VARIANT_ORIGINAL_NO_PADDING);

    return sodium_bin2base64(g_malloc(n_text), n_text, bytes, n_bytes,
                             sodium_base64_VARIANT_ORIGINAL_NO_PADDING);
}
