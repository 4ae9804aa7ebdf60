#pragma once

#include <glib.h>
#include <stdbool.h>

/* Files of recipients and identities that a person names on the command line; `-` for standard
 * input. */

/* Adds to `recipients` (of AgeRecipient) those that `path` lists: one a line, `#` for comments.
 * Errors: any, with the path and the line. */
bool age_key_files_add_recipients(GPtrArray *recipients, const char *path,
                                  GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Adds to `identities` (of AgeIdentity) those in `path`. The file may itself be an age file sealed
 * to a passphrase, which is then asked for. Warns of a file of secret keys that others may read.
 * Errors: any, with the path. Blocks. */
bool age_key_files_add_identities(GPtrArray *identities, const char *path,
                                  GError **error) G_GNUC_WARN_UNUSED_RESULT;
