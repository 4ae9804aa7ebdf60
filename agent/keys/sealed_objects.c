#include "agent/keys/sealed_objects.h"

#include "storage/object_key.h"

#include <string.h>

#define SUFFIX ".age"

GPtrArray *
sealed_objects_list(ObjectStore *store, const char *org, const char *session, GError **error)
{
    g_autofree char *prefix = object_key_join(org, session, "");
    g_autoptr(GPtrArray) all = object_store_list(store, prefix, error);
    GPtrArray *names = NULL;

    if (all == NULL)
        return NULL;
    names = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < all->len; i++) {
        if (g_str_has_suffix(all->pdata[i], SUFFIX))
            g_ptr_array_add(names, g_strdup(all->pdata[i]));
    }
    return names;
}

AgeContext *
sealed_objects_context(const char *org, const char *session, const char *name)
{
    g_autofree char *prefix = object_key_join(org, session, "");
    const char *relative = name + strlen(prefix);
    uint32_t generation = 0;

    g_assert(g_str_has_prefix(name, prefix));
    if (strcmp(relative, "meta" SUFFIX) == 0)
        return age_context_new_meta(org, session);
    if (object_key_parse_number(relative, "env", SUFFIX, &generation))
        return age_context_new_envelope(org, session, generation);
    return NULL;
}
