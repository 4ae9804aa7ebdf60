#pragma once

#include "crypto/secret.h"

#include <glib.h>

/* A person's pseudonym in an audit log: always the same for the same person of one organisation,
 * and nobody without the key can tell whose it is, nor try who it could be. Whoever has the key,
 * and a person's id, finds what is told of them. */

/* Draws a key. Returns: its text, as the key's file has it. Errors: NO_LOCKED_MEMORY. */
Secret *pseudonym_key_generate(GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Reads such a text. Errors: MALFORMED - never echoes it. */
Secret *pseudonym_key_parse(const Secret *text, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* `person`: a principal's id, or a client's subject (`https://idp.example|sub-1`,
 * `Practitioner/12`). Returns: `p-` and 32 hexadecimal digits, owned. */
char *pseudonym_of(const Secret *key, const char *org, const char *person);
