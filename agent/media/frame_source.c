/* A frame goes: packet -> look at its payload -> depayloader -> is it whole -> the track.
 *
 * After loss, the depayloaders of GStreamer 1.22 are not enough: rtph264depay keeps the slices of
 * the picture that was cut off and glues the next packet to them, rtpvp9depay lets an upper layer
 * through whose lower one is missing. So the times of frames that can not be whole are noted here,
 * and frames of these times dropped. */
#include "agent/media/frame_source.h"

#include "agent/media/audio_packet.h"
#include "agent/media/codec_caps.h"
#include "agent/media/media_pad.h"
#include "agent/media/packet_list.h"
#include "agent/media/rtp_payload.h"

#include <gio/gio.h>
#include <string.h>

/* No frame of a call comes near this; a sender who never ends one must not fill the memory. */
#define MAX_FRAME_BYTES ((size_t) 1536 * 1024)
#define N_BROKEN        8
/* Packets, for a stream of which the time stands still. */
#define MAX_WAITING 64
/* As many again may come at once before what waits goes on: at the start of a stream that jitters
 * two seconds do, and its first packet says where the part begins. */
#define N_ANCHORS 128

/* And what each should make of its packets. */
static const struct {
    const char *depayloader;
    const char *caps;
} codec_paths[] = {
    [MEDIA_CODEC_OPUS] = {"rtpopusdepay", "audio/x-opus"                               },
    [MEDIA_CODEC_VP8] = {"rtpvp8depay",  "video/x-vp8"                                },
    [MEDIA_CODEC_VP9] = {"rtpvp9depay",  "video/x-vp9"                                },
    [MEDIA_CODEC_H264] = {"rtph264depay", "video/x-h264,stream-format=avc,alignment=au"},
    [MEDIA_CODEC_PCMU] = {"rtppcmudepay", "audio/x-mulaw"                              },
    [MEDIA_CODEC_PCMA] = {"rtppcmadepay", "audio/x-alaw"                               },
    [MEDIA_CODEC_G722] = {"rtpg722depay", "audio/G722"                                 },
};

struct FrameSource {
    MediaCodec codec;
    unsigned channels;
    bool is_plain_sound; /* a codec of RFC 3551, whose packets say nothing about themselves */
    FrameSourceOnFrame on_frame;
    void *user_data;
    GstPad *source;
    GstElement *depayloader;
    GstPad *sink;
    GstCaps *caps;
    PacketList waiting;
    int64_t waiting_since_us;
    size_t n_bytes_inside; /* since a frame came out */
    bool follows_bad;      /* the last packet was refused */
    bool is_inside_frame;  /* the last packet had no marker */
    bool sets_markers;     /* the sender does, as RFCs 6184, 7741 and 9628 say */
    int64_t last_time_us;
    int64_t remains_us;          /* of this frame the depayloader may hold remains; -1: of none */
    int64_t undecided_us;        /* this frame follows a loss, and may have begun before it; -1 */
    int64_t broken_us[N_BROKEN]; /* frames of these times are not whole */
    unsigned next_broken;
    struct {
        int64_t time_us;
        uint32_t rtp_timestamp;
    } anchors[N_ANCHORS]; /* of the last frames */
    unsigned next_anchor;
};

static bool
is_broken(const FrameSource *self, int64_t time_us)
{
    for (size_t i = 0; i < N_BROKEN; i++) {
        if (self->broken_us[i] == time_us)
            return true;
    }
    return false;
}

static void
mark_broken(FrameSource *self, int64_t time_us)
{
    self->broken_us[self->next_broken++ % N_BROKEN] = time_us;
}

/* The same pointer as long as nothing changes, so that each frame is compared by it alone. */
static void
keep_caps(FrameSource *self, GstCaps *caps)
{
    if (self->caps != NULL && caps != NULL && gst_caps_is_equal(self->caps, caps)) {
        gst_caps_unref(caps);
        return;
    }
    gst_clear_caps(&self->caps);
    self->caps = caps;
}

/* The depayloaders take for a keyframe what says so in one bit, or has parameter sets before it;
 * that of VP9 does not look for its size, and that of H.264 not for which of several sets holds.
 * Returns: whether it is one. */
static bool
note_keyframe(FrameSource *self, const uint8_t *bytes, size_t n_bytes)
{
    GstCaps *caps = codec_caps_of_keyframe(self->codec, self->caps, bytes, n_bytes);

    if (caps == NULL)
        return false;
    keep_caps(self, caps);
    return true;
}

/* Of plain stereo, half a sample would swap the channels of all that follows. */
static bool
has_good_size(const FrameSource *self, size_t n_bytes)
{
    return n_bytes > 0 && n_bytes <= MAX_FRAME_BYTES &&
           (!self->is_plain_sound || n_bytes % self->channels == 0);
}

static bool
read_frame(FrameSource *self, GstBuffer *buffer, Frame *frame)
{
    const bool is_video = media_codec_is_video(self->codec);
    const bool is_delta = GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_DELTA_UNIT);
    GstMapInfo map;

    if (!GST_BUFFER_PTS_IS_VALID(buffer) || !gst_buffer_map(buffer, &map, GST_MAP_READ))
        return false;
    *frame = (Frame){
        .buffer = buffer,
        .start_us = (int64_t) (GST_BUFFER_PTS(buffer) / 1000),
        .duration_us = audio_packet_duration_us(self->codec, self->channels, map.data, map.size),
        .n_bytes = map.size,
        .is_keyframe = !is_video,
    };
    bool is_good = has_good_size(self, map.size);

    if (is_good && is_video && !is_delta) {
        frame->is_keyframe = note_keyframe(self, map.data, map.size);
        is_good = frame->is_keyframe || self->codec == MEDIA_CODEC_H264;
    } else if (is_good && is_video) {
        frame->leaves_caps = codec_caps_are_left(self->codec, self->caps, map.data, map.size);
    }
    gst_buffer_unmap(buffer, &map);
    if (is_good && is_video && !frame->is_keyframe)
        GST_BUFFER_FLAG_SET(buffer, GST_BUFFER_FLAG_DELTA_UNIT);
    frame->caps = self->caps;
    return is_good;
}

static GstFlowReturn
on_buffer(GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
    FrameSource *self = gst_pad_get_element_private(pad);
    Frame frame;

    self->n_bytes_inside = 0;
    if (!read_frame(self, buffer, &frame) ||
        (media_codec_is_video(self->codec) && is_broken(self, frame.start_us))) {
        media_pad_wipe_buffer(buffer);
    } else {
        self->on_frame(&frame, self->user_data);
    }
    return GST_FLOW_OK;
}

static gboolean
on_event(GstPad *pad, GstObject *parent, GstEvent *event)
{
    FrameSource *self = gst_pad_get_element_private(pad);
    GstCaps *caps = NULL;

    if (GST_EVENT_TYPE(event) == GST_EVENT_CAPS) {
        gst_event_parse_caps(event, &caps);
        /* Those of VP8 and VP9 come from the keyframes; rtpvp9depay's change whenever it does not
         * know the size. */
        if (self->codec == MEDIA_CODEC_OPUS || self->codec == MEDIA_CODEC_H264)
            keep_caps(self, codec_caps_of_depayloader(self->codec, caps));
    }
    gst_event_unref(event);
    return TRUE;
}

static bool
link_elements(FrameSource *self, const MediaFormat *format, GError **error)
{
    g_autoptr(GstCaps) caps = codec_caps_for_depayloader(format);

    self->depayloader = media_pad_new_element(codec_paths[self->codec].depayloader, error);
    if (self->depayloader == NULL)
        return false;
    /* Packets come in order; an older number is a new beginning, and not to be dropped unseen. */
    g_object_set(self->depayloader, "max-reorder", 0, NULL);
    self->sink = media_pad_new_sink(self->depayloader, codec_paths[self->codec].caps, on_buffer,
                                    on_event, self);
    gst_element_set_state(self->depayloader, GST_STATE_PAUSED);
    self->source = media_pad_new_source(self->depayloader, "sink", caps);
    if (self->source == NULL) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED, "%s refused its settings",
                    codec_paths[self->codec].depayloader);
    }
    return self->source != NULL;
}

FrameSource *
frame_source_new(const MediaFormat *format, FrameSourceOnFrame on_frame, void *user_data,
                 GError **error)
{
    g_autoptr(FrameSource) self = g_new0(FrameSource, 1);

    self->codec = format->codec;
    self->channels = format->channels;
    self->caps = codec_caps_of_format(format);
    self->is_plain_sound = self->caps != NULL;
    self->on_frame = on_frame;
    self->user_data = user_data;
    self->remains_us = -1;
    self->undecided_us = -1;
    self->last_time_us = -1;
    memset(self->broken_us, 0xff, sizeof(self->broken_us));
    if (!link_elements(self, format, error))
        return NULL;
    return g_steal_pointer(&self);
}

/* rtph264depay keeps slices of a broken picture and would give them to the next one. An access unit
 * delimiter (NAL type 9) makes it let go of them, under their own time, which is marked broken. */
static void
add_delimiter(FrameSource *self, const MediaPacket *packet)
{
    const unsigned sequence = ((unsigned) packet->bytes[2] << 8 | packet->bytes[3]) - 1;
    uint8_t bytes[14] = {
        0x80, packet->bytes[1] & 0x7f, (uint8_t) (sequence >> 8), (uint8_t) sequence, [12] = 0x09,
        0xf0};
    GstBuffer *buffer = NULL;

    memcpy(bytes + 4, packet->bytes + 4, 8);
    buffer = media_pad_new_buffer(bytes, sizeof(bytes));
    GST_BUFFER_PTS(buffer) = (GstClockTime) self->remains_us * 1000;
    GST_BUFFER_FLAG_SET(buffer, GST_BUFFER_FLAG_DISCONT);
    packet_list_add_buffer(&self->waiting, buffer);
    self->remains_us = -1;
}

static void
note_broken(FrameSource *self, const MediaPacket *packet, const RtpPayload *payload)
{
    const bool follows_loss = packet->follows_loss || self->follows_bad;
    const int64_t time_us = MAX(packet->time_us, 0);

    self->follows_bad = false;
    if (follows_loss && self->is_inside_frame) {
        mark_broken(self, self->last_time_us);
        self->remains_us = self->last_time_us;
    }
    if (self->codec == MEDIA_CODEC_H264 && self->remains_us >= 0 && self->remains_us != time_us)
        add_delimiter(self, packet);
    if (follows_loss)
        self->undecided_us = time_us;
    if (self->undecided_us == time_us && payload->place == RTP_PAYLOAD_INSIDE) {
        mark_broken(self, time_us);
        self->remains_us = time_us;
    }
    if (payload->place != RTP_PAYLOAD_NEUTRAL)
        self->undecided_us = -1;
}

static void
note_anchor(FrameSource *self, int64_t time_us, uint32_t rtp_timestamp)
{
    self->anchors[self->next_anchor % N_ANCHORS].time_us = time_us;
    self->anchors[self->next_anchor % N_ANCHORS].rtp_timestamp = rtp_timestamp;
    self->next_anchor++;
}

uint32_t
frame_source_rtp_timestamp(const FrameSource *self, int64_t time_us)
{
    for (size_t i = 0; i < N_ANCHORS; i++) {
        if (self->anchors[i].time_us == time_us)
            return self->anchors[i].rtp_timestamp;
    }
    return self->anchors[self->next_anchor % N_ANCHORS].rtp_timestamp;
}

static void
add_good(FrameSource *self, const MediaPacket *packet, const RtpPayload *payload)
{
    const int64_t time_us = MAX(packet->time_us, 0);
    const bool follows = !packet->follows_loss && !self->follows_bad;

    if (self->waiting.buffers == NULL)
        self->waiting_since_us = time_us;
    note_broken(self, packet, payload);
    if (time_us != self->last_time_us)
        note_anchor(self, time_us, payload->rtp_timestamp);
    packet_list_add(&self->waiting, packet, payload, follows);
    self->n_bytes_inside += packet->n_bytes;
    self->is_inside_frame = !payload->has_marker;
    self->sets_markers |= payload->has_marker;
    self->last_time_us = time_us;
}

bool
frame_source_add(FrameSource *self, const MediaPacket *packet)
{
    RtpPayload payload;

    switch (rtp_payload_read(&payload, self->codec, packet->bytes, packet->n_bytes)) {
    case RTP_PAYLOAD_EMPTY:
        break;
    case RTP_PAYLOAD_BAD:
        self->follows_bad = true;
        return false;
    case RTP_PAYLOAD_GOOD:
    default:
        add_good(self, packet, &payload);
        break;
    }
    return true;
}

bool
frame_source_is_due(const FrameSource *self, int64_t hold_us)
{
    return self->waiting.buffers != NULL &&
           (ABS(self->last_time_us - self->waiting_since_us) >= hold_us ||
            self->waiting.n_packets >= MAX_WAITING);
}

bool
frame_source_flush(FrameSource *self)
{
    GstBufferList *waiting = packet_list_take(&self->waiting);

    if (waiting == NULL)
        return true;
    return gst_pad_push_list(self->source, waiting) == GST_FLOW_OK &&
           self->n_bytes_inside <= 2 * MAX_FRAME_BYTES;
}

void
frame_source_finish(FrameSource *self)
{
    /* rtph264depay would let a frame out that was cut off. */
    if (self->is_inside_frame && self->sets_markers)
        mark_broken(self, self->last_time_us);
    (void) frame_source_flush(self); /* the end is near in any case */
    gst_pad_push_event(self->source, gst_event_new_eos());
}

void
frame_source_free(FrameSource *self)
{
    if (self == NULL)
        return;
    media_pad_free(self->source, self->depayloader, self->sink);
    gst_clear_caps(&self->caps);
    g_clear_pointer(&self->waiting.buffers, gst_buffer_list_unref);
    g_free(self);
}
