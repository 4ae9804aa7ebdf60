#include "agent/keys/rewrap.h"

#include "crypto/age_file.h"
#include "crypto/age_seal_list.h"
#include "crypto/crypto_error.h"
#include "storage/storage_error.h"

#include <string.h>

enum { MOST_TRIES = 5 };

/* Returns: the identity of `recipient` in a list of its own, owned; NULL if it is not at hand. */
static GPtrArray *
identity_of(const RewrapKeys *keys, const AgeRecipient *recipient)
{
    for (guint i = 0; i < keys->identities->len; i++) {
        AgeIdentity *identity = g_ptr_array_index(keys->identities, i);
        g_autoptr(AgeRecipient) own = age_identity_recipient(identity);

        if (own != NULL && strcmp(age_recipient_text(own), age_recipient_text(recipient)) == 0) {
            GPtrArray *one = g_ptr_array_new();

            g_ptr_array_add(one, identity);
            return one;
        }
    }
    return NULL;
}

bool
rewrap_can_prove(const RewrapKeys *keys)
{
    for (guint i = 0; i < keys->recipients->len; i++) {
        g_autoptr(GPtrArray) one = identity_of(keys, g_ptr_array_index(keys->recipients, i));

        if (one != NULL)
            return true;
    }
    return false;
}

static Secret *
open_with(GPtrArray *identities, const AgeContext *context, GBytes *sealed, GError **error)
{
    gsize n_bytes = 0;
    const uint8_t *bytes = g_bytes_get_data(sealed, &n_bytes);

    return age_file_open_secret(identities, context, bytes, n_bytes, error);
}

/* Whether the header, which the caller has opened and so knows to be genuine, names exactly the
 * recipients. */
static bool
names_all(const RewrapKeys *keys, GBytes *sealed)
{
    gsize n_bytes = 0;
    const uint8_t *bytes = g_bytes_get_data(sealed, &n_bytes);
    g_auto(GStrv) marks = age_seal_list_claimed(bytes, n_bytes, NULL);
    bool is_all = marks != NULL && g_strv_length(marks) == keys->recipients->len;

    for (guint i = 0; is_all && i < keys->recipients->len; i++) {
        g_autofree char *mark =
            age_seal_list_mark(age_recipient_text(g_ptr_array_index(keys->recipients, i)));

        is_all = g_strv_contains((const char *const *) marks, mark);
    }
    return is_all;
}

/* Step 4. */
static bool
prove(const RewrapKeys *keys, const AgeContext *context, GBytes *fresh, const Secret *content,
      GError **error)
{
    for (guint i = 0; i < keys->recipients->len; i++) {
        const AgeRecipient *recipient = g_ptr_array_index(keys->recipients, i);
        g_autoptr(GPtrArray) one = identity_of(keys, recipient);
        g_autoptr(Secret) again = one != NULL ? open_with(one, context, fresh, error) : NULL;

        if (one == NULL)
            continue;
        if (again == NULL || !secret_equal(again, content)) {
            if (again != NULL)
                crypto_fail(error, CRYPTO_ERROR_AUTHENTICATION, "it gives something else");
            g_prefix_error(error, "sealed anew, it does not open with %s, so the old one stays: ",
                           age_recipient_text(recipient));
            return false;
        }
    }
    return true;
}

/* Steps 1 to 4. Returns: the new object, owned; NULL sets `result`, and `error` unless it is
 * REWRAP_CURRENT. */
static GBytes *
seal_anew(const RewrapKeys *keys, const AgeContext *context, GBytes *sealed, RewrapResult *result,
          GError **error)
{
    g_autoptr(Secret) content = open_with(keys->identities, context, sealed, error);
    g_autoptr(GBytes) fresh = NULL;

    *result = REWRAP_REFUSED;
    if (content == NULL) {
        if (g_error_matches(*error, CRYPTO_ERROR, CRYPTO_ERROR_TOKEN))
            *result = REWRAP_STOPPED;
        return NULL;
    }
    if (names_all(keys, sealed)) {
        *result = REWRAP_CURRENT;
        return NULL;
    }
    fresh = age_file_seal(keys->recipients, context,
                          &(struct iovec){secret_bytes(content), secret_length(content)}, 1, error);
    if (fresh == NULL || !prove(keys, context, fresh, content, error))
        return NULL;
    return g_steal_pointer(&fresh);
}

/* What a failing store means for this object and all others. */
static RewrapResult
result_of(const GError *fault)
{
    if (g_error_matches(fault, STORAGE_ERROR, STORAGE_ERROR_NOT_FOUND))
        return REWRAP_GONE;
    return REWRAP_STOPPED;
}

RewrapResult
rewrap_object(const RewrapKeys *keys, const char *name, const AgeContext *context, GError **error)
{
    for (int i = 0; i < MOST_TRIES; i++) {
        g_autoptr(GError) fault = NULL;
        g_autoptr(GBytes) sealed = object_store_get(keys->store, name, &fault);
        g_autoptr(GBytes) fresh = NULL;
        RewrapResult result = REWRAP_DONE;

        if (sealed != NULL)
            fresh = seal_anew(keys, context, sealed, &result, &fault);
        if (sealed != NULL && fresh == NULL) {
            if (fault != NULL)
                g_propagate_prefixed_error(error, g_steal_pointer(&fault), "%s: ", name);
            return result;
        }
        if (sealed != NULL && object_store_exchange(keys->store, name, sealed, fresh, &fault))
            return REWRAP_DONE;
        if (g_error_matches(fault, STORAGE_ERROR, STORAGE_ERROR_CONFLICT))
            continue; /* the recorder has put newer metadata: once more */
        result = result_of(fault);
        g_propagate_prefixed_error(error, g_steal_pointer(&fault), "%s: ", name);
        return result;
    }
    g_set_error(error, STORAGE_ERROR, STORAGE_ERROR_CONFLICT,
                "%s: is changed by somebody else all the time", name);
    return REWRAP_REFUSED;
}
