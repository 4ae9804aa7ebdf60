#include "agent/recorder/org_book.h"

#include "config/region_rule.h"

#include <string.h>

struct OrgBook {
    const Settings *first; /* borrowed: the recorder's */
    GPtrArray *later;      /* Settings, the newest last */
};

static void
on_settings_free(gpointer settings)
{
    settings_free(settings);
}

OrgBook *
org_book_new(const Settings *settings)
{
    OrgBook *self = g_new0(OrgBook, 1);

    self->first = settings;
    self->later = g_ptr_array_new_with_free_func(on_settings_free);
    return self;
}

static const Settings *
newest(const OrgBook *self)
{
    return self->later->len > 0 ? self->later->pdata[self->later->len - 1] : self->first;
}

/* Whether each says what it said, down to the keys it seals to. */
static bool
says_the_same(const OrgSettings *a, const OrgSettings *b)
{
    if (strcmp(a->id, b->id) != 0 || strcmp(a->digest, b->digest) != 0 ||
        a->ring_version != b->ring_version || a->recipients->len != b->recipients->len)
        return false;
    for (guint i = 0; i < a->recipients->len; i++) {
        if (strcmp(a->recipients->pdata[i], b->recipients->pdata[i]) != 0)
            return false;
    }
    return true;
}

static bool
changes_nothing(const Settings *a, const Settings *b)
{
    if (a->orgs->len != b->orgs->len)
        return false;
    for (guint i = 0; i < a->orgs->len; i++) {
        if (!says_the_same(a->orgs->pdata[i], b->orgs->pdata[i]))
            return false;
    }
    return true;
}

bool
org_book_reload(OrgBook *self, GError **error)
{
    Settings *settings = settings_load(self->first->path, error);

    if (settings == NULL)
        return false;
    /* Whoever signals often must not fill the memory with versions that are the same. */
    if (changes_nothing(newest(self), settings)) {
        settings_free(settings);
    } else {
        region_rule_pass_on(newest(self), settings);
        g_ptr_array_add(self->later, settings);
    }
    return true;
}

const GPtrArray *
org_book_list(const OrgBook *self)
{
    return newest(self)->orgs;
}

const OrgSettings *
org_book_find(const OrgBook *self, const char *org)
{
    return settings_org(newest(self), org);
}

void
org_book_free(OrgBook *self)
{
    if (self == NULL)
        return;
    g_ptr_array_unref(self->later);
    g_free(self);
}
