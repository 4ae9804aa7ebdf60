#include "crypto/key_ring_read.h"

#include <string.h>

/* Whatever is read as a key ring is written again as it was. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes)
{
    g_autofree char *text = g_strndup((const char *) data, n_bytes);
    g_autoptr(KeyRing) ring = key_ring_parse(text, NULL);
    g_autofree char *again = ring != NULL ? key_ring_to_text(ring) : NULL;

    if (ring != NULL)
        g_assert_cmpstr(again, ==, text);
    return 0;
}
