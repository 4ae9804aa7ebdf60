#pragma once

#include "agent/playback/track_keys.h"
#include "storage/recording.h"

#include <glib.h>

/* Opens the newest transcript of a recording; of several `tracks` (NULL: any) the last.
 * Returns: the WebVTT, to be wiped with age_file_wipe(). Errors: NOT_FOUND - there is none; as
 * track_keys_of() and recording_read_segment(). */
GByteArray *recover_transcript_open(Recording *recording, const TrackKeys *keys, char **tracks,
                                    GError **error) G_GNUC_WARN_UNUSED_RESULT;
