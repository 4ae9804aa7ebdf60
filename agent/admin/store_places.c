#include "agent/admin/store_places.h"

#include "agent/store/configured_store.h"

StorePlace *
store_place_new(const char *name, ObjectStore *store_taken)
{
    StorePlace *self = g_new0(StorePlace, 1);

    self->name = g_strdup(name);
    self->store = store_taken;
    return self;
}

void
store_place_free(StorePlace *self)
{
    g_free(self->name);
    object_store_free(self->store);
    g_free(self);
}

static bool
add_place(GPtrArray *places, const StoreSettings *settings, GError **error)
{
    g_autofree char *name = configured_store_place(settings);
    ObjectStore *store = configured_store_open_one(settings, error);

    if (store != NULL)
        g_ptr_array_add(places, store_place_new(name, store));
    return store != NULL;
}

GPtrArray *
store_places_open(CommandContext *context, GError **error)
{
    const Settings *settings = command_context_settings(context, error);
    g_autoptr(GPtrArray) places = g_ptr_array_new_with_free_func((GDestroyNotify) store_place_free);
    const GPtrArray *replicas = settings != NULL ? settings->store.replicas : NULL;

    if (settings == NULL || !add_place(places, &settings->store, error))
        return NULL;
    for (guint i = 0; replicas != NULL && i < replicas->len; i++) {
        if (!add_place(places, g_ptr_array_index(replicas, i), error))
            return NULL;
    }
    return g_steal_pointer(&places);
}
