#pragma once

#include "storage/erasure_trace.h"
#include "storage/manifest.h"

#include <glib.h>
#include <jansson.h>
#include <stdint.h>

/* What `session list` and `session show` say of a session: the signed manifest put together with
 * what a running recorder knows. Plain values. */

typedef struct {
    const ManifestTrack *track; /* borrowed from the manifest */
    uint32_t n_segments;
    uint32_t n_parts;
    uint32_t n_cuts_without_keyframe;
    uint64_t n_bytes;          /* sealed */
    int64_t duration_us;       /* from the timeline's zero to the track's end */
    GArray *spans;             /* TimelineSpan: media and gaps; reasons borrowed */
    const GPtrArray *gaps;     /* of the whole manifest, borrowed */
    const TrackCounts *counts; /* borrowed from the manifest; NULL as long as it has none */
} TrackFacts;

typedef struct {
    char *org;
    char *session;
    char *state;
    char *reason;  /* NULL where the state says all */
    char *created; /* ISO 8601; NULL: not known */
    int64_t duration_us;
    uint64_t n_bytes;
    GPtrArray *tracks;            /* TrackFacts */
    const ManifestPart *manifest; /* borrowed; NULL: the store has none yet */
} SessionFacts;

/* `manifest`: borrowed, must outlive the facts; NULL where the store has none yet. `live`: what the
 * recorder says of the session (GET /v1/sessions/{id}), borrowed; NULL where it does not know it.
 */
SessionFacts *session_facts_new(const char *org, const char *session, const ManifestPart *manifest,
                                const json_t *live);

/* Says that it was erased, as `trace` has it; one whose erasure has only begun keeps its state. */
void session_facts_mark_erased(SessionFacts *self, const ErasureTrace *trace);

/* A row of `session list`, and the answer of `session show`; owned by the caller. */
json_t *session_facts_to_row(const SessionFacts *self);
json_t *session_facts_to_json(const SessionFacts *self);

void session_facts_free(SessionFacts *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SessionFacts, session_facts_free)
