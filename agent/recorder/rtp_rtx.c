#include "agent/recorder/rtp_rtx.h"

/* The original sequence number. */
enum { RTX_HEADER_BYTES = 2 };

const uint8_t *
rtp_rtx_restore(const uint8_t *payload, RtpPacket *header)
{
    if (header->n_payload < RTX_HEADER_BYTES)
        return NULL;
    header->sequence = (uint16_t) (payload[0] << 8 | payload[1]);
    header->n_payload -= RTX_HEADER_BYTES;
    return payload + RTX_HEADER_BYTES;
}
