#include "storage/repair_place.h"

#include "storage/object_key.h"

void
repair_place_tell(const RepairPlace *self, const char *relative, RepairOutcome outcome,
                  const char *detail)
{
    self->request->on_object(relative, outcome, detail, self->request->user_data);
}

void
repair_place_put(const RepairPlace *self, const char *relative, GBytes *body, const char *source)
{
    g_autofree char *key = object_key_join(self->org, self->session, relative);
    g_autoptr(GError) error = NULL;

    if (self->request->is_plan || object_store_put(self->request->store, key, body, &error)) {
        repair_place_tell(self, relative, REPAIR_DONE, source);
    } else {
        repair_place_tell(self, relative, REPAIR_FAILED, error->message);
    }
}

uint32_t
repair_place_last(const RepairPlace *self, const char *folder)
{
    GHashTableIter iterator;
    gpointer relative = NULL;
    uint32_t last = 0;

    g_hash_table_iter_init(&iterator, self->there);
    while (g_hash_table_iter_next(&iterator, &relative, NULL)) {
        uint32_t number = 0;

        if (object_key_parse_number(relative, folder, ".note", &number))
            last = MAX(last, number);
    }
    return last;
}
