#include "crypto/age_file.h"
#include "crypto/age_seal_list.h"
#include "tests/fakes/age_fixture.h"
#include "tests/fakes/soft_token.h"

/* Nothing but what was sealed to the token's key opens with it; and headers are read for whom they
 * name. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes)
{
    age_fixture_start();
    g_autoptr(GPtrArray) identities =
        g_ptr_array_new_with_free_func((GDestroyNotify) age_identity_free);
    g_ptr_array_add(identities, soft_token_identity(NULL, NULL));
    g_autoptr(GByteArray) opened =
        age_file_open(identities, age_context_any(), data, n_bytes, NULL);
    g_auto(GStrv) marks = age_seal_list_claimed(data, n_bytes, NULL);

    if (opened != NULL)
        g_assert_cmpmem(opened->data, opened->len, "visit", 5);
    (void) marks;
    return 0;
}
