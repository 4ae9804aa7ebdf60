#include "agent/recorder/rtcp.h"

#include <glib.h>
#include <string.h>
#include <sys/random.h>

enum {
    TYPE_SENDER_REPORT = 200,
    TYPE_RECEIVER_REPORT = 201,
    TYPE_SOURCE_DESCRIPTION = 202,
    TYPE_BYE = 203,
    TYPE_PAYLOAD_FEEDBACK = 206,
    FORMAT_PICTURE_LOSS = 1,
    FORMAT_FULL_INTRA = 4,
    ITEM_CNAME = 1,
    SENDER_REPORT_BYTES = 28,
};

static uint32_t
read_u32(const uint8_t *bytes)
{
    return (uint32_t) bytes[0] << 24 | (uint32_t) bytes[1] << 16 | (uint32_t) bytes[2] << 8 |
           bytes[3];
}

static void
write_u32(uint8_t *bytes, uint32_t value)
{
    bytes[0] = (uint8_t) (value >> 24);
    bytes[1] = (uint8_t) (value >> 16);
    bytes[2] = (uint8_t) (value >> 8);
    bytes[3] = (uint8_t) value;
}

/* Returns: the length of the first packet of the compound, 0 if it is not one. */
static size_t
packet_length(const uint8_t *bytes, size_t n_bytes)
{
    if (n_bytes < 4 || bytes[0] >> 6 != 2 || bytes[1] < 192 || bytes[1] > 223)
        return 0;
    const size_t length = 4 * ((size_t) bytes[2] << 8 | bytes[3]) + 4;
    return length <= n_bytes ? length : 0;
}

bool
rtcp_parse(const uint8_t *bytes, size_t n_bytes, RtcpReport *report)
{
    RtcpReport found = {0};
    size_t at = 0;

    *report = found;
    while (at < n_bytes) {
        const uint8_t *packet = bytes + at;
        const size_t length = packet_length(packet, n_bytes - at);
        if (length == 0)
            return false;
        if (packet[1] == TYPE_SENDER_REPORT) {
            if (length < SENDER_REPORT_BYTES)
                return false;
            found.has_sender_report = true;
            found.ssrc = read_u32(packet + 4);
            found.ntp_time = (uint64_t) read_u32(packet + 8) << 32 | read_u32(packet + 12);
            found.rtp_timestamp = read_u32(packet + 16);
        }
        found.has_bye = found.has_bye || packet[1] == TYPE_BYE;
        at += length;
    }
    *report = found;
    return n_bytes > 0;
}

void
rtcp_identity_draw(RtcpIdentity *identity)
{
    uint8_t random[sizeof(identity->ssrc) + sizeof(identity->cname) / 4 * 3];

    /* So few bytes come whole or not at all, and not at all means no kernel to run on. */
    g_assert(getrandom(random, sizeof(random), 0) == sizeof(random));
    memcpy(&identity->ssrc, random, sizeof(identity->ssrc));
    g_autofree char *text =
        g_base64_encode(random + sizeof(identity->ssrc), sizeof(random) - sizeof(identity->ssrc));
    memcpy(identity->cname, text, sizeof(identity->cname));
}

/* The first word of a packet of `n_bytes`. */
static uint8_t *
write_header(uint8_t *bytes, unsigned count, unsigned type, size_t n_bytes)
{
    write_u32(bytes, 2U << 30 | count << 24 | type << 16 | (uint32_t) (n_bytes / 4 - 1));
    return bytes + 4;
}

size_t
rtcp_write_keyframe_request(const RtcpIdentity *identity, const RtcpKeyframeRequest *request,
                            uint8_t bytes[RTCP_KEYFRAME_REQUEST_BYTES])
{
    uint8_t *at = bytes + 36;

    memset(bytes, 0, RTCP_KEYFRAME_REQUEST_BYTES);
    /* A report that reports nothing, */
    uint8_t *report = write_header(bytes, 0, TYPE_RECEIVER_REPORT, 8);
    write_u32(report, identity->ssrc);
    /* who we are (the item ends with a zero, and the words with more), */
    uint8_t *name = write_header(bytes + 8, 1, TYPE_SOURCE_DESCRIPTION, 28);
    write_u32(name, identity->ssrc);
    name[4] = ITEM_CNAME;
    name[5] = sizeof(identity->cname);
    memcpy(name + 6, identity->cname, sizeof(identity->cname));
    /* and the request. */
    if ((request->feedback & RTCP_FEEDBACK_PLI) != 0) {
        at = write_header(at, FORMAT_PICTURE_LOSS, TYPE_PAYLOAD_FEEDBACK, 12);
        write_u32(at, identity->ssrc);
        write_u32(at + 4, request->media_ssrc);
        at += 8;
    }
    if ((request->feedback & RTCP_FEEDBACK_FIR) != 0) {
        at = write_header(at, FORMAT_FULL_INTRA, TYPE_PAYLOAD_FEEDBACK, 20);
        write_u32(at, identity->ssrc);
        write_u32(at + 8, request->media_ssrc);
        at[12] = request->fir_counter;
        at += 16;
    }
    return (size_t) (at - bytes);
}
