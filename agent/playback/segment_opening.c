#include "agent/playback/segment_opening.h"

#include "agent/playback/object_past.h"
#include "crypto/age_context.h"
#include "crypto/age_file.h"
#include "storage/storage_error.h"

#include <string.h>

struct SegmentOpening {
    const Recording *recording;
    GHashTable *pasts; /* track -> ObjectPast, of the object that was read last */
};

static void
on_past_free(gpointer past)
{
    object_past_free(past);
}

SegmentOpening *
segment_opening_new(const Recording *recording)
{
    SegmentOpening *self = g_new0(SegmentOpening, 1);

    self->recording = recording;
    self->pasts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, on_past_free);
    return self;
}

void
segment_opening_free(SegmentOpening *self)
{
    if (self == NULL)
        return;
    g_hash_table_unref(self->pasts);
    g_free(self);
}

/* Returns: what the recorder's object was made with, borrowed; NULL sets `error`. */
static const ObjectPast *
read_past(SegmentOpening *self, GPtrArray *identities, const ManifestSegment *segment,
          const ResealPast *row, GError **error)
{
    ObjectPast *past = g_hash_table_lookup(self->pasts, segment->track);
    g_autoptr(GBytes) sealed = NULL;

    if (past != NULL && strcmp(object_past_name(past), row->object) == 0)
        return past;
    sealed = recording_read_past(self->recording, row, error);
    past = sealed != NULL ? object_past_open(recording_manifest(self->recording), segment, sealed,
                                             identities, error)
                          : NULL;
    if (past != NULL)
        g_hash_table_replace(self->pasts, g_strdup(segment->track), past);
    return past;
}

bool
segment_opening_prove(SegmentOpening *self, GPtrArray *identities, const ManifestSegment *segment,
                      const struct iovec *plain, GError **error)
{
    const ResealPast *row = NULL;
    const ObjectPast *past = NULL;
    Digest recorded = {{0}};

    if (!reseal_chain_origin(recording_resealed(self->recording), segment, &recorded, &row))
        return true;
    if (row == NULL) {
        g_set_error(error, STORAGE_ERROR, STORAGE_ERROR_CORRUPT,
                    "it was sealed anew, and nothing is named that proves it to be what was "
                    "recorded");
        return false;
    }
    past = read_past(self, identities, segment, row, error);
    return past != NULL && object_past_prove(past, segment, &recorded, plain, error);
}

GByteArray *
segment_opening_open(SegmentOpening *self, GPtrArray *identities, const ManifestSegment *segment,
                     GBytes *sealed, GError **error)
{
    const ManifestPart *manifest = recording_manifest(self->recording);
    g_autoptr(AgeContext) context = age_context_new_segment(
        manifest->org, manifest->session, segment->track, segment->part, segment->index);
    GByteArray *plain = age_file_open(identities, context, g_bytes_get_data(sealed, NULL),
                                      g_bytes_get_size(sealed), error);

    struct iovec opened;

    if (plain == NULL)
        return NULL;
    opened = (struct iovec){plain->data, plain->len};
    if (segment_opening_prove(self, identities, segment, &opened, error))
        return plain;
    age_file_wipe(plain);
    return NULL;
}
