#include "crypto/age_past.h"
#include "tests/fakes/age_fixture.h"

#include <string.h>

/* What is accepted is written again byte for byte, and gives some digest. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes)
{
    age_fixture_start();
    g_autoptr(AgePast) past = age_past_parse((const char *) data, n_bytes, NULL);
    g_autoptr(Secret) again = past != NULL ? age_past_to_text(past, NULL) : NULL;

    if (past == NULL)
        return 0;
    g_assert_cmpmem(secret_peek(again), (int) secret_length(again), data, (int) n_bytes);
    (void) age_past_digest(past, data, n_bytes);
    return 0;
}
