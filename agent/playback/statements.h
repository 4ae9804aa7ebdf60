#pragma once

#include "agent/playback/track_keys.h"
#include "storage/annotation_log.h"
#include "storage/recording.h"

#include <glib.h>

/* What amends a recording: statements of its client or of a clinician, each sealed beside it to the
 * key of one of its tracks, and named by a signed annotation. */

/* The longest, in bytes. */
#define STATEMENT_MAX_BYTES 65536

/* Opens all that `log` names, in order. Returns: one JSON object a line, `{"number": 3, "at": ...,
 * "by": ..., "participant": ..., "text": ...}`, to be wiped with age_file_wipe(); empty where there
 * is none. Errors: CORRUPT - one is missing or is not what was signed for; as track_keys_of(); the
 * store's. */
GByteArray *statements_open(const Recording *recording, const TrackKeys *keys,
                            const AnnotationLog *log, GError **error) G_GNUC_WARN_UNUSED_RESULT;
