#pragma once

#include <glib.h>
#include <stdbool.h>

/* What callers of crypto/ act differently on. The message says what and where; none ever holds a
 * key byte. */
typedef enum {
    CRYPTO_ERROR_NO_LOCKED_MEMORY, /* RLIMIT_MEMLOCK too low: stop, never go on unlocked */
    CRYPTO_ERROR_MALFORMED,        /* not a well-formed file, key or note */
    CRYPTO_ERROR_AUTHENTICATION,   /* MAC, tag or signature is wrong: changed or cut */
    CRYPTO_ERROR_NO_MATCH,         /* well-formed, but none of the given keys opens or signed it */
    CRYPTO_ERROR_CONTEXT, /* genuine, but sealed for another place than the one asked for */
    CRYPTO_ERROR_IO,      /* the caller's source or sink failed */
    CRYPTO_ERROR_TOKEN,   /* what holds the key does not answer: nothing is wrong with the file */
} CryptoError;

#define CRYPTO_ERROR (crypto_error_quark())
GQuark crypto_error_quark(void);

/* Sets `error` from `format`. Returns: false, so that a failure is one line. */
bool crypto_fail(GError **error, CryptoError code, const char *format, ...) G_GNUC_PRINTF(3, 4);

/* Must be called once at the start of each program, before any other thread: starts libsodium,
 * forbids core files and other processes' reads (PR_SET_DUMPABLE, RLIMIT_CORE), reserves and locks
 * the key arena. Calling it again does nothing.
 * Errors: NO_LOCKED_MEMORY. */
bool crypto_start(GError **error) G_GNUC_WARN_UNUSED_RESULT;
