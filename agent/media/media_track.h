#pragma once

#include "agent/media/media_format.h"
#include "agent/media/segment.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* One track's way from RTP packets to segments: a depayloader between pads of ours in push mode,
 * the writer of a part, whose head matroskamux writes, and the segmenter. No thread or timer of its
 * own: everything runs in the thread that pushes (one at a time), and the callbacks run inside that
 * push. While all is well, packets wait (copied) until they span 200 ms. Segments are cut by the
 * media's own time: while the source is silent nothing is cut, and the first frame after it starts
 * the next one when that is due. */
typedef struct MediaTrack MediaTrack;

typedef struct {
    uint64_t segment_ms; /* cut at the first keyframe past this; 4000 */
    /* A segment is complete; taken by the callee. */
    void (*on_segment)(Segment *segment, void *user_data);
    /* Ask the source for a keyframe (PLI): at start, after loss, when a cut is overdue. At most
     * every 500 ms. */
    void (*on_keyframe_wanted)(void *user_data);
    /* A stretch of the timeline holds no decodable media, [a-z-] `reason`: `no-keyframe` (dropped
     * until the first one). */
    void (*on_gap)(int64_t start_us, int64_t duration_us, const char *reason, void *user_data);
    /* A part begins: `rtp_timestamp` of its first packet fell on `start_us`. */
    void (*on_part)(uint32_t part, int64_t start_us, uint32_t rtp_timestamp, void *user_data);
    void *user_data;
} MediaTrackOptions;

/* One RTP packet, in sequence. */
typedef struct {
    const uint8_t *bytes; /* the whole packet, borrowed */
    size_t n_bytes;
    int64_t time_us;   /* its RTP timestamp on the session's timeline */
    bool follows_loss; /* packets before it are missing */
} MediaPacket;

/* Errors: G_IO_ERROR_FAILED - an element is missing or refused its settings. */
MediaTrack *media_track_new(const MediaFormat *format, const MediaTrackOptions *options,
                            GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Takes packets in order of sequence (lost ones left out), whose time_us never goes back by more
 * than a reordered frame's worth. A fault of the stream closes the part and starts the next; it is
 * never fatal. */
void media_track_push(MediaTrack *self, const MediaPacket *packets, size_t n_packets);

/* The source began anew (SSRC, timeline jump): closes the present part, the next packet starts
 * another. */
void media_track_restart(MediaTrack *self);

/* Ends the stream: the last segment comes out (with is_last_of_part). */
void media_track_finish(MediaTrack *self);

/* Returns: where the media that came out or is still in work ends on the timeline; -1 before any.
 */
int64_t media_track_end_us(const MediaTrack *self);

/* Returns: how many cuts had to wait for a keyframe for more than half a second after they were
 * due, and got one. */
uint64_t media_track_count_late_keyframes(const MediaTrack *self);

/* Returns: how many packets were malformed or of a packetisation that no depayloader here reads. */
uint64_t media_track_count_unreadable(const MediaTrack *self);

/* Drops what was not finished, wiped. NULL is allowed. */
void media_track_free(MediaTrack *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MediaTrack, media_track_free)
