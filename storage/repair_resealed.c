#include "storage/repair_resealed.h"

#include "storage/object_key.h"

static void
on_fault(const char *code, const char *sentence, void *user_data)
{
    (void) code;
    (void) sentence;
    (void) user_data;
}

ResealReading
repair_resealed_reading(const RepairPlace *self)
{
    return (ResealReading){self->request->annotators, on_fault, NULL};
}

/* Takes the next note from the store itself, or gives it back to it. Returns: false where nobody
 * has it. */
static bool
take_note(const RepairPlace *self, ResealChain *resealed, uint32_t number)
{
    g_autofree char *key = object_key_reseal(self->org, self->session, number);
    g_autofree char *relative = g_strdup_printf("resealed/%u.note", number);
    const ResealReading reading = repair_resealed_reading(self);
    const GPtrArray *sources = self->request->sources;

    if (g_hash_table_contains(self->there, relative)) {
        g_autoptr(GBytes) note = object_store_get(self->request->store, key, NULL);

        if (note != NULL && reseal_chain_take(resealed, note, &reading))
            return true;
        repair_place_tell(self, relative, REPAIR_FAILED,
                          note == NULL
                              ? "it can not be read"
                              : "what lies there is not genuine, and is never overwritten");
        return false;
    }
    for (guint i = 0; i < sources->len; i++) {
        RepairSource *source = g_ptr_array_index(sources, i);
        g_autoptr(GBytes) note = repair_source_object(source, key, NULL);

        if (note != NULL && reseal_chain_take(resealed, note, &reading)) {
            repair_place_put(self, relative, note, source->name);
            return true;
        }
    }
    return false;
}

ResealChain *
repair_resealed_notes(const RepairPlace *self)
{
    ResealChain *resealed = reseal_chain_new(self->org, self->session);

    for (uint32_t number = 1; take_note(self, resealed, number); number++)
        continue;
    return resealed;
}

static void
repair_named(const RepairPlace *self, const char *relative, const Digest *digest)
{
    g_autofree char *key = object_key_join(self->org, self->session, relative);
    const GPtrArray *sources = self->request->sources;

    if (g_hash_table_contains(self->there, relative))
        return;
    for (guint i = 0; i < sources->len; i++) {
        RepairSource *source = g_ptr_array_index(sources, i);
        g_autoptr(GBytes) body = repair_source_object(source, key, NULL);
        const Digest found = body != NULL ? digest_of_bytes(body) : (Digest){0};

        if (body != NULL && digest_equal(&found, digest)) {
            repair_place_put(self, relative, body, source->name);
            return;
        }
    }
    repair_place_tell(self, relative, REPAIR_LACKING, "");
}

void
repair_resealed_beside(const RepairPlace *self, const ResealChain *resealed)
{
    const GPtrArray *notes = reseal_chain_notes(resealed);
    const ResealNote *last = notes->len > 0 ? notes->pdata[notes->len - 1] : NULL;

    for (guint i = 0; last != NULL && i < last->pasts->len; i++) {
        const ResealPast *row = last->pasts->pdata[i];

        repair_named(self, row->object, &row->digest);
    }
    for (guint i = 0; last != NULL && i < last->said->len; i++) {
        const ResealSaid *row = &g_array_index(last->said, ResealSaid, i);
        g_autofree char *name = digest_to_hex(&row->name);
        g_autofree char *relative =
            g_strdup_printf("r%u/said/%s.sealed", last->envelope.generation, name);

        repair_named(self, relative, &row->now);
    }
}
