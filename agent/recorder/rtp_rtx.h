#pragma once

#include "agent/recorder/rtp_packet.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Reads a retransmission (RFC 4588): makes `header`, that of the packet sent again, what the
 * original one's was, but for SSRC and payload type, which the caller knows. `payload`: of the
 * retransmission. Returns: the original payload, header->n_payload bytes in `payload`; NULL: it is
 * too short to be one, a probe for bandwidth. */
const uint8_t *rtp_rtx_restore(const uint8_t *payload, RtpPacket *header);
