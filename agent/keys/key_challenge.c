#include "agent/keys/key_challenge.h"

#include "crypto/age_file.h"
#include "crypto/crypto_error.h"

#include <string.h>

enum { CHALLENGE_BYTES = 32 };

bool
key_challenge_pass(const char *recipient, GPtrArray *identities, GError **error)
{
    g_autoptr(GPtrArray) recipients =
        g_ptr_array_new_with_free_func((GDestroyNotify) age_recipient_free);
    AgeRecipient *parsed = age_recipient_parse(recipient, error);
    g_autoptr(Secret) challenge = parsed != NULL ? secret_new_random(CHALLENGE_BYTES, error) : NULL;
    g_autoptr(GBytes) sealed = NULL;
    g_autoptr(Secret) opened = NULL;
    gsize n_bytes = 0;
    const uint8_t *bytes = NULL;

    if (parsed != NULL)
        g_ptr_array_add(recipients, parsed);
    if (challenge == NULL)
        return false;
    sealed = age_file_seal(recipients, NULL,
                           &(struct iovec){secret_bytes(challenge), CHALLENGE_BYTES}, 1, error);
    if (sealed == NULL)
        return false;
    bytes = g_bytes_get_data(sealed, &n_bytes);
    opened = age_file_open_secret(identities, NULL, bytes, n_bytes, error);
    if (opened == NULL)
        return false;
    /* The file's own MACs have compared it already. */
    return secret_length(opened) == CHALLENGE_BYTES ||
           crypto_fail(error, CRYPTO_ERROR_AUTHENTICATION, "the challenge came back changed");
}
