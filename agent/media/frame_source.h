#pragma once

#include "agent/media/media_format.h"
#include "agent/media/media_track.h"

#include <gst/gst.h>
#include <stdbool.h>
#include <stdint.h>

/* From RTP packets to whole frames: a pad of ours, the codec's depayloader (and parser where the
 * caps need one), and a sink pad of ours, in push mode. A frame of which packets are missing never
 * comes out. */
typedef struct FrameSource FrameSource;

typedef struct {
    GstBuffer *buffer; /* taken by the callee */
    const GstCaps
        *caps; /* borrowed; what a container has to know, and nothing else; NULL: not known */
    int64_t start_us;
    int64_t duration_us; /* 0 if the stream does not say */
    size_t n_bytes;
    bool is_keyframe; /* always true for audio */
    bool leaves_caps; /* its size is another, though it is no keyframe */
} Frame;

typedef void (*FrameSourceOnFrame)(const Frame *frame, void *user_data);

/* Errors: G_IO_ERROR_FAILED - an element is missing or refused its settings. */
FrameSource *frame_source_new(const MediaFormat *format, FrameSourceOnFrame on_frame,
                              void *user_data, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Takes a packet, in order of sequence; one of padding alone is dropped. It waits, copied, until
 * frame_source_flush(), because what a push through the elements costs is mostly that they are
 * cold. Returns: false if it is malformed and was dropped, so that its frame will be missing. */
bool frame_source_add(FrameSource *self, const MediaPacket *packet);

/* Frames come out inside this call. Returns: false if an element failed or swallows without end;
 * only frame_source_free() is left then. */
bool frame_source_flush(FrameSource *self);

/* Returns: whether what waits spans `hold_us` or more of the timeline, or is many packets. */
bool frame_source_is_due(const FrameSource *self, int64_t hold_us);

/* Returns: the RTP timestamp that fell on `time_us`, of one of the last packets. */
uint32_t frame_source_rtp_timestamp(const FrameSource *self, int64_t time_us);

/* The last frames come out. */
void frame_source_finish(FrameSource *self);

void frame_source_free(FrameSource *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FrameSource, frame_source_free)
