/* Packets become frames (frame_source), frames become a part's bytes (part_writer), bytes become
 * segments (segmenter). Between them, here: when a part begins and ends, what falls out before a
 * keyframe, and when to ask for one. */
#include "agent/media/media_track.h"

#include "agent/media/frame_source.h"
#include "agent/media/part_writer.h"
#include "agent/media/segmenter.h"

#include <gio/gio.h>

#define KEYFRAME_REQUEST_US 500000
/* So much of the timeline goes through the elements at once while all is well: 5 times a second and
 * not 80. */
#define HOLD_US 200000
/* Frames may be this much out of order; further back the timeline began anew. */
#define MAX_STEP_BACK_US 1000000
/* A stream that changes its settings all the time must not make an object of each frame: so many
 * parts at once, then one for each so many packets. */
#define PARTS_AT_ONCE    8
#define PACKETS_PER_PART 64

struct MediaTrack {
    MediaFormat format;
    MediaTrackOptions options;
    FrameSource *source; /* NULL until the next packet */
    PartWriter *writer;  /* NULL: no part is open */
    Segmenter *segmenter;
    GstCaps *part_caps;
    uint32_t next_part;
    int64_t last_frame_us;
    unsigned parts_left;
    unsigned n_packets_for_part; /* counted towards the next one of parts_left */
    int64_t waiting_since_us;    /* packets since then hold no media; -1: not waiting */
    int64_t last_packet_us;
    uint64_t n_unreadable;
    bool wants_keyframe;
    int64_t last_request_us; /* -1: never */
};

static void
on_bytes(const uint8_t *bytes, size_t n_bytes, void *user_data)
{
    MediaTrack *self = user_data;

    segmenter_append(self->segmenter, bytes, n_bytes);
}

static void
close_part(MediaTrack *self, int64_t next_us)
{
    if (self->writer == NULL)
        return;
    segmenter_end_part(self->segmenter, next_us);
    g_clear_pointer(&self->writer, part_writer_free);
    gst_clear_caps(&self->part_caps);
}

/* Tells of the stretch without media that ends at `end_us`. */
static void
end_waiting(MediaTrack *self, int64_t end_us)
{
    const int64_t since_us = self->waiting_since_us;

    self->waiting_since_us = -1;
    if (since_us >= 0 && end_us > since_us)
        self->options.on_gap(since_us, end_us - since_us, "no-keyframe", self->options.user_data);
}

static bool
open_part(MediaTrack *self, const Frame *frame)
{
    g_autoptr(GError) error = NULL;

    if (self->parts_left == 0)
        return false;
    self->parts_left--;
    self->writer = part_writer_new(frame->caps, on_bytes, self, &error);
    if (self->writer == NULL) {
        g_warning("no part can begin: %s", error->message);
        return false;
    }
    self->part_caps = gst_caps_ref((GstCaps *) frame->caps);
    segmenter_begin_part(self->segmenter, self->next_part);
    end_waiting(self, frame->start_us);
    self->options.on_part(self->next_part++, frame->start_us,
                          frame_source_rtp_timestamp(self->source, frame->start_us),
                          self->options.user_data);
    return true;
}

/* Returns: whether a part is open for the frame. */
static bool
ready_part(MediaTrack *self, const Frame *frame)
{
    const bool has_same_caps =
        self->part_caps == frame->caps || (self->writer != NULL && frame->caps != NULL &&
                                           gst_caps_is_equal(self->part_caps, frame->caps));

    if (self->writer != NULL &&
        (frame->start_us < self->last_frame_us - MAX_STEP_BACK_US || !has_same_caps))
        close_part(self, frame->start_us);
    if (self->writer != NULL)
        return true;
    if (frame->is_keyframe && frame->caps != NULL && open_part(self, frame))
        return true;
    if (self->waiting_since_us < 0)
        self->waiting_since_us = frame->start_us;
    self->wants_keyframe = media_codec_is_video(self->format.codec);
    return false;
}

static void
write_frame(MediaTrack *self, const Frame *frame)
{
    const SegmenterFrame noted = {
        .start_us = frame->start_us,
        .duration_us = frame->duration_us,
        .n_bytes = frame->n_bytes,
        .is_keyframe = frame->is_keyframe,
    };
    const SegmenterAdvice advice = segmenter_note_frame(self->segmenter, &noted);

    if (frame->is_keyframe) {
        self->wants_keyframe = false;
    } else if (advice == SEGMENTER_SAME_SEGMENT_WANT_KEYFRAME || frame->leaves_caps) {
        self->wants_keyframe = true;
    }
    self->last_frame_us = frame->start_us;
    if (!part_writer_push(self->writer, frame->buffer, advice == SEGMENTER_NEW_SEGMENT)) {
        g_message("the muxer refused a frame: the part ends");
        close_part(self, -1);
    }
}

static void
on_frame(const Frame *frame, void *user_data)
{
    MediaTrack *self = user_data;

    if (ready_part(self, frame)) {
        write_frame(self, frame);
    } else {
        gst_buffer_unref(frame->buffer);
    }
}

MediaTrack *
media_track_new(const MediaFormat *format, const MediaTrackOptions *options, GError **error)
{
    g_autoptr(MediaTrack) self = g_new0(MediaTrack, 1);

    self->format = *format;
    self->options = *options;
    self->parts_left = PARTS_AT_ONCE;
    self->waiting_since_us = -1;
    self->last_request_us = -1;
    self->segmenter = segmenter_new(options->segment_ms, media_codec_is_video(format->codec),
                                    options->on_segment, options->user_data);
    self->source = frame_source_new(format, on_frame, self, error);
    if (self->source == NULL)
        return NULL;
    return g_steal_pointer(&self);
}

static void
earn_parts(MediaTrack *self, size_t n_packets)
{
    if (self->parts_left == PARTS_AT_ONCE)
        return;
    self->n_packets_for_part += (unsigned) n_packets;
    if (self->n_packets_for_part >= PACKETS_PER_PART) {
        self->n_packets_for_part = 0;
        self->parts_left++;
    }
}

static void
note_packets(MediaTrack *self, const MediaPacket *packets, size_t n_packets)
{
    if (self->writer == NULL && self->waiting_since_us < 0) {
        self->waiting_since_us = MAX(packets[0].time_us, 0);
        self->wants_keyframe = media_codec_is_video(self->format.codec);
    }
    self->last_packet_us = MAX(packets[n_packets - 1].time_us, 0);
    earn_parts(self, n_packets);
}

static void
ask_for_keyframe(MediaTrack *self)
{
    const int64_t now_us = self->last_packet_us;

    if (!self->wants_keyframe ||
        (self->last_request_us >= 0 && ABS(now_us - self->last_request_us) < KEYFRAME_REQUEST_US))
        return;
    self->last_request_us = now_us;
    self->options.on_keyframe_wanted(self->options.user_data);
}

/* A source is made anew after a fault; while no part may begin, that would be in vain. */
static bool
ready_source(MediaTrack *self)
{
    g_autoptr(GError) error = NULL;

    if (self->source != NULL)
        return true;
    if (self->parts_left == 0)
        return false;
    self->source = frame_source_new(&self->format, on_frame, self, &error);
    if (self->source == NULL)
        g_warning("a track can not go on: %s", error->message);
    return self->source != NULL;
}

/* What came before a loss goes first, so that the loss is noted in the segment where it is.
 * Returns: false if the source is of no more use. */
static bool
note_loss(MediaTrack *self)
{
    if (!frame_source_flush(self->source))
        return false;
    segmenter_note_loss(self->segmenter);
    self->wants_keyframe = media_codec_is_video(self->format.codec);
    return true;
}

static bool
push_to_source(MediaTrack *self, const MediaPacket *packets, size_t n_packets)
{
    for (size_t i = 0; i < n_packets; i++) {
        if (packets[i].follows_loss && !note_loss(self))
            return false;
        if (!frame_source_add(self->source, &packets[i])) {
            self->n_unreadable++;
            if (!note_loss(self))
                return false;
        }
    }
    if (self->writer != NULL && !self->wants_keyframe &&
        !frame_source_is_due(self->source, HOLD_US))
        return true;
    return frame_source_flush(self->source);
}

void
media_track_push(MediaTrack *self, const MediaPacket *packets, size_t n_packets)
{
    if (n_packets == 0)
        return;
    note_packets(self, packets, n_packets);
    if (ready_source(self) && !push_to_source(self, packets, n_packets)) {
        g_message("a track's stream can not be read: it starts anew");
        g_clear_pointer(&self->source, frame_source_free);
        close_part(self, -1);
        self->parts_left -= MIN(self->parts_left, 1);
    }
    ask_for_keyframe(self);
}

static void
drain(MediaTrack *self)
{
    if (self->source != NULL)
        frame_source_finish(self->source);
    g_clear_pointer(&self->source, frame_source_free);
    close_part(self, -1);
    end_waiting(self, self->last_packet_us);
}

void
media_track_restart(MediaTrack *self)
{
    drain(self);
}

void
media_track_finish(MediaTrack *self)
{
    drain(self);
}

uint64_t
media_track_count_unreadable(const MediaTrack *self)
{
    return self->n_unreadable;
}

uint64_t
media_track_count_late_keyframes(const MediaTrack *self)
{
    return segmenter_count_late_keyframes(self->segmenter);
}

int64_t
media_track_end_us(const MediaTrack *self)
{
    const int64_t end_us = segmenter_end_us(self->segmenter);

    return self->source != NULL && self->writer != NULL ? MAX(end_us, self->last_packet_us)
                                                        : end_us;
}

void
media_track_free(MediaTrack *self)
{
    if (self == NULL)
        return;
    frame_source_free(self->source);
    part_writer_free(self->writer);
    segmenter_free(self->segmenter);
    gst_clear_caps(&self->part_caps);
    g_free(self);
}
