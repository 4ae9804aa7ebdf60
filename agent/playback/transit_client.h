#pragma once

#include "crypto/secret.h"

#include <glib.h>
#include <jansson.h>

/* Asks one key of a Transit engine, by its HTTP API. Thread: any. */
typedef struct TransitClient TransitClient;

/* `uri`: transit_identity.h. Errors: CRYPTO_ERROR_MALFORMED. */
TransitClient *transit_client_new(const char *uri, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Returns: the `data` of the key, owned. Errors: CRYPTO_ERROR_TOKEN; CONFIG_ERROR for the token. */
json_t *transit_client_read_key(TransitClient *self, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* `ciphertext`: `vault:v1:...`. `plain`: set, owned by who asked; left NULL if the key did not seal
 * this. Errors: as above. */
bool transit_client_decrypt(TransitClient *self, const char *ciphertext, Secret **plain,
                            GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* `https://HOST, key KEY`, to begin a sentence with. Borrowed. */
const char *transit_client_name(const TransitClient *self);

TransitClient *transit_client_ref(TransitClient *self);
void transit_client_unref(TransitClient *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(TransitClient, transit_client_unref)
