#include "storage/repair.h"

#include "crypto/age_context.h"
#include "crypto/age_file.h"
#include "crypto/signed_note.h"
#include "storage/erasure_note.h"
#include "storage/manifest.h"
#include "storage/object_key.h"
#include "storage/repair_annotations.h"
#include "storage/repair_resealed.h"
#include "storage/storage_error.h"

#include <string.h>

/* In this order:
 * 1. nobody has an order to erase it; what the store has is listed;
 * 2. the manifest, from part 1 on: each part from the store, or else from the first source that has
 * a genuine one that follows the part before. It ends with the part that ends the session, or where
 *    nobody has the next one;
 * 3. the notes on a sealing anew, in the same way, and what they make of these parts;
 * 4. the objects that are listed then;
 * 5. envelopes and metadata. How many envelopes there are no manifest says: each generation up to
 *    the first that nobody has, but those that a sealing anew replaced;
 * 6. annotations, from 1 on, as parts of the manifest; and the statements that they name. */

typedef struct {
    RepairPlace at;
    GHashTable *objects; /* name -> GPtrArray of ManifestSegment, borrowed from `parts` */
    GPtrArray *order;    /* the same names, as listed */
    GPtrArray *parts;    /* ManifestPart */
    ResealChain *resealed;
    bool has_previous;
    Digest previous;
} Repair;

/* Returns: the part, if `note` is the genuine one of that number behind the one before. */
static ManifestPart *
open_part(const Repair *self, uint32_t number, GBytes *note)
{
    gsize n_bytes = 0;
    const char *bytes = g_bytes_get_data(note, &n_bytes);
    g_autofree char *text = note_open(bytes, n_bytes, self->at.request->verifiers, NULL);
    g_autoptr(ManifestPart) part = text != NULL ? manifest_part_parse(text, NULL) : NULL;

    if (part == NULL || part->number != number || strcmp(part->org, self->at.org) != 0 ||
        strcmp(part->session, self->at.session) != 0 || part->has_previous != self->has_previous ||
        (part->has_previous && !digest_equal(&part->previous, &self->previous)))
        return NULL;
    return g_steal_pointer(&part);
}

/* Returns: the next part, from the store itself or given back to it; NULL where nobody has it, or
 * with `fault` where something else is in its place. */
static ManifestPart *
next_part(Repair *self, uint32_t number, const char **fault)
{
    g_autofree char *key = object_key_manifest(self->at.org, self->at.session, number);
    g_autofree char *relative = g_strdup_printf("manifest/%u.note", number);
    const GPtrArray *sources = self->at.request->sources;
    ManifestPart *part = NULL;

    *fault = NULL;
    if (g_hash_table_contains(self->at.there, relative)) {
        g_autoptr(GBytes) note = object_store_get(self->at.request->store, key, NULL);

        part = note != NULL ? open_part(self, number, note) : NULL;
        *fault = note == NULL ? "it can not be read"
                              : "what lies there is not the genuine part, and is never overwritten";
        if (part != NULL)
            self->previous = digest_of_bytes(note);
        return part;
    }
    for (guint i = 0; part == NULL && i < sources->len; i++) {
        RepairSource *source = g_ptr_array_index(sources, i);
        g_autoptr(GBytes) note = repair_source_object(source, key, NULL);

        part = note != NULL ? open_part(self, number, note) : NULL;
        if (part != NULL) {
            self->previous = digest_of_bytes(note);
            repair_place_put(&self->at, relative, note, source->name);
        }
    }
    return part;
}

static void
take_rows(Repair *self, const ManifestPart *part)
{
    for (guint i = 0; i < part->segments->len; i++) {
        ManifestSegment *row = g_ptr_array_index(part->segments, i);
        GPtrArray *segments = g_hash_table_lookup(self->objects, row->object);

        if (segments == NULL) {
            segments = g_ptr_array_new();
            g_hash_table_insert(self->objects, row->object, segments);
            g_ptr_array_add(self->order, row->object);
        }
        g_ptr_array_add(segments, row);
    }
}

/* Step 2. */
static void
repair_manifest(Repair *self)
{
    /* Past the session's end as well: what amends it follows. */
    for (uint32_t number = 1;; number++) {
        g_autofree char *relative = g_strdup_printf("manifest/%u.note", number);
        const char *fault = NULL;
        ManifestPart *part = next_part(self, number, &fault);

        if (part == NULL && fault != NULL) {
            repair_place_tell(&self->at, relative, REPAIR_FAILED, fault);
        } else if (part == NULL && number <= MAX(repair_place_last(&self->at, "manifest"), 1)) {
            repair_place_tell(&self->at, relative, REPAIR_LACKING, "");
        }
        if (part == NULL)
            return;
        self->has_previous = true;
        g_ptr_array_add(self->parts, part);
    }
}

/* Step 3. */
static void
repair_resealed(Repair *self)
{
    const ResealReading reading = repair_resealed_reading(&self->at);

    self->resealed = repair_resealed_notes(&self->at);
    for (guint i = 0; i < self->parts->len; i++) {
        reseal_chain_apply(self->resealed, self->parts->pdata[i], false, &reading);
        take_rows(self, self->parts->pdata[i]);
    }
}

static bool
is_genuine(const GPtrArray *segments, GBytes *body)
{
    gsize n_bytes = 0;
    const uint8_t *bytes = g_bytes_get_data(body, &n_bytes);
    uint64_t end = 0;

    for (guint i = 0; i < segments->len; i++) {
        const ManifestSegment *row = g_ptr_array_index(segments, i);
        Digest digest;

        if (row->offset != end || row->length > n_bytes - end)
            return false;
        digest = digest_of(bytes + end, row->length);
        if (!digest_equal(&digest, &row->digest))
            return false;
        end += row->length;
    }
    return end == n_bytes;
}

/* Step 4, of one object. */
static void
repair_object(const Repair *self, const char *relative, const GPtrArray *segments)
{
    g_autofree char *key = object_key_join(self->at.org, self->at.session, relative);
    const GPtrArray *sources = self->at.request->sources;

    for (guint i = 0; i < sources->len; i++) {
        RepairSource *source = g_ptr_array_index(sources, i);
        g_autoptr(GBytes) body = repair_source_object(source, key, segments);

        if (body != NULL && is_genuine(segments, body)) {
            repair_place_put(&self->at, relative, body, source->name);
            return;
        }
    }
    repair_place_tell(&self->at, relative, REPAIR_LACKING, "");
}

/* Returns: whether it is there now. */
static bool
repair_placed(const Repair *self, const char *relative, const AgeContext *place)
{
    g_autofree char *key = object_key_join(self->at.org, self->at.session, relative);
    const GPtrArray *sources = self->at.request->sources;

    if (g_hash_table_contains(self->at.there, relative))
        return true;
    for (guint i = 0; i < sources->len; i++) {
        RepairSource *source = g_ptr_array_index(sources, i);
        g_autoptr(GBytes) body = repair_source_object(source, key, NULL);
        g_autofree char *claim = NULL;

        if (body == NULL)
            continue;
        claim =
            age_file_claimed_context(g_bytes_get_data(body, NULL), g_bytes_get_size(body), NULL);
        if (claim != NULL && strcmp(claim, age_context_text(place)) == 0) {
            repair_place_put(&self->at, relative, body, source->name);
            return true;
        }
    }
    return false;
}

/* Step 5. */
static void
repair_keys(const Repair *self)
{
    g_autoptr(AgeContext) meta = age_context_new_meta(self->at.org, self->at.session);
    bool has_more = true;

    for (uint32_t generation = 1; has_more; generation++) {
        g_autofree char *relative = g_strdup_printf("env/%u.age", generation);
        g_autoptr(AgeContext) place =
            age_context_new_envelope(self->at.org, self->at.session, generation);

        if (reseal_chain_has_replaced(self->resealed, relative))
            continue;
        has_more = repair_placed(self, relative, place);
        if (!has_more && generation == 1 && self->parts->len > 0)
            repair_place_tell(&self->at, relative, REPAIR_LACKING, "");
    }
    (void) repair_placed(self, "meta.age", meta); /* not every session has it */
}

/* Returns: who has an order to erase it, borrowed; NULL: nobody, or `error` is set. */
static const char *
find_order(const Repair *self, GError **error)
{
    g_autofree char *key = erasure_note_key(self->at.org, self->at.session, 1);
    const GPtrArray *sources = self->at.request->sources;
    g_autoptr(GError) fault = NULL;
    g_autoptr(GBytes) order = object_store_get(self->at.request->store, key, &fault);

    if (order != NULL)
        return "this store";
    if (!g_error_matches(fault, STORAGE_ERROR, STORAGE_ERROR_NOT_FOUND)) {
        g_propagate_error(error, g_steal_pointer(&fault));
        return NULL;
    }
    for (guint i = 0; i < sources->len; i++) {
        RepairSource *source = g_ptr_array_index(sources, i);
        g_autoptr(GBytes) found = repair_source_object(source, key, NULL);

        if (found != NULL)
            return source->name;
    }
    return NULL;
}

static bool
list(Repair *self, GError **error)
{
    g_autofree char *prefix = object_key_join(self->at.org, self->at.session, "");
    g_autoptr(GPtrArray) keys = object_store_list(self->at.request->store, prefix, error);

    for (guint i = 0; keys != NULL && i < keys->len; i++) {
        g_hash_table_add(self->at.there,
                         g_strdup((const char *) g_ptr_array_index(keys, i) + strlen(prefix)));
    }
    return keys != NULL;
}

static void
free_rows(void *rows)
{
    g_ptr_array_unref(rows);
}

bool
repair_session(const RepairRequest *request, const char *org, const char *session, GError **error)
{
    g_autoptr(GHashTable) there = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autoptr(GHashTable) objects = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, free_rows);
    g_autoptr(GPtrArray) order = g_ptr_array_new();
    g_autoptr(GPtrArray) parts =
        g_ptr_array_new_with_free_func((GDestroyNotify) manifest_part_free);
    Repair self = {
        .at = {request, org, session, there},
          .objects = objects, .order = order, .parts = parts
    };
    const char *erased_by = NULL;
    GError *fault = NULL;

    erased_by = find_order(&self, &fault);
    if (fault != NULL) {
        g_propagate_error(error, fault);
        return false;
    }
    if (erased_by != NULL) {
        repair_place_tell(&self.at, "", REPAIR_ERASED, erased_by);
        return true;
    }
    if (!list(&self, error))
        return false;
    repair_manifest(&self);
    repair_resealed(&self);
    for (guint i = 0; i < order->len; i++) {
        const char *relative = g_ptr_array_index(order, i);

        if (!g_hash_table_contains(there, relative))
            repair_object(&self, relative, g_hash_table_lookup(objects, relative));
    }
    repair_resealed_beside(&self.at, self.resealed);
    repair_keys(&self);
    repair_annotations(&self.at, self.resealed);
    reseal_chain_free(self.resealed);
    return true;
}
