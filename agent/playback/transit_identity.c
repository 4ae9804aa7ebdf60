#include "agent/playback/transit_identity.h"

#include "agent/playback/transit_client.h"
#include "crypto/age_transit.h"
#include "crypto/crypto_error.h"
#include "crypto/rsa_oaep.h"

#include <string.h>

/* Versions that are asked for one by one, from the newest down. */
enum { MOST_VERSIONS = 64 };

static void
on_identity_free(gpointer identity)
{
    age_identity_free(identity);
}

static void
on_unref(gpointer client)
{
    transit_client_unref(client);
}

/* An AgeTransitDecrypt. */
static bool
on_decrypt(void *service, uint32_t version, const GByteArray *sealed, Secret **file_key,
           GError **error)
{
    g_autofree char *text = g_base64_encode(sealed->data, sealed->len);
    g_autofree char *ciphertext = g_strdup_printf("vault:v%u:%s", version, text);

    return transit_client_decrypt(service, ciphertext, file_key, error);
}

/* Returns: one version's identity, owned. */
static AgeIdentity *
identity_of(TransitClient *client, const json_t *key, uint32_t version, GError **error)
{
    const char *pem = json_string_value(json_object_get(key, "public_key"));
    uint8_t modulus[RSA_OAEP_MAX_BYTES];
    const size_t n_modulus = pem != NULL ? rsa_oaep_read_pem(pem, modulus) : 0;
    g_autofree char *recipient = NULL;

    if (n_modulus == 0) {
        crypto_fail(error, CRYPTO_ERROR_TOKEN,
                    "%s: the key is none of type rsa-3072 or rsa-4096, which a recorder can seal "
                    "to without asking",
                    transit_client_name(client));
        return NULL;
    }
    recipient = age_transit_recipient_text(version, modulus, n_modulus);
    return age_transit_identity(recipient, on_decrypt, transit_client_ref(client), on_unref, error);
}

/* Returns: GPtrArray, owned, of the versions from `oldest` to `newest` that `keys` has. */
static GPtrArray *
identities_of(TransitClient *client, const json_t *keys, json_int_t oldest, json_int_t newest,
              GError **error)
{
    g_autoptr(GPtrArray) identities = g_ptr_array_new_with_free_func(on_identity_free);

    for (json_int_t version = MAX(oldest, newest - MOST_VERSIONS + 1); version <= newest;
         version++) {
        g_autofree char *name = g_strdup_printf("%u", (unsigned) version);
        const json_t *key = json_object_get(keys, name);
        AgeIdentity *identity = NULL;

        if (key == NULL)
            continue;
        identity = identity_of(client, key, (uint32_t) version, error);
        if (identity == NULL)
            return NULL;
        g_ptr_array_add(identities, identity);
    }
    if (identities->len == 0) {
        crypto_fail(error, CRYPTO_ERROR_TOKEN, "%s: the key has no version that may decrypt",
                    transit_client_name(client));
        return NULL;
    }
    return g_steal_pointer(&identities);
}

GPtrArray *
transit_identities_open(const char *uri, GError **error)
{
    g_autoptr(TransitClient) client = transit_client_new(uri, error);
    json_t *data = client != NULL ? transit_client_read_key(client, error) : NULL;
    const json_int_t newest = json_integer_value(json_object_get(data, "latest_version"));
    const json_int_t oldest = json_integer_value(json_object_get(data, "min_decryption_version"));
    GPtrArray *identities = NULL;

    if (data != NULL && (newest < 1 || newest > G_MAXUINT32 || oldest < 0 || oldest > newest)) {
        crypto_fail(error, CRYPTO_ERROR_TOKEN,
                    "%s: what it answers is no key of a Transit engine's",
                    transit_client_name(client));
    } else if (data != NULL) {
        identities =
            identities_of(client, json_object_get(data, "keys"), MAX(oldest, 1), newest, error);
    }
    json_decref(data);
    return identities;
}
