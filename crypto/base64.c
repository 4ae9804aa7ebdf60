#include "crypto/base64.h"

#include <sodium.h>

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
