#include "crypto/age_header.h"
#include "tests/fakes/age_fixture.h"

#include <string.h>

/* A header that parses is written back as exactly the same bytes, up to its MAC: there is only one
 * way to write it. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes)
{
    size_t n_seen = 0;
    age_fixture_start();
    const size_t n_header = age_header_find_end(data, n_bytes, &n_seen);
    g_autoptr(AgeHeader) header = age_header_parse(data, n_header, NULL);
    g_autoptr(Secret) file_key = age_fixture_secret("sixteen bytes!!!");

    if (header == NULL)
        return 0;
    g_autoptr(GByteArray) written = age_header_write(header->stanzas, file_key);
    g_assert_cmpuint(written->len, ==, n_header);
    g_assert_true(memcmp(written->data, data, header->n_text) == 0);
    return 0;
}
