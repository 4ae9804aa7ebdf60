#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The fixed header of an RTP packet (RFC 3550 5.1) and where its payload lies. Any thread. */
typedef struct {
    uint32_t ssrc;
    uint32_t timestamp;
    uint16_t sequence;
    uint8_t payload_type;
    bool has_marker;
    uint16_t payload_offset;
    uint16_t n_payload; /* without padding; 0 is valid (a probe for bandwidth) */
    bool is_beside;     /* takes a sequence number, but is not the track's media; set by others */
} RtpPacket;

/* No datagram over this is RTP of ours: media servers keep below the path's MTU. */
enum { RTP_PACKET_MAX_BYTES = 2048 };

/* Checks every length the packet states against its real one.
 * Returns: false - not RTP version 2, cut short, too long, or its lengths lie; `packet` is then
 * untouched. */
bool rtp_packet_parse(const uint8_t *bytes, size_t n_bytes, RtpPacket *packet);

/* Writes a packet of nothing but the fixed header that `packet` says and its n_payload bytes
 * `payload`, and sets payload_offset. There must be room for both, and no more than
 * RTP_PACKET_MAX_BYTES. Returns: its length. */
size_t rtp_packet_write(RtpPacket *packet, const uint8_t *payload, uint8_t *bytes);

/* Says whether it is RTCP, which may share the port (RFC 5761 4). */
bool rtp_packet_is_rtcp(const uint8_t *bytes, size_t n_bytes);
