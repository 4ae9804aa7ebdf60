#include "agent/opener/settings_shelf.h"

typedef struct {
    Settings *settings;
    unsigned n_holders;
} Version;

struct SettingsShelf {
    GPtrArray *versions; /* Version; the last is in force */
};

static void
version_free(gpointer data)
{
    Version *self = data;

    settings_free(self->settings);
    g_free(self);
}

SettingsShelf *
settings_shelf_new(Settings *first)
{
    SettingsShelf *self = g_new0(SettingsShelf, 1);

    self->versions = g_ptr_array_new_with_free_func(version_free);
    settings_shelf_put(self, first);
    return self;
}

static Version *
current(const SettingsShelf *self)
{
    return self->versions->pdata[self->versions->len - 1];
}

static void
drop_unused(SettingsShelf *self)
{
    for (guint i = self->versions->len - 1; i-- > 1;) {
        const Version *version = self->versions->pdata[i];

        if (version->n_holders == 0)
            (void) g_ptr_array_remove_index(self->versions, i); /* which frees it */
    }
}

void
settings_shelf_put(SettingsShelf *self, Settings *newer)
{
    Version *version = g_new0(Version, 1);

    version->settings = newer;
    g_ptr_array_add(self->versions, version);
    drop_unused(self);
}

const Settings *
settings_shelf_current(const SettingsShelf *self)
{
    return current(self)->settings;
}

const Settings *
settings_shelf_hold(SettingsShelf *self)
{
    current(self)->n_holders++;
    return current(self)->settings;
}

void
settings_shelf_release(SettingsShelf *self, const Settings *held)
{
    for (guint i = 0; i < self->versions->len; i++) {
        Version *version = self->versions->pdata[i];

        if (version->settings != held)
            continue;
        g_assert(version->n_holders > 0);
        version->n_holders--;
        drop_unused(self);
        return;
    }
    g_assert_not_reached();
}

guint
settings_shelf_count(const SettingsShelf *self)
{
    return self->versions->len;
}

void
settings_shelf_free(SettingsShelf *self)
{
    if (self == NULL)
        return;
    g_ptr_array_unref(self->versions);
    g_free(self);
}
