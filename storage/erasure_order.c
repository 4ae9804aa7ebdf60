#include "storage/erasure_order.h"

#include "storage/object_key.h"
#include "storage/recording.h"
#include "storage/storage_error.h"

#include <inttypes.h>
#include <string.h>

ErasureNote *
erasure_order_next(const ErasureOrder *order, ErasurePart part, const GPtrArray *notes,
                   const char *id)
{
    ErasureNote *note = erasure_note_new(order->org, order->session, part);

    note->number = notes->len + 1;
    note->has_previous = notes->len > 0;
    if (notes->len > 0)
        note->previous = digest_of_bytes(notes->pdata[notes->len - 1]);
    note->at_unix_s = g_get_real_time() / G_USEC_PER_SEC;
    note->id = id != NULL ? g_strdup(id) : g_uuid_string_random();
    note->by = g_strdup(order->by);
    note->software = g_strdup(order->software);
    note->reason = g_strdup(order->reason);
    note->rule = g_strdup(order->rule);
    note->table = g_strdup(order->table);
    note->requested = g_strdup(order->requested);
    note->approved = g_strdup(order->approved);
    return note;
}

char *
erasure_order_put(const ErasureOrder *order, const ErasureNote *note, GError **error)
{
    g_autofree char *text = erasure_note_to_text(note);
    char *signed_text = note_sign(order->signer, text);
    g_autoptr(GBytes) body = g_bytes_new_take(signed_text, strlen(signed_text));
    g_autofree char *key = erasure_note_key(order->org, order->session, note->number);
    const Digest digest = digest_of_bytes(body);

    return object_store_put(order->store, key, body, error) ? digest_to_hex(&digest) : NULL;
}

/* From when to when it was recorded: what an account of the disposal must say. */
static void
add_span(ErasureNote *note, const ManifestPart *manifest)
{
    int64_t anchor_us = 0;
    int64_t end_us = 0;

    for (guint i = 0; i < manifest->tracks->len && anchor_us == 0; i++)
        anchor_us = ((const ManifestTrack *) manifest->tracks->pdata[i])->anchor_unix_us;
    for (guint i = 0; i < manifest->segments->len; i++) {
        const ManifestSegment *row = manifest->segments->pdata[i];

        end_us = MAX(end_us, row->start_us + row->duration_us);
    }
    if (anchor_us > 0)
        erasure_note_add(note, "recorded %" PRId64 " %" PRId64, anchor_us, anchor_us + end_us);
}

/* What the manifest says of the bytes: read for the last time. */
static void
add_manifest(const ErasureOrder *order, ErasureNote *note)
{
    g_autoptr(GError) fault = NULL;
    const RecordingTrust trust = {order->recorders, order->annotators};
    g_autoptr(Recording) recording =
        recording_open(order->store, order->org, order->session, &trust, &fault);
    const ManifestPart *manifest = recording != NULL ? recording_manifest(recording) : NULL;

    if (manifest == NULL || manifest->number == 0) {
        erasure_note_add(note, "manifest none");
        return;
    }
    erasure_note_add(note, "manifest %u parts", manifest->number);
    add_span(note, manifest);
    for (guint i = 0; i < manifest->segments->len; i++) {
        const ManifestSegment *row = manifest->segments->pdata[i];
        g_autofree char *digest = digest_to_hex(&row->digest);

        erasure_note_add(note, "segment %s %" PRIu64 " %" PRIu64 " %s", row->object, row->offset,
                         row->length, digest);
    }
}

/* Small objects are read; media's digests are the manifest's. */
static char *
digest_of_object(const ErasureOrder *order, const char *key)
{
    g_autoptr(GBytes) body = NULL;
    Digest digest;

    if (g_str_has_suffix(key, ".tape") || !object_key_is_valid(key))
        return g_strdup("-");
    body = object_store_get(order->store, key, NULL);
    if (body == NULL)
        return g_strdup("-");
    digest = digest_of_bytes(body);
    return digest_to_hex(&digest);
}

static bool
add_objects(const ErasureOrder *order, ErasureNote *note, GError **error)
{
    g_autofree char *prefix = object_key_join(order->org, order->session, "");
    g_autoptr(GPtrArray) found = object_store_list_versions(order->store, prefix, error);

    for (guint i = 0; found != NULL && i < found->len; i++) {
        const ObjectVersion *version = found->pdata[i];
        g_autofree char *digest = NULL;

        if (version->kind != OBJECT_VERSION_BYTES ||
            g_str_has_prefix(version->key + strlen(prefix), "notes/"))
            continue;
        digest = digest_of_object(order, version->key);
        erasure_note_add(note, "object %s %s %" PRIu64 " %s", version->key, version->version,
                         version->n_bytes, digest);
    }
    return found != NULL;
}

bool
erasure_order_place(const ErasureOrder *order, GError **error)
{
    g_autoptr(GPtrArray) none = g_ptr_array_new();
    g_autofree char *key = erasure_note_key(order->org, order->session, 1);
    g_autoptr(GError) fault = NULL;
    g_autoptr(GBytes) there = object_store_get(order->store, key, &fault);
    g_autoptr(ErasureNote) note = NULL;
    g_autofree char *digest = NULL;

    if (there != NULL)
        return true;
    if (!g_error_matches(fault, STORAGE_ERROR, STORAGE_ERROR_NOT_FOUND)) {
        g_propagate_error(error, g_steal_pointer(&fault));
        return false;
    }
    note = erasure_order_next(order, ERASURE_ORDER, none, NULL);
    add_manifest(order, note);
    if (!add_objects(order, note, error))
        return false;
    digest = erasure_order_put(order, note, error);
    return digest != NULL;
}

/* Returns: the note, genuine and of its place behind `notes`; NULL sets `error`. */
static ErasureNote *
open_note(const ErasureOrder *order, const GPtrArray *notes, GBytes *body, GError **error)
{
    gsize n_bytes = 0;
    const char *bytes = g_bytes_get_data(body, &n_bytes);
    g_autofree char *text = note_open(bytes, n_bytes, order->annotators, error);
    g_autoptr(ErasureNote) note = text != NULL ? erasure_note_parse(text, error) : NULL;
    const Digest previous =
        notes->len > 0 ? digest_of_bytes(notes->pdata[notes->len - 1]) : digest_of("", 0);

    if (note == NULL)
        return NULL;
    if (note->number == notes->len + 1 && strcmp(note->org, order->org) == 0 &&
        strcmp(note->session, order->session) == 0 && note->has_previous == (notes->len > 0) &&
        (notes->len == 0 || digest_equal(&note->previous, &previous)))
        return g_steal_pointer(&note);
    g_set_error(error, STORAGE_ERROR, STORAGE_ERROR_CORRUPT, "it does not belong there");
    return NULL;
}

GPtrArray *
erasure_read_notes(const ErasureOrder *order, GPtrArray **notes, GError **error)
{
    g_autoptr(GPtrArray) bodies = g_ptr_array_new_with_free_func((GDestroyNotify) g_bytes_unref);
    g_autoptr(GPtrArray) read = g_ptr_array_new_with_free_func((GDestroyNotify) erasure_note_free);

    for (uint32_t number = 1;; number++) {
        g_autofree char *key = erasure_note_key(order->org, order->session, number);
        g_autoptr(GError) fault = NULL;
        GBytes *body = object_store_get(order->store, key, &fault);
        ErasureNote *note = NULL;

        if (body == NULL && !g_error_matches(fault, STORAGE_ERROR, STORAGE_ERROR_NOT_FOUND)) {
            g_propagate_error(error, g_steal_pointer(&fault));
            return NULL;
        }
        if (body == NULL)
            break;
        note = open_note(order, bodies, body, error);
        g_ptr_array_add(bodies, body);
        if (note == NULL) {
            g_prefix_error(error, "%s: ", key);
            return NULL;
        }
        g_ptr_array_add(read, note);
    }
    if (notes != NULL)
        *notes = g_steal_pointer(&bodies);
    return g_steal_pointer(&read);
}
