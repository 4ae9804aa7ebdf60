#include "crypto/crypto_error.h"

#include "crypto/secret_arena.h"

#include <sodium.h>
#include <stdarg.h>
#include <sys/prctl.h>
#include <sys/resource.h>

G_DEFINE_QUARK(sealtape_crypto_error, crypto_error)

bool
crypto_fail(GError **error, CryptoError code, const char *format, ...)
{
    if (error == NULL)
        return false;

    va_list arguments;
    va_start(arguments, format);
    g_propagate_error(error, g_error_new_valist(CRYPTO_ERROR, (int) code, format, arguments));
    va_end(arguments);
    return false;
}

/* Core files and other processes of the same user are the two ways out of a locked page. */
static bool
forbid_reads_from_outside(void)
{
    const struct rlimit none = {0, 0};

    return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0 && setrlimit(RLIMIT_CORE, &none) == 0;
}

bool
crypto_start(GError **error)
{
    if (sodium_init() < 0)
        return crypto_fail(error, CRYPTO_ERROR_NO_LOCKED_MEMORY, "cannot start libsodium");
    if (!forbid_reads_from_outside()) {
        return crypto_fail(error, CRYPTO_ERROR_NO_LOCKED_MEMORY,
                           "cannot forbid core files and reads by other processes");
    }
    return secret_arena_start(error);
}
