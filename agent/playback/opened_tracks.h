#pragma once

#include "agent/media/exporter.h"
#include "agent/playback/track_keys.h"
#include "storage/recording.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* Opens a recording segment by segment for the exporter: one input for each part of each wanted
 * track. The exporter reads inputs from threads of its own; the recording is read by one at a time.
 */
typedef struct OpenedTracks OpenedTracks;

typedef struct {
    bool (*wants_track)(const char *track, void *user_data);
    void *user_data;
    int64_t from_us;
    int64_t until_us;
    bool is_partial; /* leave out what does not open, and note it */
} OpenedTracksOptions;

/* All borrowed until opened_tracks_free(). Errors: as track_keys_of(). */
OpenedTracks *opened_tracks_new(Recording *recording, const TrackKeys *keys,
                                const OpenedTracksOptions *options,
                                GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Returns: GArray of ExporterInput, borrowed. */
const GArray *opened_tracks_inputs(const OpenedTracks *self);

/* Returns: the input of one part of one track, borrowed; NULL if nothing of it is wanted. */
const ExporterInput *opened_tracks_part(const OpenedTracks *self, const char *track, unsigned part);

/* Returns: GPtrArray of char *, what was left out, one sentence each, borrowed; once the exporter
 * has ended. */
const GPtrArray *opened_tracks_left_out(const OpenedTracks *self);
void opened_tracks_free(OpenedTracks *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(OpenedTracks, opened_tracks_free)
