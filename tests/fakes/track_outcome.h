#pragma once

#include "agent/media/media_track.h"
#include "crypto/plain_buffer.h"
#include "tests/fakes/rtp_source.h"

#include <glib.h>
#include <stdint.h>

/* What a MediaTrack gave out, kept for a test to look at. */
typedef struct {
    GPtrArray *segments; /* of Segment */
    GString *gaps;       /* "start+duration reason;" */
    GString *parts;      /* "part@start;" */
    uint32_t first_rtp_timestamp;
    unsigned n_keyframe_requests;
} TrackOutcome;

TrackOutcome *track_outcome_new(void);
MediaTrack *track_outcome_start_track(TrackOutcome *self, const MediaFormat *format);

/* Packet `i` of `source`, its time moved by `offset_us`. */
MediaPacket track_outcome_packet(const RtpSource *source, unsigned i, int64_t offset_us);

/* Pushes packets [from, until) in batches of seven. */
void track_outcome_push(MediaTrack *track, const RtpSource *source, unsigned from, unsigned until,
                        int64_t offset_us);

/* Pushes a whole source through a track of its own and ends it. */
TrackOutcome *track_outcome_record(const MediaFormat *format, const RtpSource *source,
                                   int64_t offset_us);

GByteArray *track_outcome_segment_bytes(const TrackOutcome *self, guint i);
void track_outcome_read_segment(const TrackOutcome *self, guint i, PlainBuffer *plain);
GByteArray *track_outcome_part_bytes(const TrackOutcome *self, uint32_t part);

/* Indexes count from 0, times tile the part, only the first has a header, only the last is the
 * last, and each other starts with a cluster. */
void track_outcome_check_sequence(const TrackOutcome *self);

void track_outcome_free(TrackOutcome *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(TrackOutcome, track_outcome_free)
