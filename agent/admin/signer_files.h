#pragma once

#include "crypto/secret.h"

#include <glib.h>
#include <stdbool.h>
#include <sys/types.h>

/* Files of keys, made once and never over another file. */

/* Makes `<program>.key` and `<program>.pub` in `folder`, with which a program signs on this host.
 * Returns: the verifier key, owned. Errors: STORAGE_ERROR_CONFLICT - there is one. */
char *signer_files_make(const char *folder, const char *program,
                        GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Create `folder`/`name`. */
bool signer_files_put_text(const char *folder, const char *name, mode_t mode, const char *text,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;
bool signer_files_put_secret(const char *folder, const char *name, const Secret *secret,
                             GError **error) G_GNUC_WARN_UNUSED_RESULT;
