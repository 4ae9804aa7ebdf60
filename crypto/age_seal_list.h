#pragma once

#include "crypto/age_header.h"

#include <glib.h>
#include <stdint.h>

/* Whom a file is sealed to, written into its header: an X25519 stanza does not say. Behind the
 * context stanza of what is sealed to an organisation stands, with an empty body,
 *   -> sealtape-recipients <mark>...
 * one mark for each recipient, in the order of their stanzas: 16 hexadecimal digits of SHA-256 of
 * its text `age1...`. age ignores the stanza and its header MAC authenticates it: a claim to
 * whoever can not open the file, and proof to whoever can. */

#define AGE_SEAL_LIST_TYPE "sealtape-recipients"

/* Returns: the mark of the recipient `text`, owned. */
char *age_seal_list_mark(const char *text);

/* Returns: the stanza of `recipients` (GPtrArray of AgeRecipient), owned. */
AgeStanza *age_seal_list_stanza(GPtrArray *recipients);

/* Reads what the header of the age file `bytes` claims.
 * Returns: the marks, owned; an empty vector where there is no such stanza.
 * Errors: MALFORMED - not an age file. */
char **age_seal_list_claimed(const uint8_t *bytes, size_t n_bytes,
                             GError **error) G_GNUC_WARN_UNUSED_RESULT;
