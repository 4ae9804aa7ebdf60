#include "agent/recorder/rtp_packet.h"

#include <glib.h>
#include <string.h>

enum { FIXED_HEADER_BYTES = 12, EXTENSION_HEADER_BYTES = 4 };

static uint16_t
read_u16(const uint8_t *bytes)
{
    return (uint16_t) (bytes[0] << 8 | bytes[1]);
}

static uint32_t
read_u32(const uint8_t *bytes)
{
    return (uint32_t) read_u16(bytes) << 16 | read_u16(bytes + 2);
}

/* Returns: bytes before the payload, 0 where the packet is shorter than it says. */
static size_t
header_length(const uint8_t *bytes, size_t n_bytes)
{
    size_t length = FIXED_HEADER_BYTES + 4 * (size_t) (bytes[0] & 0x0f);

    if ((bytes[0] & 0x10) != 0) {
        if (n_bytes < length + EXTENSION_HEADER_BYTES)
            return 0;
        length += EXTENSION_HEADER_BYTES + 4 * (size_t) read_u16(bytes + length + 2);
    }
    return length <= n_bytes ? length : 0;
}

bool
rtp_packet_is_rtcp(const uint8_t *bytes, size_t n_bytes)
{
    return n_bytes >= 2 && bytes[0] >> 6 == 2 && bytes[1] >= 192 && bytes[1] <= 223;
}

bool
rtp_packet_parse(const uint8_t *bytes, size_t n_bytes, RtpPacket *packet)
{
    if (n_bytes < FIXED_HEADER_BYTES || n_bytes > RTP_PACKET_MAX_BYTES || bytes[0] >> 6 != 2 ||
        rtp_packet_is_rtcp(bytes, n_bytes))
        return false;
    const size_t offset = header_length(bytes, n_bytes);
    if (offset == 0)
        return false;

    size_t n_padding = 0;
    if ((bytes[0] & 0x20) != 0) {
        n_padding = bytes[n_bytes - 1];
        if (n_padding == 0 || n_padding > n_bytes - offset)
            return false;
    }
    *packet = (RtpPacket){
        .ssrc = read_u32(bytes + 8),
        .timestamp = read_u32(bytes + 4),
        .sequence = read_u16(bytes + 2),
        .payload_type = bytes[1] & 0x7f,
        .has_marker = (bytes[1] & 0x80) != 0,
        .payload_offset = (uint16_t) offset,
        .n_payload = (uint16_t) (n_bytes - offset - n_padding),
    };
    return true;
}

static void
write_u16(uint8_t *bytes, uint16_t value)
{
    bytes[0] = (uint8_t) (value >> 8);
    bytes[1] = (uint8_t) value;
}

size_t
rtp_packet_write(RtpPacket *packet, const uint8_t *payload, uint8_t *bytes)
{
    g_assert(FIXED_HEADER_BYTES + packet->n_payload <= RTP_PACKET_MAX_BYTES);
    bytes[0] = 0x80;
    bytes[1] = (uint8_t) (packet->payload_type | (packet->has_marker ? 0x80 : 0));
    write_u16(bytes + 2, packet->sequence);
    write_u16(bytes + 4, (uint16_t) (packet->timestamp >> 16));
    write_u16(bytes + 6, (uint16_t) packet->timestamp);
    write_u16(bytes + 8, (uint16_t) (packet->ssrc >> 16));
    write_u16(bytes + 10, (uint16_t) packet->ssrc);
    if (packet->n_payload > 0)
        memcpy(bytes + FIXED_HEADER_BYTES, payload, packet->n_payload);
    packet->payload_offset = FIXED_HEADER_BYTES;
    return FIXED_HEADER_BYTES + packet->n_payload;
}
