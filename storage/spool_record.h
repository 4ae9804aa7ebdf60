#pragma once

#include "crypto/digest.h"
#include "storage/session_ledger.h"
#include "storage/spool_body.h"

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One record of the spool's log: a frame, a body, and for a segment its sealed bytes (the payload).
 * The frame's digest covers frame and body; the payload has its own digest inside the body, so that
 * opening a large spool need not read every segment. docs/formats.md has the layout. */

typedef enum {
    SPOOL_RECORD_BEGIN = 1, /* each file starts with all that is live: from here ... */
    SPOOL_RECORD_END,       /* ... to here */
    SPOOL_RECORD_SESSION,
    SPOOL_RECORD_POLICY, /* these five are items: what manifest parts are made of */
    SPOOL_RECORD_TRACK,
    SPOOL_RECORD_CLOCK,
    SPOOL_RECORD_SEGMENT,
    SPOOL_RECORD_GAP,
    SPOOL_RECORD_SEGMENT_REF, /* a segment whose bytes lie in an older file */
    SPOOL_RECORD_TRACK_END,
    SPOOL_RECORD_CLOSE,
    SPOOL_RECORD_PART,    /* a signed manifest part, about to be put */
    SPOOL_RECORD_RELEASE, /* that part is in the store */
    SPOOL_RECORD_DROP, /* an object is stored; or a segment is damaged, and a gap stands for it */
    SPOOL_RECORD_TRACK_STATE, /* a track's sums, restated at the head of a file */
    SPOOL_RECORD_OBJECT,      /* a small sealed object; an item, but never in a part */
    SPOOL_N_RECORD_TYPES,
} SpoolRecordType;

enum { SPOOL_FRAME_BYTES = 56, SPOOL_MAX_BODY_BYTES = 64 << 20, SPOOL_MAX_PAYLOAD_BYTES = 1 << 30 };

typedef struct {
    const char *track;
    uint32_t part, index, object_first;
    int64_t start_us, duration_us;
    SegmentFlags flags;
    uint32_t n_bytes;
    Digest digest;         /* of the sealed bytes */
    uint64_t file, offset; /* only of a SEGMENT_REF: where they lie */
} SpoolSegment;

typedef struct {
    const char *org;
    int64_t created_unix_us;
    SessionEnd state;
    uint32_t n_parts; /* signed so far */
    Digest previous;  /* of the last one's note; zero when n_parts is 0 */
} SpoolSessionState;

typedef struct {
    const char *note;
    uint32_t number;
    SessionEnd state; /* the part's own: the last part is not SESSION_OPEN */
    SpoolList items;  /* numbers of the items it lists */
} SpoolPart;

typedef struct {
    const char *track;
    int64_t from_us;
    int64_t until_us;   /* how the recorder ended it */
    int64_t covered_us; /* end of the last segment or gap */
    int64_t listed_us;  /* the same, of those in manifest parts */
    uint32_t n_listed;  /* segments in manifest parts */
    TrackCounts counts;
} SpoolTrackState;

/* Strings are borrowed: from the caller when encoding, from the body when decoded. */
typedef struct {
    SpoolRecordType type;
    uint64_t number;     /* ascending in the whole spool; a restated item keeps its own */
    const char *session; /* "" for BEGIN and END */
    union {
        uint64_t file;      /* BEGIN: this file's number */
        uint64_t n_records; /* END: between BEGIN and END */
        SpoolSessionState state;
        const char *policy_lines;
        LedgerTrack track;
        LedgerClock clock;
        SpoolSegment segment;
        LedgerGap gap;
        LedgerTrackEnd track_end;
        SessionEnd close;
        SpoolPart part;
        uint32_t released_part;
        uint64_t dropped; /* number of the item */
        SpoolTrackState track_state;
        LedgerObject object;
    };
} SpoolRecord;

typedef struct {
    SpoolRecordType type;
    uint64_t number;
    uint32_t n_body_bytes;
    uint32_t n_payload_bytes;
    Digest digest;
} SpoolFrame;

/* Returns: frame and body, owned; a segment's payload is to follow. */
GBytes *spool_record_encode(const SpoolRecord *self);

/* Reads SPOOL_FRAME_BYTES. Returns: false where no frame is; the digest is still to be checked. */
bool spool_record_read_frame(const uint8_t *bytes, SpoolFrame *frame) G_GNUC_WARN_UNUSED_RESULT;

/* `bytes`: frame and body. Returns: true if they are as they were written and mean something, and
 * then fills `self`, which borrows from `bytes`. */
bool spool_record_decode(SpoolRecord *self, const uint8_t *bytes,
                         const SpoolFrame *frame) G_GNUC_WARN_UNUSED_RESULT;
