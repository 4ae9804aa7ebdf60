#pragma once

#include "storage/sealed_segment.h"
#include "storage/track_counts.h"

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What the manifest of one session is made of, as the spool keeps it: never a name, a reference or
 * a key. Plain values; ids as in age_context_id_is_valid(). */

typedef enum {
    SESSION_OPEN,
    SESSION_CLOSED,
    SESSION_INTERRUPTED, /* the recorder died; closed by the next start with what was acknowledged
                          */
    SESSION_AMENDED,     /* only of a manifest's part: it adds a text to a session that has ended */
} SessionEnd;

typedef struct {
    const char *org;
    const char *session;
    int64_t created_unix_us;  /* wall clock of the timeline's zero */
    const char *policy_lines; /* `policy <sha256> ...` and `mark ...` lines as they stand in the
                                 manifest, each with a newline */
} LedgerSession;

typedef struct {
    const char *id;
    const char *kind;  /* audio, video */
    const char *codec; /* opus, vp8, vp9, h264 */
    const char *participant;
    const char *recipient; /* age1... */
    int64_t from_us;       /* where on the timeline the track was added */
} LedgerTrack;

/* A small sealed object that the store must have before anything else of the session: an envelope,
 * or who is in it. */
typedef struct {
    const char *name; /* relative to the session: env/1.age */
    const uint8_t *bytes;
    size_t n_bytes;
    bool replaces; /* takes the place of what stands there; otherwise the name must be free */
} LedgerObject;

/* A hole in a track, or a stretch inside it that is known to be damaged or silent. */
typedef struct {
    const char *track;
    int64_t start_us;
    int64_t duration_us;
    const char
        *reason; /* [a-z-]+: loss, silence, no-media, no-keyframe, paused, overload, interrupted */
} LedgerGap;

/* How a part's RTP clock maps to the timeline: `rtp_timestamp` fell on `start_us`. */
typedef struct {
    const char *track;
    uint32_t part;
    int64_t start_us;
    uint32_t rtp_timestamp;
} LedgerClock;

/* How a track ended: its whole length on the timeline, and what became of its packets. */
typedef struct {
    const char *track;
    int64_t until_us; /* the track covers from_us to until_us with segments and gaps */
    TrackCounts counts;
} LedgerTrackEnd;
