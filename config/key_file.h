#pragma once

#include "crypto/secret.h"

#include <glib.h>

/* `systemd:NAME`, a credential of the unit, is a file in the folder that the service manager made.
 * Returns: its absolute path, owned; NULL if `source` is no such name. A folder that is missing
 * shows when the file is read. */
char *key_file_credential(const char *source);

/* Reads a file that holds a secret key into locked memory.
 * Returns: its bytes. Errors: CONFIG_ERROR_UNREADABLE; CONFIG_ERROR_UNSAFE - group or others may
 * read or write it (the sentence says which chmod helps); CONFIG_ERROR_INVALID - empty or over 64
 * KiB. */
Secret *key_file_read(const char *path, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Reads a secret key that another program writes into `fd`, a pipe, to its end. `name` is how
 * sentences call it. Errors: as above; CONFIG_ERROR_UNSAFE - it is a terminal. */
Secret *key_file_read_stream(int fd, const char *name, GError **error) G_GNUC_WARN_UNUSED_RESULT;
