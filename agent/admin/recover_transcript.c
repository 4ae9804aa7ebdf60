#include "agent/admin/recover_transcript.h"

#include "agent/playback/segment_opening.h"
#include "storage/storage_error.h"

#include <string.h>

/* Returns: the last text that is wanted; NULL if there is none. */
static const ManifestTrack *
find_text(const ManifestPart *manifest, char **tracks)
{
    for (guint i = manifest->tracks->len; i > 0; i--) {
        const ManifestTrack *track = manifest->tracks->pdata[i - 1];

        if (!manifest_track_is_media(track) &&
            (tracks == NULL || g_strv_contains((const char *const *) tracks, track->id)))
            return track;
    }
    return NULL;
}

static const ManifestSegment *
find_segment(const ManifestPart *manifest, const char *track)
{
    for (guint i = 0; i < manifest->segments->len; i++) {
        const ManifestSegment *segment = manifest->segments->pdata[i];

        if (strcmp(segment->track, track) == 0)
            return segment;
    }
    return NULL;
}

GByteArray *
recover_transcript_open(Recording *recording, const TrackKeys *keys, char **tracks, GError **error)
{
    const ManifestPart *manifest = recording_manifest(recording);
    const ManifestTrack *track = find_text(manifest, tracks);
    const ManifestSegment *segment = track != NULL ? find_segment(manifest, track->id) : NULL;
    GPtrArray *identities = NULL;
    g_autoptr(GBytes) sealed = NULL;
    g_autoptr(SegmentOpening) opening = NULL;

    if (segment == NULL) {
        g_set_error(error, STORAGE_ERROR, STORAGE_ERROR_NOT_FOUND,
                    "the session has no such transcript");
        return NULL;
    }
    identities = track_keys_of(keys, track->id, error);
    if (identities != NULL)
        sealed = recording_read_segment(recording, segment, error);
    if (sealed == NULL)
        return NULL;
    opening = segment_opening_new(recording);
    return segment_opening_open(opening, identities, segment, sealed, error);
}
