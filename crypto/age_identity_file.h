#pragma once

#include "crypto/age_passphrase.h"

#include <glib.h>
#include <stdbool.h>

/* Files of identities as age writes them, which may themselves be age files sealed to a passphrase,
 * armoured or not. */

/* Returns: whether `content` has to be opened with a passphrase first. */
bool age_identity_file_is_sealed(const Secret *content);

/* Reads the identities of `content`, a whole file in locked memory.
 * `ask`: gives the passphrase, only if the file is sealed; NULL: a sealed file is an error.
 * Returns: GPtrArray of AgeIdentity, owned. Errors: as age_identity_parse_file(), age_file_open().
 */
GPtrArray *age_identity_file_parse(const Secret *content, AgePassphraseAsk ask, void *ask_data,
                                   GError **error) G_GNUC_WARN_UNUSED_RESULT;
