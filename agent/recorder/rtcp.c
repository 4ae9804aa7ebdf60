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

bool
rtcp_is_likely(const uint8_t *bytes, size_t n_bytes)
{
    return n_bytes >= 4 && bytes[0] >> 6 == 2 && bytes[1] >= 192 && bytes[1] <= 223;
}

/* Returns: the length of the first packet of the compound, 0 if it is not one. */
static size_t
packet_length(const uint8_t *bytes, size_t n_bytes)
{
    if (!rtcp_is_likely(bytes, n_bytes))
        return 0;
    const size_t length = 4 * ((size_t) bytes[2] << 8 | bytes[3]) + 4;
    return length <= n_bytes ? length : 0;
}

/* Reads a sender report, unless that of `ssrc` was read before. Returns: false - it is cut. */
static bool
read_sender_report(const uint8_t *packet, size_t length, uint32_t ssrc, RtcpReport *report)
{
    if (length < SENDER_REPORT_BYTES)
        return false;
    if (report->has_sender_report && report->ssrc == ssrc)
        return true;
    report->has_sender_report = true;
    report->ssrc = read_u32(packet + 4);
    report->ntp_time = (uint64_t) read_u32(packet + 8) << 32 | read_u32(packet + 12);
    report->rtp_timestamp = read_u32(packet + 16);
    return true;
}

/* Reads the items of one source, at `at` of a source description. Returns: where the next source
 * begins; 0: a length lies. */
static size_t
read_items(const uint8_t *packet, size_t length, size_t at, RtcpReport *report)
{
    const bool is_wanted = report->has_sender_report && read_u32(packet + at) == report->ssrc;

    for (at += 4; at < length && packet[at] != 0; at += 2 + (size_t) packet[at + 1]) {
        if (length - at < 2 || length - at - 2 < packet[at + 1])
            return 0;
        if (is_wanted && packet[at] == ITEM_CNAME) {
            report->cname = packet + at + 2;
            report->n_cname = packet[at + 1];
        }
    }
    /* One zero at least, and up to a whole word. */
    return at < length ? (at / 4 + 1) * 4 : 0;
}

/* Finds the name of who reports. What is broken in here concerns nobody else. */
static void
read_source_description(const uint8_t *packet, size_t length, RtcpReport *report)
{
    size_t at = 4;

    for (unsigned left = packet[0] & 31; left > 0 && length - at >= 8; left--) {
        at = read_items(packet, length, at, report);
        if (at == 0)
            return;
    }
}

bool
rtcp_parse(const uint8_t *bytes, size_t n_bytes, uint32_t ssrc, RtcpReport *report)
{
    RtcpReport found = {0};
    size_t at = 0;

    *report = found;
    while (at < n_bytes) {
        const uint8_t *packet = bytes + at;
        const size_t length = packet_length(packet, n_bytes - at);
        if (length == 0 ||
            (packet[1] == TYPE_SENDER_REPORT && !read_sender_report(packet, length, ssrc, &found)))
            return false;
        if (packet[1] == TYPE_SOURCE_DESCRIPTION)
            read_source_description(packet, length, &found);
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
