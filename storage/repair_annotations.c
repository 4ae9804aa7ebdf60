#include "storage/repair_annotations.h"

#include "crypto/signed_note.h"
#include "storage/annotation.h"
#include "storage/object_key.h"

#include <string.h>

/* Returns: the annotation, if `note` is the genuine one of that number behind `previous` (NULL: it
 * is the first). */
static Annotation *
open_annotation(const RepairPlace *self, uint32_t number, GBytes *note, const Digest *previous)
{
    gsize n_bytes = 0;
    const char *bytes = g_bytes_get_data(note, &n_bytes);
    g_autofree char *text = note_open(bytes, n_bytes, self->request->annotators, NULL);
    g_autoptr(Annotation) told = text != NULL ? annotation_parse(text, NULL) : NULL;

    if (told == NULL || told->number != number || strcmp(told->org, self->org) != 0 ||
        strcmp(told->session, self->session) != 0 || told->has_previous != (previous != NULL) ||
        (previous != NULL && !digest_equal(&told->previous, previous)))
        return NULL;
    return g_steal_pointer(&told);
}

/* `previous`: of the one before, and then of this one. Returns: it, from the store itself or given
 * back to it; NULL where nobody has it, or with `is_fault` where something else is in its place. */
static Annotation *
next_annotation(const RepairPlace *self, uint32_t number, Digest *previous, bool *is_fault)
{
    g_autofree char *key = object_key_annotation(self->org, self->session, number);
    g_autofree char *relative = g_strdup_printf("notes/%u.note", number);
    const Digest *before = number > 1 ? previous : NULL;
    const GPtrArray *sources = self->request->sources;
    const bool is_there = g_hash_table_contains(self->there, relative);
    Annotation *told = NULL;

    if (is_there) {
        g_autoptr(GBytes) note = object_store_get(self->request->store, key, NULL);

        told = note != NULL ? open_annotation(self, number, note, before) : NULL;
        if (told != NULL)
            *previous = digest_of_bytes(note);
    }
    for (guint i = 0; !is_there && told == NULL && i < sources->len; i++) {
        RepairSource *source = g_ptr_array_index(sources, i);
        g_autoptr(GBytes) note = repair_source_object(source, key, NULL);

        told = note != NULL ? open_annotation(self, number, note, before) : NULL;
        if (told != NULL) {
            *previous = digest_of_bytes(note);
            repair_place_put(self, relative, note, source->name);
        }
    }
    *is_fault = is_there && told == NULL;
    return told;
}

static void
repair_statement(const RepairPlace *self, const ResealChain *resealed, const char *wanted)
{
    g_autofree char *key = object_key_statement(self->org, self->session, wanted);
    const char *relative = key + strlen(self->org) + strlen(self->session) + 2;
    const GPtrArray *sources = self->request->sources;

    if (g_hash_table_contains(self->there, relative) ||
        reseal_chain_has_replaced(resealed, relative))
        return;
    for (guint i = 0; i < sources->len; i++) {
        RepairSource *source = g_ptr_array_index(sources, i);
        g_autoptr(GBytes) body = repair_source_object(source, key, NULL);
        const Digest digest = body != NULL ? digest_of_bytes(body) : (Digest){0};
        g_autofree char *found = digest_to_hex(&digest);

        if (body != NULL && strcmp(found, wanted) == 0) {
            repair_place_put(self, relative, body, source->name);
            return;
        }
    }
    repair_place_tell(self, relative, REPAIR_LACKING, "");
}

void
repair_annotations(const RepairPlace *self, const ResealChain *resealed)
{
    const uint32_t last = repair_place_last(self, "notes");
    Digest previous = {0};

    for (uint32_t number = 1;; number++) {
        g_autofree char *relative = g_strdup_printf("notes/%u.note", number);
        bool is_fault = false;
        g_autoptr(Annotation) told = next_annotation(self, number, &previous, &is_fault);

        if (is_fault) {
            repair_place_tell(
                self, relative, REPAIR_FAILED,
                "what lies there is not the genuine annotation, and is never overwritten");
        } else if (told == NULL && number <= last) {
            repair_place_tell(self, relative, REPAIR_LACKING, "");
        }
        if (told == NULL)
            return;
        if (told->values[ANNOTATION_STATEMENT] != NULL)
            repair_statement(self, resealed, told->values[ANNOTATION_STATEMENT]);
    }
}
