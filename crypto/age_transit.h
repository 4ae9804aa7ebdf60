#pragma once

#include "crypto/age_header.h"
#include "crypto/age_key.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* Keys that a Transit engine keeps (HashiCorp Vault, OpenBao): `age1transit1...` is the version of
 * an RSA key of its and the modulus. A sender needs that alone and never asks the service. Who
 * opens hands it the stanza's body, and is given the file key:
 *   -> vault-transit <mark of the recipient> <version>
 *   <RSA-OAEP, SHA-256, of the file key: what the service calls vault:v<version>:...> */

/* Asks the service for what `sealed` holds. `file_key`: set, owned by who asked; left NULL if the
 * service says that it sealed no such thing. Returns: false sets `error` to what is wrong. */
typedef bool (*AgeTransitDecrypt)(void *service, uint32_t version, const GByteArray *sealed,
                                  Secret **file_key, GError **error);

/* Returns: the recipient's text for version `version` (from 1) of a key (rsa_oaep.h), owned. */
char *age_transit_recipient_text(uint32_t version, const uint8_t *modulus, size_t n_modulus);

/* An identity whose secret half the service keeps; `service` is freed with it by `free_service`.
 * `recipient`: `age1transit1...`.
 * Errors: MALFORMED - not such a recipient; `service` is freed then too. */
AgeIdentity *age_transit_identity(const char *recipient, AgeTransitDecrypt decrypt, void *service,
                                  GDestroyNotify free_service,
                                  GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* For age_wrap.c, as its kinds are. */
AgeStanza *age_transit_wrap(const AgeRecipient *recipient, const Secret *file_key,
                            GError **error) G_GNUC_WARN_UNUSED_RESULT;
bool age_transit_unwrap(const AgeIdentity *identity, const AgeStanza *stanza, Secret **file_key,
                        GError **error) G_GNUC_WARN_UNUSED_RESULT;
