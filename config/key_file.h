#pragma once

#include "crypto/secret.h"

#include <glib.h>

/* Reads a file that holds a secret key into locked memory.
 * Returns: its bytes. Errors: CONFIG_ERROR_UNREADABLE; CONFIG_ERROR_UNSAFE - group or others may
 * read or write it (the sentence says which chmod helps); CONFIG_ERROR_INVALID - empty or over 64
 * KiB. */
Secret *key_file_read(const char *path, GError **error) G_GNUC_WARN_UNUSED_RESULT;
