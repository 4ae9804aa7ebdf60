#include "agent/media/rtp_payload.h"

#include <glib.h>

#define RTP_HEADER_BYTES 12

/* NAL unit types of RFC 6184, table 1. */
enum {
    NAL_SLICE = 1,
    NAL_IDR = 5,
    NAL_AUD = 9,
    NAL_END_OF_SEQUENCE = 10,
    NAL_END_OF_STREAM = 11,
    NAL_STAP_A = 24,
    NAL_FU_A = 28,
};

typedef struct {
    const uint8_t *bytes;
    size_t n_bytes;
} Span;

static uint32_t
read_be(const uint8_t *bytes, size_t n_bytes)
{
    uint32_t value = 0;

    for (size_t i = 0; i < n_bytes; i++)
        value = value << 8 | bytes[i];
    return value;
}

/* RFC 3550 section 5.1 and 5.3.1. */
static bool
find_payload(Span *payload, const uint8_t *packet, size_t n_bytes)
{
    size_t start = RTP_HEADER_BYTES;
    size_t n_padding = 0;

    if (n_bytes < RTP_HEADER_BYTES || packet[0] >> 6 != 2)
        return false;
    start += 4 * (size_t) (packet[0] & 0x0f);
    if (packet[0] & 0x10) {
        if (start + 4 > n_bytes)
            return false;
        start += 4 + 4 * (size_t) read_be(packet + start + 2, 2);
    }
    if (packet[0] & 0x20) {
        n_padding = packet[n_bytes - 1];
        if (n_padding == 0)
            return false;
    }
    if (start + n_padding > n_bytes)
        return false;
    payload->bytes = packet + start;
    payload->n_bytes = n_bytes - start - n_padding;
    return true;
}

/* A slice's header begins with first_mb_in_slice in Exp-Golomb; a leading one bit is zero. Some
 * payloaders put parameter sets between the slices of a picture. */
static RtpPayloadPlace
place_of_nal(uint8_t type, uint8_t first_byte)
{
    if (type == NAL_AUD)
        return RTP_PAYLOAD_STARTS;
    if (type > NAL_IDR)
        return RTP_PAYLOAD_NEUTRAL;
    return (type <= 2 || type == NAL_IDR) && (first_byte & 0x80) != 0 ? RTP_PAYLOAD_STARTS
                                                                      : RTP_PAYLOAD_INSIDE;
}

/* Table 7-1 of H.264; 0 is undefined, and aggregates do not nest. */
static bool
is_plain_type(uint8_t type)
{
    return type >= NAL_SLICE && type < NAL_STAP_A;
}

/* Sections 7.3.2.5 and 7.3.2.6 of H.264: two that are a header and nothing else. */
static bool
read_nal(RtpPayloadPlace *place, const uint8_t *bytes, size_t n_bytes)
{
    const uint8_t type = bytes[0] & 0x1f;

    *place = place_of_nal(type, n_bytes > 1 ? bytes[1] : 0);
    return is_plain_type(type) &&
           (n_bytes > 1 || type == NAL_END_OF_SEQUENCE || type == NAL_END_OF_STREAM);
}

static bool
read_stap(RtpPayload *self, Span payload)
{
    size_t at = 1;

    self->place = RTP_PAYLOAD_NEUTRAL;
    while (at < payload.n_bytes) {
        RtpPayloadPlace place = RTP_PAYLOAD_NEUTRAL;
        size_t n_nal = 0;

        if (at + 2 > payload.n_bytes)
            return false;
        n_nal = read_be(payload.bytes + at, 2);
        at += 2;
        if (n_nal == 0 || n_nal > payload.n_bytes - at ||
            !read_nal(&place, payload.bytes + at, n_nal))
            return false;
        if (self->place == RTP_PAYLOAD_NEUTRAL)
            self->place = place;
        at += n_nal;
    }
    return payload.n_bytes > 1;
}

/* RFC 6184 section 5.8: any piece but the first may be of one byte, or of none. */
static bool
read_fragment(RtpPayload *self, Span payload)
{
    if (payload.n_bytes < 2 || !is_plain_type(payload.bytes[1] & 0x1f))
        return false;
    if ((payload.bytes[1] & 0x80) == 0)
        return true;
    if (payload.n_bytes < 3)
        return false;
    self->place = place_of_nal(payload.bytes[1] & 0x1f, payload.bytes[2]);
    return true;
}

/* STAP-B, MTAP and FU-B do not occur in the modes of WebRTC. */
static bool
read_h264(RtpPayload *self, Span payload)
{
    switch (payload.bytes[0] & 0x1f) {
    case NAL_STAP_A:
        return read_stap(self, payload);
    case NAL_FU_A:
        return read_fragment(self, payload);
    default:
        return read_nal(&self->place, payload.bytes, payload.n_bytes);
    }
}

/* RFC 7741 section 4.2: X R N S R PID, and with X: I L T K, picture id, TL0PICIDX, layer or key
 * index. */
static size_t
count_descriptor_bytes(Span payload)
{
    const uint8_t more = payload.bytes[1];
    size_t n_bytes = 2;

    if ((payload.bytes[0] & 0x80) == 0)
        return 1;
    if ((more & 0x80) != 0)
        n_bytes += payload.n_bytes > 2 && (payload.bytes[2] & 0x80) != 0 ? 2 : 1;
    n_bytes += (more & 0x40) != 0;
    n_bytes += (more & 0x30) != 0;
    return n_bytes;
}

static bool
read_vp8(RtpPayload *self, Span payload)
{
    size_t n_descriptor = 0;

    if (payload.n_bytes < 2)
        return false;
    if ((payload.bytes[0] & 0x10) != 0 && (payload.bytes[0] & 0x07) == 0)
        self->place = RTP_PAYLOAD_STARTS;
    n_descriptor = count_descriptor_bytes(payload);
    if (n_descriptor < payload.n_bytes) {
        self->picture = payload.bytes + n_descriptor;
        self->n_picture = payload.n_bytes - n_descriptor;
    }
    return true;
}

/* RFC 9628 section 4.2: I P L F B E V Z, picture id, layer indices. */
static bool
read_vp9(RtpPayload *self, Span payload)
{
    const uint8_t flags = payload.bytes[0];
    size_t layer_at = 1;
    bool is_upper_layer = false;

    if (payload.n_bytes < 2)
        return false;
    if (flags & 0x80)
        layer_at += (payload.bytes[1] & 0x80) != 0 ? 2 : 1;
    if (flags & 0x20) {
        if (layer_at >= payload.n_bytes)
            return false;
        is_upper_layer = (payload.bytes[layer_at] & 0x01) != 0;
    }
    if ((flags & 0x08) != 0 && !is_upper_layer)
        self->place = RTP_PAYLOAD_STARTS;
    return true;
}

static bool
read_codec(RtpPayload *self, MediaCodec codec, Span payload)
{
    switch (codec) {
    case MEDIA_CODEC_OPUS:
    case MEDIA_CODEC_PCMU:
    case MEDIA_CODEC_PCMA:
    case MEDIA_CODEC_G722:
        self->place = RTP_PAYLOAD_STARTS;
        return true;
    case MEDIA_CODEC_VP8:
        return read_vp8(self, payload);
    case MEDIA_CODEC_VP9:
        return read_vp9(self, payload);
    case MEDIA_CODEC_H264:
        return read_h264(self, payload);
    default:
        g_assert_not_reached();
    }
}

RtpPayloadFitness
rtp_payload_read(RtpPayload *self, MediaCodec codec, const uint8_t *packet, size_t n_bytes)
{
    Span payload = {0};

    *self = (RtpPayload){0};
    if (!find_payload(&payload, packet, n_bytes))
        return RTP_PAYLOAD_BAD;
    self->rtp_timestamp = read_be(packet + 4, 4);
    self->has_marker = (packet[1] & 0x80) != 0;
    self->is_padded = (packet[0] & 0x20) != 0;
    if (payload.n_bytes == 0)
        return RTP_PAYLOAD_EMPTY;
    return read_codec(self, codec, payload) ? RTP_PAYLOAD_GOOD : RTP_PAYLOAD_BAD;
}
