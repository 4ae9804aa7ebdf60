#include "storage/session_list.h"

#include "crypto/age_context.h"

#include <string.h>

SessionName *
session_name_new(const char *org, const char *session)
{
    SessionName *self = g_new0(SessionName, 1);

    self->org = g_strdup(org);
    self->session = g_strdup(session);
    return self;
}

void
session_name_free(SessionName *self)
{
    g_free(self->org);
    g_free(self->session);
    g_free(self);
}

/* Returns: a set of the folders below `prefix`, without it; owned. */
static GHashTable *
list_below(ObjectStore *store, const char *prefix, GError **error)
{
    g_autoptr(GPtrArray) folders = object_store_list_folders(store, prefix, error);
    GHashTable *names = NULL;

    if (folders == NULL)
        return NULL;
    names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (guint i = 0; i < folders->len; i++)
        g_hash_table_add(names, g_strdup((const char *) folders->pdata[i] + strlen(prefix)));
    return names;
}

/* Adds the sessions of one organisation. */
static bool
add_sessions(GPtrArray *names, ObjectStore *store, const char *org, GError **error)
{
    g_autofree char *prefix = g_strconcat(org, "/", NULL);
    g_autofree char *orders = g_strconcat(org, "/erased/", NULL);
    g_autoptr(GPtrArray) folders = object_store_list_folders(store, prefix, error);
    g_autoptr(GHashTable) erased = folders != NULL ? list_below(store, orders, error) : NULL;

    for (guint i = 0; erased != NULL && i < folders->len; i++) {
        const char *session = (const char *) folders->pdata[i] + strlen(prefix);
        SessionName *name = NULL;

        if (strcmp(session, "audit") == 0 || strcmp(session, "erased") == 0 ||
            !age_context_id_is_valid(session))
            continue;
        name = session_name_new(org, session);
        name->has_erasure = g_hash_table_contains(erased, session);
        g_ptr_array_add(names, name);
    }
    return erased != NULL;
}

GPtrArray *
session_list_names(ObjectStore *store, const char *org, GError **error)
{
    g_autoptr(GPtrArray) orgs = NULL;
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func((GDestroyNotify) session_name_free);

    if (org != NULL) {
        orgs = g_ptr_array_new_with_free_func(g_free);
        g_ptr_array_add(orgs, g_strdup(org));
    } else {
        orgs = object_store_list_folders(store, "", error);
    }
    for (guint i = 0; orgs != NULL && i < orgs->len; i++) {
        if (age_context_id_is_valid(orgs->pdata[i]) &&
            !add_sessions(names, store, orgs->pdata[i], error))
            return NULL;
    }
    return orgs != NULL ? g_steal_pointer(&names) : NULL;
}
