#pragma once

#include "agent/playback/segment_opening.h"
#include "agent/playback/track_keys.h"
#include "agent/reseal/reseal_keys.h"
#include "storage/annotation_log.h"
#include "storage/recording.h"

#include <glib.h>

/* Seals one object of a session anew. In this order:
 *  1. its segments are read, compared with the digests that are signed, and opened;
 *  2. unless a run before has put it, what they were made with is sealed and put, and then they
 *     themselves, with the track's new key;
 *  3. both are read back, opened with that key, compared with what was opened in step 1, and proven
 *     against the digests that the recorder signed. Only what passes is named in the note.
 * Plaintext is in memory only, and wiped. */

/* All borrowed. */
typedef struct {
    ObjectStore *store;
    Recording *recording; /* as it is before */
    SegmentOpening *opening;
    const TrackKeys *old;
    const ResealKeys *now;
    ResealNote *note; /* with its envelope */
} ResealWork;

/* `segments`: all ManifestSegment of the object, in their order. Errors: CORRUPT - what is read, or
 * read back, is not what was signed; as track_keys_of(); the store's. */
bool reseal_object(const ResealWork *work, const GPtrArray *segments,
                   GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The same of every sealed statement that an annotation names. */
bool reseal_statements(const ResealWork *work, const AnnotationLog *log,
                       GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Whether the note names every one that `log` has now: while this program stood still somebody may
 * have added another. Errors: BUSY - it does not. */
bool reseal_statements_are_all(const ResealNote *note, const AnnotationLog *log,
                               GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Before anything old goes: whether each of them opens with `keys`, EnvelopeKey, those of now: what
 * was sealed to a key of before would be lost. Errors: CORRUPT - one does not; the store's. */
bool reseal_statements_confirm(const Recording *recording, const AnnotationLog *log,
                               const GPtrArray *keys, GError **error) G_GNUC_WARN_UNUSED_RESULT;
