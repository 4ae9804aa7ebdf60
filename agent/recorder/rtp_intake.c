#include "agent/recorder/rtp_receiver_internal.h"
#include "agent/recorder/rtp_rtx.h"

/* What a datagram is to its track, by its payload type. Only the track's own packets, plain or
 * unpacked, decide which source is kept and how its clock runs; everything else may at most fill a
 * place that is known to be missing. */

static RtpRole
role_of(const RtpReceiver *self, uint8_t payload_type)
{
    return payload_type == self->options.payload_type
               ? RTP_ROLE_MEDIA
               : (RtpRole) self->options.roles.of[payload_type];
}

static bool
is_of_source(const RtpReceiver *self, uint32_t ssrc)
{
    return self->status.has_ssrc && ssrc == self->status.ssrc;
}

static void
refuse(RtpReceiver *self, const RtpPacket *header, uint8_t payload_type)
{
    self->status.n_foreign++;
    if (is_of_source(self, header->ssrc) || !self->status.has_ssrc) {
        self->status.has_undeclared_type = true;
        self->status.undeclared_type = payload_type;
    }
}

/* Returns: a packet of the track with `payload`, in memory of its own. */
static RtpArrival
unpack(RtpReceiver *self, const RtpArrival *outer, const RtpPacket *header, const uint8_t *payload)
{
    uint8_t bytes[RTP_PACKET_MAX_BYTES];
    RtpArrival arrival = {.header = *header, .arrival_us = outer->arrival_us};

    arrival.header.payload_type = self->options.payload_type;
    arrival.n_bytes = rtp_packet_write(&arrival.header, payload, bytes);
    arrival.held = packet_pool_copy(self->stream.pool, &arrival.header, bytes, arrival.n_bytes);
    arrival.bytes = arrival.held->bytes;
    return arrival;
}

/* Whether the clock says that a packet may fill a place that is waited for. */
static bool
is_in_time(const RtpReceiver *self, const RtpArrival *arrival, uint32_t timestamp)
{
    const int64_t lag_us = rtp_clock_lag_us(&self->stream.clock, timestamp, arrival->arrival_us);

    return lag_us >= -RTP_CLOCK_MAX_LAG_US &&
           lag_us <= RTP_CLOCK_MAX_LAG_US + (int64_t) self->options.reorder_ms * 1000;
}

/* Fills the place of `header` with what was sent to make up for it, if it is missing. */
static bool
repair(RtpReceiver *self, const RtpArrival *outer, const RtpPacket *header, const uint8_t *payload)
{
    const ReorderPlace place = reorder_window_place(self->stream.window, header->sequence);

    if ((place != REORDER_IS_NEXT && place != REORDER_IS_AWAITED) ||
        !is_in_time(self, outer, header->timestamp))
        return false;
    RtpArrival arrival = unpack(self, outer, header, payload);

    arrival.is_repair = true;
    rtp_stream_accept(&self->stream, &arrival);
    return true;
}

static void
take_rtx(RtpReceiver *self, const RtpArrival *outer)
{
    const RtpRoles *roles = &self->options.roles;
    RtpPacket header = outer->header;
    const uint8_t *payload = rtp_rtx_restore(outer->bytes + outer->header.payload_offset, &header);

    if (roles->has_rtx_ssrc && outer->header.ssrc != roles->rtx_ssrc) {
        self->status.n_foreign_ssrc++;
    } else if (payload == NULL || !self->status.has_ssrc) {
        self->status.n_beside++;
    } else {
        header.ssrc = self->status.ssrc;
        if (repair(self, outer, &header, payload))
            return;
        switch (reorder_window_place(self->stream.window, header.sequence)) {
        case REORDER_IS_DUPLICATE:
            self->status.n_duplicate++;
            break;
        case REORDER_IS_LATE:
            self->status.n_late++;
            break;
        case REORDER_IS_NEXT:
        case REORDER_IS_EARLY:
        case REORDER_IS_AWAITED:
        case REORDER_IS_BEYOND:
        case REORDER_IS_FAR:
            self->status.n_foreign++;
            break;
        }
    }
}

static void
take_beside(RtpReceiver *self, const RtpArrival *outer)
{
    RtpArrival arrival = *outer;
    const ReorderPlace place = reorder_window_place(self->stream.window, outer->header.sequence);

    self->status.n_beside++;
    if (is_of_source(self, outer->header.ssrc) &&
        (place == REORDER_IS_NEXT || place == REORDER_IS_EARLY || place == REORDER_IS_AWAITED ||
         place == REORDER_IS_BEYOND)) {
        arrival.header.is_beside = true;
        rtp_stream_accept(&self->stream, &arrival);
    }
}

/* An earlier block of a redundant packet; `distance`: how many packets before. */
static void
take_redundant(RtpReceiver *self, const RtpArrival *outer, const RtpRedBlock *block,
               unsigned distance)
{
    RtpPacket header = outer->header;
    const uint16_t likely = (uint16_t) (header.sequence - distance);

    header.timestamp -= block->before;
    header.n_payload = block->n_bytes;
    header.has_marker = false;
    /* Its time is told in a few bits, and it may have been left empty. */
    if (block->before == 0 || block->n_bytes == 0 ||
        role_of(self, block->payload_type) != RTP_ROLE_MEDIA)
        return;
    if (rtp_red_find(&self->red, header.timestamp, likely, &header.sequence) &&
        repair(self, outer, &header, block->bytes))
        rtp_red_remember(&self->red, header.sequence, header.timestamp);
}

/* The packet's own block, as if it had come alone. */
static void
take_primary(RtpReceiver *self, const RtpArrival *outer, const RtpRedBlock *block)
{
    RtpPacket header = outer->header;
    RtpArrival arrival;

    header.n_payload = block->n_bytes;
    arrival = unpack(self, outer, &header, block->bytes);
    if (self->red_ssrc != header.ssrc) {
        self->red = (RtpRedMemory){0};
        self->red_ssrc = header.ssrc;
    }
    rtp_red_remember(&self->red, header.sequence, header.timestamp);
    rtp_receiver_take_media(self, &arrival);
}

static void
take_red(RtpReceiver *self, const RtpArrival *outer)
{
    RtpRedBlock blocks[RTP_RED_MAX_BLOCKS];
    const unsigned n_blocks =
        rtp_red_split(outer->bytes + outer->header.payload_offset, outer->header.n_payload, blocks);
    const RtpRedBlock *primary = &blocks[MAX(n_blocks, 1) - 1];

    if (n_blocks == 0) {
        self->status.n_foreign++;
        return;
    }
    switch (role_of(self, primary->payload_type)) {
    case RTP_ROLE_MEDIA:
        take_primary(self, outer, primary);
        break;
    case RTP_ROLE_BESIDE:
        take_beside(self, outer);
        break;
    case RTP_ROLE_FOREIGN:
    case RTP_ROLE_RED:
    case RTP_ROLE_RTX:
        refuse(self, &outer->header, primary->payload_type);
        return;
    }
    for (unsigned i = 0; i + 1 < n_blocks && is_of_source(self, outer->header.ssrc); i++)
        take_redundant(self, outer, &blocks[i], n_blocks - 1 - i);
}

void
rtp_receiver_take_datagram(RtpReceiver *self, const RtpDatagram *datagram)
{
    RtpArrival arrival = {
        .bytes = datagram->bytes, .n_bytes = datagram->n_bytes, .arrival_us = datagram->arrival_us};

    if (!rtp_packet_parse(datagram->bytes, datagram->n_bytes, &arrival.header)) {
        self->status.n_foreign++;
        return;
    }
    switch (role_of(self, arrival.header.payload_type)) {
    case RTP_ROLE_MEDIA:
        rtp_receiver_take_media(self, &arrival);
        break;
    case RTP_ROLE_RED:
        take_red(self, &arrival);
        break;
    case RTP_ROLE_RTX:
        take_rtx(self, &arrival);
        break;
    case RTP_ROLE_BESIDE:
        take_beside(self, &arrival);
        break;
    case RTP_ROLE_FOREIGN:
        refuse(self, &arrival.header, arrival.header.payload_type);
        break;
    }
}
