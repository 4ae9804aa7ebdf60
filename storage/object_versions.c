#include "storage/object_store.h"

GPtrArray *
object_store_list_versions(ObjectStore *self, const char *prefix, GError **error)
{
    g_assert(g_str_has_suffix(prefix, "/"));
    return self->ops->list_versions(self, prefix, error);
}

void
object_store_remove_versions(ObjectStore *self, ObjectRemoval *removals, size_t n_removals)
{
    for (size_t i = 0; i < n_removals; i++) {
        removals[i].error = NULL;
        removals[i].locked_until_s = 0;
        removals[i].has_legal_hold = false;
    }
    if (n_removals > 0)
        self->ops->remove_versions(self, removals, n_removals);
}

void
object_version_free(ObjectVersion *self)
{
    if (self == NULL)
        return;
    g_free(self->key);
    g_free(self->version);
    g_free(self);
}
