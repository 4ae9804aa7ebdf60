#include "agent/playback/session_people.h"

#include "crypto/age_context.h"
#include "crypto/age_file.h"
#include "storage/storage_error.h"

#include <jansson.h>

/* Returns: whether it was metadata of ours. */
static bool
read_roles(GHashTable *roles, const GByteArray *plain)
{
    json_t *root = json_loadb((const char *) plain->data, plain->len, 0, NULL);
    json_t *participants = json_object_get(root, "participants");
    const bool is_good = json_is_array(participants);

    for (size_t i = 0; i < json_array_size(participants); i++) {
        const json_t *one = json_array_get(participants, i);
        const char *id = json_string_value(json_object_get(one, "id"));
        const char *role = json_string_value(json_object_get(one, "role"));

        if (id != NULL && role != NULL && *role != '\0')
            g_hash_table_replace(roles, g_strdup(id), g_strdup(role));
    }
    json_decref(root);
    return is_good;
}

static void
open_meta(GHashTable *roles, const ManifestPart *manifest, GPtrArray *identities, GBytes *sealed,
          char **trouble)
{
    g_autoptr(AgeContext) context = age_context_new_meta(manifest->org, manifest->session);
    g_autoptr(GError) cause = NULL;
    GByteArray *plain = age_file_open(identities, context, g_bytes_get_data(sealed, NULL),
                                      g_bytes_get_size(sealed), &cause);

    if (plain == NULL) {
        *trouble = g_strdup_printf("the session's metadata does not open, so that nobody's role is "
                                   "known: %s",
                                   cause->message);
    } else if (!read_roles(roles, plain)) {
        *trouble = g_strdup("the session's metadata is malformed, so that nobody's role is known");
    }
    age_file_wipe(plain);
}

GHashTable *
session_people_read(ObjectStore *store, const ManifestPart *manifest, GPtrArray *identities,
                    char **trouble, GError **error)
{
    g_autoptr(GHashTable) roles = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    g_autofree char *name = g_strdup_printf("%s/%s/meta.age", manifest->org, manifest->session);
    g_autoptr(GError) cause = NULL;
    g_autoptr(GBytes) sealed = object_store_get(store, name, &cause);

    *trouble = NULL;
    if (sealed != NULL) {
        open_meta(roles, manifest, identities, sealed, trouble);
    } else if (g_error_matches(cause, STORAGE_ERROR, STORAGE_ERROR_NOT_FOUND)) {
        *trouble = g_strdup("the session has no metadata, so that nobody's role is known");
    } else {
        g_propagate_error(error, g_steal_pointer(&cause));
        return NULL;
    }
    return g_steal_pointer(&roles);
}
