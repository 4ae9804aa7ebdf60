#include "agent/reseal/reseal_object.h"

#include "agent/playback/object_past.h"
#include "agent/reseal/sealed_file.h"
#include "crypto/age_context.h"
#include "crypto/age_file.h"
#include "storage/object_key.h"
#include "storage/storage_error.h"

#include <string.h>

/* One object on its way. */
typedef struct {
    const ResealWork *work;
    const GPtrArray *segments; /* ManifestSegment, as before */
    GPtrArray *identities;     /* of the track, new */
    GPtrArray *recipients;
    GPtrArray *plains;    /* GByteArray: of each segment; wiped when freed */
    ObjectPast *past;     /* what the recorder's was made with */
    ObjectPast *stored;   /* the same, as it was read back */
    char *object, *stash; /* the new names, within the session: media and past */
} Resealing;

static void
on_plain_wipe(gpointer plain)
{
    age_file_wipe(plain);
}

static void
resealing_clear(Resealing *self)
{
    g_clear_pointer(&self->plains, g_ptr_array_unref);
    g_clear_pointer(&self->past, object_past_free);
    g_clear_pointer(&self->stored, object_past_free);
    g_clear_pointer(&self->object, g_free);
    g_clear_pointer(&self->stash, g_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Resealing, resealing_clear)

static const ManifestPart *
manifest_of(const Resealing *self)
{
    return recording_manifest(self->work->recording);
}

static const ManifestSegment *
segment_at(const Resealing *self, guint i)
{
    return g_ptr_array_index(self->segments, i);
}

/* Returns: the segment as the note will name it, all borrowed. */
static ManifestSegment
moved(const Resealing *self, guint i)
{
    ManifestSegment segment = *segment_at(self, i);

    segment.object = self->object;
    return segment;
}

static AgeContext *
place_of(const Resealing *self, guint i)
{
    const ManifestSegment *segment = segment_at(self, i);

    return age_context_new_segment(manifest_of(self)->org, manifest_of(self)->session,
                                   segment->track, segment->part, segment->index);
}

/* --- step 1 --- */

/* Of an object that was never sealed anew: what its segments were made with. */
static bool
take_past(const Resealing *self, guint i, GPtrArray *old, GBytes *sealed, GError **error)
{
    g_autoptr(AgeContext) context = place_of(self, i);
    AgePast *past = age_past_take(old, context, g_bytes_get_data(sealed, NULL),
                                  g_bytes_get_size(sealed), error);

    if (past != NULL)
        object_past_add(self->past, segment_at(self, i)->index, past);
    return past != NULL;
}

/* Of one that was: what its past says of the recorder's is handed on. */
static bool
hand_past_on(const Resealing *self, const ResealPast *row, GPtrArray *old, GError **error)
{
    g_autoptr(GBytes) sealed = recording_read_past(self->work->recording, row, error);
    g_autoptr(ObjectPast) before =
        sealed != NULL
            ? object_past_open(manifest_of(self), segment_at(self, 0), sealed, old, error)
            : NULL;

    if (before != NULL)
        object_past_move(self->past, before);
    return before != NULL;
}

static bool
open_old(Resealing *self, GPtrArray *old, GError **error)
{
    const ResealWork *work = self->work;
    const ResealPast *row = NULL;
    Digest recorded = {{0}};
    const bool was_resealed = reseal_chain_origin(recording_resealed(work->recording),
                                                  segment_at(self, 0), &recorded, &row);

    for (guint i = 0; i < self->segments->len; i++) {
        g_autoptr(GBytes) sealed =
            recording_read_segment(work->recording, segment_at(self, i), error);
        GByteArray *plain =
            sealed != NULL
                ? segment_opening_open(work->opening, old, segment_at(self, i), sealed, error)
                : NULL;

        if (plain == NULL)
            return false;
        g_ptr_array_add(self->plains, plain);
        if (!was_resealed && !take_past(self, i, old, sealed, error))
            return false;
    }
    /* segment_opening_open() has shown that `row` names one. */
    return !was_resealed || hand_past_on(self, row, old, error);
}

/* --- step 2 --- */

/* Puts `body` unless the name is taken: step 3 looks at what is there. */
static bool
put(const Resealing *self, const char *relative, GBytes *body, GError **error)
{
    g_autofree char *key =
        object_key_join(manifest_of(self)->org, manifest_of(self)->session, relative);
    g_autoptr(GError) fault = NULL;

    if (object_store_put(self->work->store, key, body, &fault) ||
        g_error_matches(fault, STORAGE_ERROR, STORAGE_ERROR_CONFLICT))
        return true;
    g_propagate_error(error, g_steal_pointer(&fault));
    return false;
}

/* Returns: the whole object, sealed with the new key, owned. */
static GBytes *
seal_all(const Resealing *self, GError **error)
{
    g_autoptr(GByteArray) body = g_byte_array_new();

    for (guint i = 0; i < self->segments->len; i++) {
        const GByteArray *plain = g_ptr_array_index(self->plains, i);
        const struct iovec piece = {plain->data, plain->len};
        g_autoptr(AgeContext) context = place_of(self, i);
        g_autoptr(GBytes) sealed = age_file_seal(self->recipients, context, &piece, 1, error);

        if (sealed == NULL)
            return NULL;
        g_byte_array_append(body, g_bytes_get_data(sealed, NULL), (guint) g_bytes_get_size(sealed));
    }
    return g_byte_array_free_to_bytes(g_steal_pointer(&body));
}

/* Returns: what lies there, owned; NULL with `error`, unset where nothing does. */
static GBytes *
get(const Resealing *self, const char *relative, GError **error)
{
    g_autofree char *key =
        object_key_join(manifest_of(self)->org, manifest_of(self)->session, relative);
    GError *fault = NULL;
    GBytes *body = object_store_get(self->work->store, key, &fault);

    if (g_error_matches(fault, STORAGE_ERROR, STORAGE_ERROR_NOT_FOUND))
        g_clear_error(&fault);
    if (fault != NULL)
        g_propagate_error(error, fault);
    return body;
}

static bool
put_past(const Resealing *self, GError **error)
{
    g_autoptr(GBytes) sealed = object_past_seal(self->past, self->recipients, error);

    return sealed != NULL && put(self, self->stash, sealed, error);
}

static bool
put_media(const Resealing *self, GError **error)
{
    g_autoptr(GBytes) sealed = seal_all(self, error);

    return sealed != NULL && put(self, self->object, sealed, error);
}

/* Puts what is missing: first what proves it, then itself. */
static bool
put_missing(const Resealing *self, GError **error)
{
    GError *fault = NULL;
    g_autoptr(GBytes) past = get(self, self->stash, &fault);
    g_autoptr(GBytes) media = fault == NULL ? get(self, self->object, &fault) : NULL;

    if (fault != NULL) {
        g_propagate_error(error, fault);
        return false;
    }
    return (past != NULL || put_past(self, error)) && (media != NULL || put_media(self, error));
}

/* --- step 3 --- */

static bool
fail(const Resealing *self, const char *what, GError **error)
{
    g_set_error(error, STORAGE_ERROR, STORAGE_ERROR_CORRUPT, "%s %s", self->object, what);
    return false;
}

/* What the recorder signed of segment `i`. */
static Digest
recorded_of(const Resealing *self, guint i)
{
    const ManifestSegment *segment = segment_at(self, i);
    const ResealPast *row = NULL;
    Digest recorded = segment->digest;

    (void) reseal_chain_origin(recording_resealed(self->work->recording), segment, &recorded,
                               &row); /* else it is the manifest's */
    return recorded;
}

/* Checks the `n_bytes` of segment `i` in the new object, and names them in the note. */
static bool
check_segment(const Resealing *self, guint i, const ResealSegment *row, const uint8_t *sealed,
              GError **error)
{
    const ManifestSegment segment = moved(self, i);
    const GByteArray *wanted = g_ptr_array_index(self->plains, i);
    const Digest recorded = recorded_of(self, i);
    g_autoptr(AgeContext) context = place_of(self, i);
    GByteArray *plain = age_file_open(self->identities, context, sealed, row->length, error);
    bool is_good = plain != NULL;

    if (is_good && (plain->len != wanted->len ||
                    memcmp(plain->data, wanted->data, wanted->len) != 0)) /* one's own, twice */
        is_good = fail(self, "holds other media than what it is to replace", error);
    if (is_good) {
        const struct iovec opened = {plain->data, plain->len};

        is_good = object_past_prove(self->stored, &segment, &recorded, &opened, error);
    }
    age_file_wipe(plain);
    if (is_good)
        reseal_note_add_segment(self->work->note, row);
    return is_good;
}

static bool
check_all(const Resealing *self, GBytes *media, GError **error)
{
    gsize n_bytes = 0;
    const uint8_t *bytes = g_bytes_get_data(media, &n_bytes);
    uint64_t offset = 0;

    for (guint i = 0; i < self->segments->len; i++) {
        const ManifestSegment *before = segment_at(self, i);
        const GByteArray *plain = g_ptr_array_index(self->plains, i);
        const uint64_t length = sealed_file_length(bytes + offset, n_bytes - offset, plain->len);
        ResealSegment row = {.track = before->track,
                             .part = before->part,
                             .index = before->index,
                             .before = before->digest,
                             .object = self->object,
                             .offset = offset,
                             .length = length};

        if (length == 0)
            return fail(self, "is not made of the segments that it is to replace", error);
        row.now = digest_of(bytes + offset, length);
        if (!check_segment(self, i, &row, bytes + offset, error))
            return false;
        offset += length;
    }
    return offset == n_bytes || fail(self, "is longer than its segments", error);
}

static bool
check_new(Resealing *self, GError **error)
{
    const ManifestSegment first = moved(self, 0);
    GError *fault = NULL;
    g_autoptr(GBytes) stash = get(self, self->stash, &fault);
    g_autoptr(GBytes) media = fault == NULL ? get(self, self->object, &fault) : NULL;

    if (fault != NULL) {
        g_propagate_error(error, fault);
        return false;
    }
    if (stash == NULL || media == NULL)
        return fail(self, "is not there, though the store said that it was put", error);
    self->stored = object_past_open(manifest_of(self), &first, stash, self->identities, error);
    if (self->stored == NULL || !check_all(self, media, error))
        return false;
    reseal_note_add_past(self->work->note, &(ResealPast){self->stash, digest_of_bytes(stash)});
    return true;
}

/* --- the whole --- */

/* Returns: the object's name without the folder of a sealing anew before, borrowed; NULL: it is
 * not named as ours are, or holds what is not of one track and part. */
static const char *
base_of(const Resealing *self)
{
    const ManifestSegment *first = segment_at(self, 0);
    const size_t n_digits = first->object[0] == 'r' ? strspn(first->object + 1, "0123456789") : 0;
    const char *base = n_digits > 0 && first->object[n_digits + 1] == '/'
                           ? first->object + n_digits + 2
                           : first->object;

    for (guint i = 1; i < self->segments->len; i++) {
        const ManifestSegment *segment = segment_at(self, i);

        if (segment->part != first->part || strcmp(segment->track, first->track) != 0)
            return NULL;
    }
    return base[0] == 't' ? base : NULL;
}

/* Sets the new names. */
static bool
name_new(Resealing *self, GError **error)
{
    const char *base = base_of(self);
    ManifestSegment first;

    if (base == NULL) {
        g_set_error(error, STORAGE_ERROR, STORAGE_ERROR_CORRUPT,
                    "%s is no object of one track and part", segment_at(self, 0)->object);
        return false;
    }
    self->object = g_strdup_printf("r%u/%s", self->work->note->envelope.generation, base);
    first = moved(self, 0);
    self->past = object_past_new(manifest_of(self), &first, error);
    if (self->past != NULL)
        self->stash = g_strdup(object_past_name(self->past));
    return self->past != NULL;
}

bool
reseal_object(const ResealWork *work, const GPtrArray *segments, GError **error)
{
    const char *track = ((const ManifestSegment *) segments->pdata[0])->track;
    GPtrArray *old = track_keys_of(work->old, track, error);
    g_auto(Resealing) self = {.work = work, .segments = segments};

    if (old == NULL)
        return false;
    self.identities = reseal_keys_identities(work->now, track);
    self.recipients = reseal_keys_recipients(work->now, track);
    self.plains = g_ptr_array_new_with_free_func(on_plain_wipe);
    return name_new(&self, error) && open_old(&self, old, error) && put_missing(&self, error) &&
           check_new(&self, error);
}
