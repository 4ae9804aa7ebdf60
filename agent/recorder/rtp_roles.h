#pragma once

#include <stdbool.h>
#include <stdint.h>

/* What the payload types of a track mean besides its own, as it was declared. A plain value; all
 * zero: nothing but its own. */

typedef enum {
    RTP_ROLE_FOREIGN, /* not declared */
    RTP_ROLE_MEDIA,
    RTP_ROLE_RED,    /* media, with earlier media once more (RFC 2198) */
    RTP_ROLE_RTX,    /* a packet that was sent before (RFC 4588), with numbers of its own */
    RTP_ROLE_BESIDE, /* comfort noise, telephone events, forward error correction: takes sequence
                        numbers of the media, and is none */
} RtpRole;

typedef struct {
    uint8_t of[128]; /* RtpRole by payload type */
    bool has_rtx_ssrc;
    uint32_t rtx_ssrc;
} RtpRoles;
