#pragma once

#include "crypto/age_header.h"
#include "crypto/age_key.h"

#include <glib.h>
#include <stdbool.h>

/* The `p256tag` recipient type of c2sp.org/age, for keys in hardware: `age1tag1...`, a P-256 point.
 * A sender needs the point alone. Who opens asks the token for one Diffie-Hellman value, and does
 * the rest here. */

/* Agrees on the x coordinate between the token's key and `point` (65 bytes, uncompressed, valid).
 * Returns: 32 bytes, owned by who asked; NULL sets `error` to what is wrong with the token. */
typedef Secret *(*AgeTokenAgree)(void *token, const uint8_t *point, GError **error);

/* An identity whose secret half lies in `token`, which is freed with it by `free_token`.
 * `recipient`: its public half, `age1tag1...`.
 * Errors: MALFORMED - not such a recipient; `token` is freed then too. */
AgeIdentity *age_p256tag_identity(const char *recipient, AgeTokenAgree agree, void *token,
                                  GDestroyNotify free_token,
                                  GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Returns: the recipient's text of a valid point, `age1tag1...`, owned. */
char *age_p256tag_recipient_text(const uint8_t point[65]);

/* For age_wrap.c, as its kinds are. */
AgeStanza *age_p256tag_wrap(const AgeRecipient *recipient, const Secret *file_key,
                            GError **error) G_GNUC_WARN_UNUSED_RESULT;
bool age_p256tag_unwrap(const AgeIdentity *identity, const AgeStanza *stanza, Secret **file_key,
                        GError **error) G_GNUC_WARN_UNUSED_RESULT;
