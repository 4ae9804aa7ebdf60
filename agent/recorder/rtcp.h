#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The little RTCP (RFC 3550 6, RFC 4585) that a receiver of media needs. Any thread. */

/* What a compound packet says. */
typedef struct {
    uint32_t ssrc; /* of the sender report */
    uint64_t ntp_time;
    uint32_t rtp_timestamp; /* the same moment on the stream's clock */
    const uint8_t *cname;   /* of that SSRC, in the packet */
    uint8_t n_cname;        /* 0: it is not told */
    bool has_sender_report;
    bool has_bye;
} RtcpReport;

/* How we call ourselves: drawn at random for each track, so that it tells nothing. */
typedef struct {
    uint32_t ssrc;
    char cname[16]; /* not terminated; RFC 7022 4.2 */
} RtcpIdentity;

/* The ways to ask for a keyframe. */
typedef enum {
    RTCP_FEEDBACK_PLI = 1 << 0, /* picture loss indication, RFC 4585 6.3.1 */
    RTCP_FEEDBACK_FIR = 1 << 1, /* full intra request, RFC 5104 4.3.1 */
} RtcpFeedback;

typedef struct {
    uint32_t media_ssrc;
    unsigned feedback;   /* RtcpFeedback, at least one */
    uint8_t fir_counter; /* another one for each new request */
} RtcpKeyframeRequest;

enum { RTCP_KEYFRAME_REQUEST_BYTES = 68 };

/* Says whether a datagram on a port for RTP and RTCP is RTCP (RFC 5761 4), if it is any of them. */
bool rtcp_is_likely(const uint8_t *bytes, size_t n_bytes);

/* Of several sender reports that of `ssrc` is taken, if it is there.
 * Returns: false - a length lies, or it is no RTCP; `report` is then all zero. */
bool rtcp_parse(const uint8_t *bytes, size_t n_bytes, uint32_t ssrc, RtcpReport *report);

void rtcp_identity_draw(RtcpIdentity *identity);

/* Writes it in the smallest compound packet RFC 4585 3.1 allows. Returns: its length. */
size_t rtcp_write_keyframe_request(const RtcpIdentity *identity, const RtcpKeyframeRequest *request,
                                   uint8_t bytes[RTCP_KEYFRAME_REQUEST_BYTES]);
