#pragma once

#include <glib.h>
#include <stdbool.h>

/* Proof that somebody can open what is sealed to a recipient, before anything is: a random message
 * is sealed to it alone and opened again. `identities`: GPtrArray of AgeIdentity. Returns: false
 * with CRYPTO_ERROR_NO_MATCH - none of them opens it; or what is wrong with a token. */
bool key_challenge_pass(const char *recipient, GPtrArray *identities,
                        GError **error) G_GNUC_WARN_UNUSED_RESULT;
