#include "tests/fakes/cut_store.h"

#include "storage/storage_error.h"

typedef struct {
    ObjectStore base;
    ObjectStore *below;
    unsigned n_left;
    bool is_cut;
} CutStore;

static GError *
cut_off(void)
{
    return g_error_new_literal(STORAGE_ERROR, STORAGE_ERROR_TRANSIENT, "the store is cut off");
}

/* Counts a change. Returns: whether it may be made. */
static bool
may_change(CutStore *self)
{
    self->is_cut = self->is_cut || self->n_left == 0;
    if (!self->is_cut)
        self->n_left--;
    return !self->is_cut;
}

/* Returns: whether it answers. */
static bool
answers(const CutStore *self, GError **error)
{
    if (self->is_cut)
        g_propagate_error(error, cut_off());
    return !self->is_cut;
}

static void
cut_put_all(ObjectStore *base, ObjectPut *puts, size_t n_puts)
{
    CutStore *self = (CutStore *) base;

    for (size_t i = 0; i < n_puts; i++) {
        if (may_change(self)) {
            object_store_put_all(self->below, &puts[i], 1);
        } else {
            puts[i].error = cut_off();
        }
    }
}

static bool
cut_replace(ObjectStore *base, const char *key, GBytes *body, GError **error)
{
    CutStore *self = (CutStore *) base;

    (void) may_change(self); /* answers() says it */
    return answers(self, error) && object_store_replace(self->below, key, body, error);
}

static bool
cut_exchange(ObjectStore *base, const char *key, GBytes *expected, GBytes *body, GError **error)
{
    CutStore *self = (CutStore *) base;

    (void) may_change(self); /* answers() says it */
    return answers(self, error) && object_store_exchange(self->below, key, expected, body, error);
}

static GBytes *
cut_get(ObjectStore *base, const char *key, GError **error)
{
    const CutStore *self = (CutStore *) base;

    return answers(self, error) ? object_store_get(self->below, key, error) : NULL;
}

static bool
cut_get_range(ObjectStore *base, const char *key, ObjectRange *range, GError **error)
{
    const CutStore *self = (CutStore *) base;

    return answers(self, error) && object_store_get_range(self->below, key, range, error);
}

static GPtrArray *
cut_list(ObjectStore *base, const char *prefix, GError **error)
{
    const CutStore *self = (CutStore *) base;

    return answers(self, error) ? object_store_list(self->below, prefix, error) : NULL;
}

static GPtrArray *
cut_list_folders(ObjectStore *base, const char *prefix, GError **error)
{
    const CutStore *self = (CutStore *) base;

    return answers(self, error) ? object_store_list_folders(self->below, prefix, error) : NULL;
}

static GPtrArray *
cut_list_versions(ObjectStore *base, const char *prefix, GError **error)
{
    const CutStore *self = (CutStore *) base;

    return answers(self, error) ? object_store_list_versions(self->below, prefix, error) : NULL;
}

static void
cut_remove_versions(ObjectStore *base, ObjectRemoval *removals, size_t n_removals)
{
    CutStore *self = (CutStore *) base;

    for (size_t i = 0; i < n_removals; i++) {
        if (may_change(self)) {
            object_store_remove_versions(self->below, &removals[i], 1);
        } else {
            removals[i].error = cut_off();
        }
    }
}

static void
cut_free(ObjectStore *base)
{
    g_free(base);
}

static const ObjectStoreOps ops = {
    .put_all = cut_put_all,
    .replace = cut_replace,
    .exchange = cut_exchange,
    .get = cut_get,
    .get_range = cut_get_range,
    .list = cut_list,
    .list_folders = cut_list_folders,
    .list_versions = cut_list_versions,
    .remove_versions = cut_remove_versions,
    .free = cut_free,
};

ObjectStore *
cut_store_new(ObjectStore *base, unsigned n_changes)
{
    CutStore *self = g_new0(CutStore, 1);

    self->base.ops = &ops;
    self->below = base;
    self->n_left = n_changes;
    return &self->base;
}

bool
cut_store_was_cut(const ObjectStore *self)
{
    return ((const CutStore *) self)->is_cut;
}
