#include "storage/reseal_chain_private.h"

#include <string.h>

/* What the notes on a sealing anew make of a manifest, and what they say of it. */

/* Returns: for tables only. */
static char *
name_of(const char *track, uint32_t part, uint32_t index)
{
    return g_strdup_printf("%s %u %u", track, part, index);
}

/* Returns: name -> ResealSegment; what stands twice is told. */
static GHashTable *
index_segments(const ResealNote *note, const ResealReading *reading)
{
    GHashTable *rows = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

    for (guint i = 0; i < note->segments->len; i++) {
        ResealSegment *row = note->segments->pdata[i];
        char *name = name_of(row->track, row->part, row->index);

        if (!g_hash_table_insert(rows, name, row)) {
            reseal_chain_tell(
                reading, "reseal-mismatch",
                "note %u on its sealing anew names segment %u of track %s part %u twice",
                note->number, row->index, row->track, row->part);
        }
    }
    return rows;
}

const ResealTrack *
reseal_chain_find_track(const ResealNote *note, const char *id)
{
    for (guint i = 0; i < note->tracks->len; i++) {
        const ResealTrack *row = note->tracks->pdata[i];

        if (strcmp(row->id, id) == 0)
            return row;
    }
    return NULL;
}

static void
apply_to_tracks(const ResealNote *note, ManifestPart *manifest, const ResealReading *reading)
{
    for (guint i = 0; i < manifest->tracks->len; i++) {
        ManifestTrack *track = manifest->tracks->pdata[i];
        const ResealTrack *row = reseal_chain_find_track(note, track->id);

        if (row == NULL)
            continue;
        if (strcmp(row->before, track->recipient) != 0) {
            reseal_chain_tell(
                reading, "reseal-mismatch",
                "note %u on its sealing anew takes track %s for one of another key than the "
                "signed manifest names",
                note->number, track->id);
            continue;
        }
        g_free(track->recipient);
        track->recipient = g_strdup(row->now);
    }
}

static void
apply_to_segment(ResealChain *self, const ResealNote *note, const ResealSegment *row,
                 ManifestSegment *segment, const ResealReading *reading)
{
    g_autofree char *name = name_of(segment->track, segment->part, segment->index);

    if (!digest_equal(&row->before, &segment->digest)) {
        reseal_chain_tell(
            reading, "reseal-mismatch",
            "note %u on its sealing anew was made of another segment %u of track %s part %u than "
            "the signed manifest lists",
            note->number, segment->index, segment->track, segment->part);
        return;
    }
    if (!g_hash_table_contains(self->origins, name))
        g_hash_table_insert(self->origins, g_strdup(name), g_memdup2(&row->before, sizeof(Digest)));
    g_hash_table_add(self->replaced, segment->object);
    segment->object = g_strdup(row->object);
    segment->offset = row->offset;
    segment->length = row->length;
    segment->digest = row->now;
}

/* What a note says of a track it says of all that is there of it. */
static void
apply_note(ResealChain *self, const ResealNote *note, ManifestPart *manifest, bool is_whole,
           const ResealReading *reading)
{
    g_autoptr(GHashTable) rows = index_segments(note, reading);

    apply_to_tracks(note, manifest, reading);
    for (guint i = 0; i < manifest->segments->len; i++) {
        ManifestSegment *segment = manifest->segments->pdata[i];
        g_autofree char *name = name_of(segment->track, segment->part, segment->index);
        const ResealSegment *row = g_hash_table_lookup(rows, name);

        if (row != NULL && reseal_chain_find_track(note, segment->track) != NULL) {
            apply_to_segment(self, note, row, segment, reading);
            g_hash_table_remove(rows, name);
        } else if (row != NULL || reseal_chain_find_track(note, segment->track) != NULL) {
            reseal_chain_tell(reading, "reseal-mismatch",
                              "note %u on its sealing anew names %s of track %s, but not %s",
                              note->number, row != NULL ? "segments" : "the key", segment->track,
                              row != NULL ? "its key" : "all its segments");
        }
    }
    if (is_whole && g_hash_table_size(rows) > 0) {
        reseal_chain_tell(
            reading, "reseal-mismatch",
            "note %u on its sealing anew names %u segments that the signed manifest does not list",
            note->number, g_hash_table_size(rows));
    }
}

void
reseal_chain_apply(ResealChain *self, ManifestPart *manifest, bool is_whole,
                   const ResealReading *reading)
{
    for (guint i = 0; i < self->notes->len; i++)
        apply_note(self, self->notes->pdata[i], manifest, is_whole, reading);
}

/* Whether it lies in the folder of an envelope that was replaced: with its keys went all that was
 * sealed to them, what a run left that never came to its note as well. */
static bool
is_of_replaced(const ResealChain *self, const char *relative)
{
    const size_t n_digits = relative[0] == 'r' ? strspn(relative + 1, "0123456789") : 0;
    g_autofree char *envelope = NULL;

    if (n_digits == 0 || relative[n_digits + 1] != '/')
        return false;
    envelope = g_strdup_printf("env/%.*s.age", (int) n_digits, relative + 1);
    return g_hash_table_contains(self->replaced, envelope);
}

bool
reseal_chain_has_replaced(const ResealChain *self, const char *relative)
{
    return g_hash_table_contains(self->replaced, relative) || is_of_replaced(self, relative);
}

bool
reseal_chain_has_named(const ResealChain *self, const char *relative)
{
    return g_hash_table_contains(self->named, relative);
}

bool
reseal_chain_origin(const ResealChain *self, const ManifestSegment *segment, Digest *recorded,
                    const ResealPast **past)
{
    g_autofree char *name = name_of(segment->track, segment->part, segment->index);
    const Digest *found = g_hash_table_lookup(self->origins, name);
    g_autofree char *stem = NULL;
    g_autofree char *object = NULL;

    if (found == NULL)
        return false;
    *recorded = *found;
    *past = NULL;
    if (!g_str_has_suffix(segment->object, ".tape"))
        return true;
    stem = g_strndup(segment->object, strlen(segment->object) - strlen(".tape"));
    object = g_strconcat(stem, ".past", NULL);
    *past = g_hash_table_lookup(self->named, object);
    return true;
}

char *
reseal_chain_statement(const ResealChain *self, const char *digest, Digest *now)
{
    char *relative = g_strdup_printf("said/%s.sealed", digest);
    Digest name;

    if (!digest_from_hex(&name, digest))
        return relative;
    *now = name;
    for (guint i = 0; i < self->notes->len; i++) {
        const ResealNote *note = self->notes->pdata[i];

        for (guint j = 0; j < note->said->len; j++) {
            const ResealSaid *row = &g_array_index(note->said, ResealSaid, j);

            if (!digest_equal(&row->name, &name) || !digest_equal(&row->before, now))
                continue;
            *now = row->now;
            g_free(relative);
            relative = g_strdup_printf("r%u/said/%s.sealed", note->envelope.generation, digest);
        }
    }
    return relative;
}

char *
reseal_chain_describe(const ResealChain *self)
{
    const ResealNote *last = self->notes->len > 0 ? self->notes->pdata[self->notes->len - 1] : NULL;
    const ResealNote *first = last != NULL ? self->notes->pdata[0] : NULL;
    g_autoptr(GDateTime) at = NULL;
    g_autofree char *day = NULL;

    if (last == NULL)
        return NULL;
    at = g_date_time_new_from_unix_utc(last->at_unix_s);
    day = g_date_time_format(at, "%Y-%m-%d");
    return g_strdup_printf("sealed anew on %s by %s: the recorder's signature covers what %s read; "
                           "%s's covers what is stored",
                           day, last->by, first->by, last->by);
}
