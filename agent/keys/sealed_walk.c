#include "agent/keys/sealed_walk.h"

#include "agent/keys/sealed_objects.h"
#include "storage/session_list.h"
#include "storage/session_walk.h"

static bool
on_session(void *user_data, guint place, const char *session, GError **error)
{
    const SealedWalk *walk = user_data;
    g_autoptr(GPtrArray) names = sealed_objects_list(walk->store, walk->org, session, error);

    for (guint i = 0; names != NULL && i < names->len; i++) {
        g_autoptr(AgeContext) context = sealed_objects_context(walk->org, session, names->pdata[i]);
        const SealedObject object = {session, names->pdata[i], context};

        if (!walk->visit(walk->user_data, &object, error))
            return false;
    }
    return names != NULL;
}

static void
on_progress(void *user_data, uint64_t n_done, uint64_t n_sessions)
{
    const SealedWalk *walk = user_data;

    if (walk->on_progress != NULL)
        walk->on_progress(walk->user_data, n_done, n_sessions);
}

static GPtrArray *
list_sessions(const SealedWalk *walk, GError **error)
{
    GPtrArray *names = NULL;

    if (walk->session == NULL)
        return session_list_names(walk->store, walk->org, error);
    names = g_ptr_array_new_with_free_func((GDestroyNotify) session_name_free);
    g_ptr_array_add(names, session_name_new(walk->org, walk->session));
    return names;
}

bool
sealed_walk(const SealedWalk *walk, GError **error)
{
    g_autoptr(GPtrArray) names = list_sessions(walk, error);
    const SessionWalk sessions = {
        .n_threads = walk->n_threads,
        .visit = on_session,
        .on_progress = on_progress,
        .user_data = (void *) walk,
    };

    return names != NULL && session_walk(&sessions, names, error);
}
