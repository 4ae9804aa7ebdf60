#include "crypto/signed_note.h"
#include "tests/fakes/age_fixture.h"

#include <string.h>

/* No note but those of the reference implementation's example key opens, and that only with the one
 * text it signed; the same bytes are tried as keys. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes)
{
    age_fixture_start();
    g_autoptr(GPtrArray) verifiers =
        g_ptr_array_new_with_free_func((GDestroyNotify) note_verifier_free);
    g_ptr_array_add(
        verifiers, note_verifier_parse(
                       "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", NULL));
    g_autofree char *text = note_open((const char *) data, n_bytes, verifiers, NULL);
    g_autofree char *key_text = g_strndup((const char *) data, MIN(n_bytes, 1000));
    g_autoptr(NoteVerifier) verifier = note_verifier_parse(key_text, NULL);
    g_autoptr(Secret) secret = age_fixture_secret(key_text);
    g_autoptr(NoteSigner) signer = note_signer_parse(secret, NULL);

    if (text != NULL)
        g_assert_true(g_str_has_prefix(text, "If you think cryptography is the answer"));
    return 0;
}
