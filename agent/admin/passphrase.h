#pragma once

#include "crypto/secret.h"

/* Asks for a passphrase on the terminal (/dev/tty, whatever standard input is), without echo.
 * `prompt`: without the colon.
 * Errors: G_IO_ERROR - no terminal, nothing typed, or longer than a kilobyte; NO_LOCKED_MEMORY.
 * Blocks. */
Secret *passphrase_ask(const char *prompt, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Asks for the one of the identity file at `path`: an IdentityFilesAsk. */
Secret *passphrase_ask_for_file(const char *path, void *user_data,
                                GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Asks for a new one, twice; draws one and shows it if the person leaves that to us. Errors: as
 * above; G_IO_ERROR - the two differ. */
Secret *passphrase_ask_new(GError **error) G_GNUC_WARN_UNUSED_RESULT;
