#pragma once

#include "crypto/digest.h"
#include "storage/session_ledger.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* The manifest's text, DESIGN section 5 (docs/formats.md): lines, in parts. ManifestPart is one
 * part, written and read; signing and chaining are its callers'. */

typedef struct {
    char *track;
    uint32_t part;
    uint32_t index;
    int64_t start_us;
    int64_t duration_us;
    SegmentFlags flags;
    char *object;
    uint64_t offset;
    uint64_t length;
    Digest digest;
} ManifestSegment;

typedef struct {
    char *id, *kind, *codec, *participant, *recipient;
    int64_t anchor_unix_us; /* wall clock of the timeline's zero */
    int64_t from_us;
} ManifestTrack;

typedef struct {
    char *track;
    int64_t start_us, duration_us;
    char *reason;
} ManifestGap;

typedef struct {
    char *track;
    uint32_t part;
    int64_t start_us;
    uint32_t rtp_timestamp;
} ManifestClock;

typedef struct {
    char *track;
    uint32_t n_segments;
    int64_t duration_us; /* from the track's first moment to its end, gaps included */
} ManifestEnd;

/* What the recorder wants done with the whole recording, `quarantined` or `erase`, and why; or its
 * label, `part2` or `sud-notes`. */
typedef struct {
    char *mark, *reason;
} ManifestMark;

typedef struct {
    char *track;
    TrackCounts counts; /* known */
} ManifestCount;

typedef struct {
    char *org, *session;
    uint32_t number; /* from 1 */
    bool has_previous;
    Digest previous; /* of the whole note of part number-1 */
    SessionEnd state;
    GPtrArray *policies; /* char *: the rest of each policy line */
    GPtrArray *marks;    /* ManifestMark */
    GPtrArray *tracks;   /* ManifestTrack; all arrays own their rows */
    GPtrArray *segments; /* ManifestSegment */
    GPtrArray *gaps;     /* ManifestGap */
    GPtrArray *clocks;   /* ManifestClock */
    GPtrArray *ends;     /* ManifestEnd */
    GPtrArray *counts;   /* ManifestCount */
} ManifestPart;

/* What an amended part adds: its kind, and the codec of the only one there is. */
#define MANIFEST_KIND_TEXT    "text"
#define MANIFEST_CODEC_WEBVTT "webvtt"

/* What the id of a transcript's track begins with, before the number of its manifest part; no other
 * track's does. */
#define TRANSCRIPT_TRACK_PREFIX "transcript-"

/* Whether the track was heard or seen. The others are of MANIFEST_KIND_TEXT: no Matroska. */
bool manifest_track_is_media(const ManifestTrack *self);

ManifestPart *manifest_part_new(const char *org, const char *session, uint32_t number);

/* Returns: the text to be signed, owned. */
char *manifest_part_to_text(const ManifestPart *self);

/* Strict: every line known and in its canonical form, so that writing what was read gives the same
 * bytes. Errors: CORRUPT - names the line. */
ManifestPart *manifest_part_parse(const char *text, GError **error) G_GNUC_WARN_UNUSED_RESULT;

void manifest_part_free(ManifestPart *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ManifestPart, manifest_part_free)
