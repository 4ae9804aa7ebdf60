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

/* Adds the sessions of one organisation. */
static bool
add_sessions(GPtrArray *names, ObjectStore *store, const char *org, GError **error)
{
    g_autofree char *prefix = g_strconcat(org, "/", NULL);
    g_autoptr(GPtrArray) folders = object_store_list_folders(store, prefix, error);

    for (guint i = 0; folders != NULL && i < folders->len; i++) {
        const char *session = (const char *) folders->pdata[i] + strlen(prefix);

        if (strcmp(session, "audit") == 0 || strcmp(session, "erased") == 0 ||
            !age_context_id_is_valid(session))
            continue;
        g_ptr_array_add(names, session_name_new(org, session));
    }
    return folders != NULL;
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
