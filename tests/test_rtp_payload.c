#include "agent/media/rtp_payload.h"

#include <glib.h>
#include <string.h>

/* A payload behind a plain header, in hexadecimal. */
typedef struct {
    const char *name;
    MediaCodec codec;
    const char *payload;
    RtpPayloadFitness fitness;
    RtpPayloadPlace place;
} Row;

static const Row rows[] = {
    {"opus",                          MEDIA_CODEC_OPUS, "fc0102",             RTP_PAYLOAD_GOOD,  RTP_PAYLOAD_STARTS },
    {"opus-empty",                    MEDIA_CODEC_OPUS, "",                   RTP_PAYLOAD_EMPTY, RTP_PAYLOAD_INSIDE },
    {"pcmu",                          MEDIA_CODEC_PCMU, "ff",                 RTP_PAYLOAD_GOOD,  RTP_PAYLOAD_STARTS },
    {"g722-empty",                    MEDIA_CODEC_G722, "",                   RTP_PAYLOAD_EMPTY, RTP_PAYLOAD_INSIDE },
    {"vp8-first",                     MEDIA_CODEC_VP8,  "1000",               RTP_PAYLOAD_GOOD,  RTP_PAYLOAD_STARTS },
    {"vp8-later-partition",           MEDIA_CODEC_VP8,  "1100",               RTP_PAYLOAD_GOOD,  RTP_PAYLOAD_INSIDE },
    {"vp8-inside",                    MEDIA_CODEC_VP8,  "0000",               RTP_PAYLOAD_GOOD,  RTP_PAYLOAD_INSIDE },
    {"vp8-short",                     MEDIA_CODEC_VP8,  "10",                 RTP_PAYLOAD_BAD,   RTP_PAYLOAD_INSIDE },
    {"vp9-first",                     MEDIA_CODEC_VP9,  "0800",               RTP_PAYLOAD_GOOD,  RTP_PAYLOAD_STARTS },
    {"vp9-inside",                    MEDIA_CODEC_VP9,  "0000",               RTP_PAYLOAD_GOOD,  RTP_PAYLOAD_INSIDE },
    {"vp9-upper-layer",               MEDIA_CODEC_VP9,  "a8050300ff",         RTP_PAYLOAD_GOOD,  RTP_PAYLOAD_INSIDE },
    {"vp9-lower-layer",               MEDIA_CODEC_VP9,  "a8050000ff",         RTP_PAYLOAD_GOOD,  RTP_PAYLOAD_STARTS },
    {"vp9-layers-cut-off",            MEDIA_CODEC_VP9,  "a805",               RTP_PAYLOAD_BAD,   RTP_PAYLOAD_INSIDE },
    {"h264-first-slice",              MEDIA_CODEC_H264, "6588",               RTP_PAYLOAD_GOOD,  RTP_PAYLOAD_STARTS },
    {"h264-second-slice",             MEDIA_CODEC_H264, "6508",               RTP_PAYLOAD_GOOD,  RTP_PAYLOAD_INSIDE },
    {"h264-parameter-set",            MEDIA_CODEC_H264, "6742",               RTP_PAYLOAD_GOOD,  RTP_PAYLOAD_NEUTRAL},
    {"h264-delimiter",                MEDIA_CODEC_H264, "09f0",               RTP_PAYLOAD_GOOD,  RTP_PAYLOAD_STARTS },
    {"h264-one-byte",                 MEDIA_CODEC_H264, "65",                 RTP_PAYLOAD_BAD,   RTP_PAYLOAD_INSIDE },
    {"h264-end-of-sequence",          MEDIA_CODEC_H264, "0a",                 RTP_PAYLOAD_GOOD,  RTP_PAYLOAD_NEUTRAL},
    {"h264-end-of-stream",            MEDIA_CODEC_H264, "0b",                 RTP_PAYLOAD_GOOD,  RTP_PAYLOAD_NEUTRAL},
    {"h264-undefined",                MEDIA_CODEC_H264, "0000",               RTP_PAYLOAD_BAD,   RTP_PAYLOAD_INSIDE },
    {"h264-mtap",                     MEDIA_CODEC_H264, "1a0000000000",       RTP_PAYLOAD_BAD,   RTP_PAYLOAD_INSIDE },
    {"h264-aggregate",                MEDIA_CODEC_H264, "780002674200026588", RTP_PAYLOAD_GOOD,
     RTP_PAYLOAD_STARTS                                                                                             },
    {"h264-aggregate-of-sets",        MEDIA_CODEC_H264, "7800026742000268ce", RTP_PAYLOAD_GOOD,
     RTP_PAYLOAD_NEUTRAL                                                                                            },
    {"h264-aggregate-cut-off",        MEDIA_CODEC_H264, "7800036742",         RTP_PAYLOAD_BAD,   RTP_PAYLOAD_INSIDE },
    {"h264-aggregate-of-nothing",     MEDIA_CODEC_H264, "780000",             RTP_PAYLOAD_BAD,   RTP_PAYLOAD_INSIDE },
    {"h264-fragment-first",           MEDIA_CODEC_H264, "7c858800",           RTP_PAYLOAD_GOOD,  RTP_PAYLOAD_STARTS },
    {"h264-fragment-of-second-slice", MEDIA_CODEC_H264, "7c850800",           RTP_PAYLOAD_GOOD,
     RTP_PAYLOAD_INSIDE                                                                                             },
    {"h264-fragment-later",           MEDIA_CODEC_H264, "7c058800",           RTP_PAYLOAD_GOOD,  RTP_PAYLOAD_INSIDE },
    {"h264-fragment-first-short",     MEDIA_CODEC_H264, "7c8588",             RTP_PAYLOAD_GOOD,  RTP_PAYLOAD_STARTS },
    {"h264-fragment-of-one-byte",     MEDIA_CODEC_H264, "7c4588",             RTP_PAYLOAD_GOOD,  RTP_PAYLOAD_INSIDE },
    {"h264-fragment-without-content", MEDIA_CODEC_H264, "7c45",               RTP_PAYLOAD_GOOD,
     RTP_PAYLOAD_INSIDE                                                                                             },
    {"h264-fragment-first-empty",     MEDIA_CODEC_H264, "7c85",               RTP_PAYLOAD_BAD,   RTP_PAYLOAD_INSIDE },
    {"h264-fragment-cut-off",         MEDIA_CODEC_H264, "7c",                 RTP_PAYLOAD_BAD,   RTP_PAYLOAD_INSIDE },
    {"h264-fragment-of-undefined",    MEDIA_CODEC_H264, "7c0088",             RTP_PAYLOAD_BAD,   RTP_PAYLOAD_INSIDE },
    {"h264-fragment-with-order",      MEDIA_CODEC_H264, "7d8500018800",       RTP_PAYLOAD_BAD,
     RTP_PAYLOAD_INSIDE                                                                                             },
    {"h264-aggregate-with-an-end",    MEDIA_CODEC_H264,
     "7800026588"
     "00010a",                                                                RTP_PAYLOAD_GOOD,  RTP_PAYLOAD_STARTS },
    {"h264-aggregate-of-one-byte",    MEDIA_CODEC_H264, "78000165",           RTP_PAYLOAD_BAD,
     RTP_PAYLOAD_INSIDE                                                                                             },
};

static size_t
unhex(uint8_t *to, const char *hex)
{
    size_t n = 0;

    for (; hex[0] != '\0'; hex += 2)
        to[n++] = (uint8_t) (g_ascii_xdigit_value(hex[0]) << 4 | g_ascii_xdigit_value(hex[1]));
    return n;
}

static void
test_row(const void *data)
{
    const Row *row = data;
    uint8_t packet[64] = {0x80, 0xe0, 0, 1, 0x12, 0x34, 0x56, 0x78};
    const size_t n_bytes = 12 + unhex(packet + 12, row->payload);
    RtpPayload payload;

    g_assert_cmpint(rtp_payload_read(&payload, row->codec, packet, n_bytes), ==, row->fitness);
    if (row->fitness != RTP_PAYLOAD_GOOD)
        return;
    g_assert_cmpint(payload.place, ==, row->place);
    g_assert_true(payload.has_marker);
    g_assert_cmphex(payload.rtp_timestamp, ==, 0x12345678);
}

/* The payload stands behind sources and an extension, and before padding. */
static void
test_finds_payload(void)
{
    static const uint8_t packet[] = {0xb1, 0x60, 0,    1, 0, 0, 0, 0, 0, 0,    0, 0, 1, 2, 3,
                                     4,    0xbe, 0xde, 0, 1, 9, 9, 9, 9, 0x10, 0, 0, 0, 0, 4};
    RtpPayload payload;
    uint8_t copy[sizeof(packet)];

    g_assert_cmpint(rtp_payload_read(&payload, MEDIA_CODEC_VP8, packet, sizeof(packet)), ==,
                    RTP_PAYLOAD_GOOD);
    g_assert_cmpint(payload.place, ==, RTP_PAYLOAD_STARTS);
    for (size_t n = 0; n < sizeof(packet); n++) {
        g_autofree uint8_t *cut = g_memdup2(packet, n);

        (void) rtp_payload_read(&payload, MEDIA_CODEC_VP8, cut, n);
    }
    memcpy(copy, packet, sizeof(copy));
    copy[sizeof(copy) - 1] = 6;
    g_assert_cmpint(rtp_payload_read(&payload, MEDIA_CODEC_VP8, copy, sizeof(copy)), ==,
                    RTP_PAYLOAD_EMPTY);
    copy[sizeof(copy) - 1] = 7;
    g_assert_cmpint(rtp_payload_read(&payload, MEDIA_CODEC_VP8, copy, sizeof(copy)), ==,
                    RTP_PAYLOAD_BAD);
    copy[sizeof(copy) - 1] = 0;
    g_assert_cmpint(rtp_payload_read(&payload, MEDIA_CODEC_VP8, copy, sizeof(copy)), ==,
                    RTP_PAYLOAD_BAD);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *path = g_strconcat("/rtp-payload/", rows[i].name, NULL);

        g_test_add_data_func(path, &rows[i], test_row);
    }
    g_test_add_func("/rtp-payload/finds-payload", test_finds_payload);
    return g_test_run();
}
