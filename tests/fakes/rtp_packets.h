#pragma once

#include "tests/fakes/rtp_source.h"

/* What a sender might do with the packets that a payloader made. */

/* Writes both into the header, and an SSRC of 0. */
void rtp_packets_number(uint8_t *packet, uint16_t sequence, uint32_t timestamp);

/* Puts `other` behind, and numbers all packets as if one sender had sent both as video. */
void rtp_packets_append(RtpSource *self, const RtpSource *other, int64_t offset_us);

/* Sends what is in the last fragment of each NAL unit of H.264 as three: nearly all of it, nothing,
 * and one byte, as RFC 6184 allows. Returns: how many it cut. */
unsigned rtp_packets_cut_last_pieces(RtpSource *self);
