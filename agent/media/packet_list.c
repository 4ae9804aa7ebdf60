#include "agent/media/packet_list.h"

#include "agent/media/media_pad.h"

/* Behind a packet that is not the last of its picture, for the rest of a usual one. */
#define ROOM_BYTES ((size_t) 6 * 1024)

#define HEADER_MARKER 0x80

static int64_t
time_of(const MediaPacket *packet)
{
    return MAX(packet->time_us, 0);
}

static bool
join(PacketList *self, const MediaPacket *packet, const RtpPayload *payload)
{
    if (self->last == NULL || payload->n_picture == 0 || payload->place != RTP_PAYLOAD_INSIDE ||
        time_of(packet) != self->last_us ||
        !media_pad_extend_buffer(self->last, self->last_start, payload->picture,
                                 payload->n_picture))
        return false;
    if (payload->has_marker) {
        self->last_start[1] |= HEADER_MARKER;
        self->last = NULL;
    }
    self->n_joined++;
    return true;
}

void
packet_list_add_buffer(PacketList *self, GstBuffer *buffer)
{
    if (self->buffers == NULL)
        self->buffers = gst_buffer_list_new_sized(32);
    gst_buffer_list_add(self->buffers, buffer);
    self->last = NULL;
}

static void
add_alone(PacketList *self, const MediaPacket *packet, const RtpPayload *payload)
{
    /* Behind padding nothing could follow. */
    const bool may_be_joined =
        payload->n_picture > 0 && !payload->has_marker && !payload->is_padded;
    const unsigned sequence =
        ((unsigned) packet->bytes[2] << 8 | packet->bytes[3]) - self->n_joined;
    uint8_t *start = NULL;
    GstBuffer *buffer = media_pad_new_roomy_buffer(packet->bytes, packet->n_bytes,
                                                   may_be_joined ? ROOM_BYTES : 0, &start);

    start[2] = (uint8_t) (sequence >> 8);
    start[3] = (uint8_t) sequence;
    GST_BUFFER_PTS(buffer) = (GstClockTime) time_of(packet) * 1000;
    if (packet->follows_loss)
        GST_BUFFER_FLAG_SET(buffer, GST_BUFFER_FLAG_DISCONT);
    packet_list_add_buffer(self, buffer);
    self->last = may_be_joined ? buffer : NULL;
    self->last_start = start;
    self->last_us = time_of(packet);
}

void
packet_list_add(PacketList *self, const MediaPacket *packet, const RtpPayload *payload,
                bool follows)
{
    self->n_packets++;
    if (!follows || !join(self, packet, payload))
        add_alone(self, packet, payload);
}

GstBufferList *
packet_list_take(PacketList *self)
{
    self->n_packets = 0;
    self->last = NULL;
    return g_steal_pointer(&self->buffers);
}
