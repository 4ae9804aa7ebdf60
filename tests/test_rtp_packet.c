#include "agent/recorder/rtp_packet.h"

#include <glib.h>
#include <string.h>

#define FIXED "\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a" /* behind the first two bytes */

static const struct {
    const char *name;
    const char *bytes;
    size_t n_bytes;
    int offset; /* of the payload; -1: no RTP */
    int n_payload;
} rows[] = {
    {"plain",                        "\x80\x60" FIXED "abc",                         15, 12, 3},
    {"no payload",                   "\x80\x60" FIXED,                               12, 12, 0},
    {"two sources",                  "\x82\x60" FIXED "11112222abc",                 23, 20, 3},
    {"more sources than bytes",      "\x83\x60" FIXED "11112222abc",                 23, -1, 0},
    {"extension",                    "\x90\x60" FIXED "\xbe\xde\x00\x01wordabc",     23, 20, 3},
    {"empty extension",
     "\x90\x60" FIXED "\xbe\xde\x00\x00"
     "abc",                                                                          19, 16, 3},
    {"extension header cut",         "\x90\x60" FIXED "\xbe\xde\x00",                15, -1, 0},
    {"extension one word too long",  "\x90\x60" FIXED "\xbe\xde\x00\x02wordabc",     23, -1, 0},
    {"extension of 256 KiB",         "\x90\x60" FIXED "\xbe\xde\xff\xffwordabc",     23, -1, 0},
    {"sources and extension",        "\x91\x60" FIXED "1111\xbe\xde\x00\x01wordabc", 27, 24, 3},
    {"padding",                      "\xa0\x60" FIXED "abc\x00\x02",                 17, 12, 3},
    {"padding only",                 "\xa0\x60" FIXED "\x00\x00\x03",                15, 12, 0},
    {"padding of none",              "\xa0\x60" FIXED "abc\x00",                     16, -1, 0},
    {"padding into the header",      "\xa0\x60" FIXED "abc\x05",                     16, -1, 0},
    {"padding with nothing",         "\xa0\x60" FIXED,                               12, -1, 0},
    {"version 0",                    "\x00\x60" FIXED "abc",                         15, -1, 0},
    {"version 1",                    "\x40\x60" FIXED "abc",                         15, -1, 0},
    {"version 3",                    "\xc0\x60" FIXED "abc",                         15, -1, 0},
    {"one byte short",               "\x80\x60" FIXED,                               11, -1, 0},
    {"one byte",                     "\x80",                                         1,  -1, 0},
    {"nothing",                      "",                                             0,  -1, 0},
    {"sender report",                "\x80\xc8" FIXED "abc",                         15, -1, 0},
    {"feedback",                     "\x81\xce" FIXED "abc",                         15, -1, 0},
    {"type 63 with marker, no RTCP", "\x80\xbf" FIXED "abc",                         15, 12, 3},
    {"type 96 with marker, no RTCP", "\x80\xe0" FIXED "abc",                         15, 12, 3},
};

static void
test_believes_no_length(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        RtpPacket packet;
        /* Exactly as long, so that a sanitizer sees a look past the end. */
        g_autofree uint8_t *bytes = g_memdup2(rows[i].bytes, MAX(rows[i].n_bytes, 1));
        const bool is_rtp = rtp_packet_parse(bytes, rows[i].n_bytes, &packet);

        g_test_message("%s", rows[i].name);
        g_assert_cmpint(is_rtp, ==, rows[i].offset >= 0);
        if (is_rtp) {
            g_assert_cmpint(packet.payload_offset, ==, rows[i].offset);
            g_assert_cmpint(packet.n_payload, ==, rows[i].n_payload);
        }
    }
}

static void
test_reads_the_fields(void)
{
    RtpPacket packet;

    g_assert_true(rtp_packet_parse((const uint8_t *) "\x80\xe0" FIXED "a", 13, &packet));
    g_assert_cmpuint(packet.sequence, ==, 0x0102);
    g_assert_cmpuint(packet.timestamp, ==, 0x03040506);
    g_assert_cmpuint(packet.ssrc, ==, 0x0708090a);
    g_assert_cmpuint(packet.payload_type, ==, 96);
    g_assert_true(packet.has_marker);
}

static void
test_refuses_more_than_a_packet_has(void)
{
    uint8_t bytes[RTP_PACKET_MAX_BYTES + 1] = {0x80, 96};
    RtpPacket packet;

    g_assert_true(rtp_packet_parse(bytes, RTP_PACKET_MAX_BYTES, &packet));
    g_assert_false(rtp_packet_parse(bytes, RTP_PACKET_MAX_BYTES + 1, &packet));
}

/* RFC 5761 4: 192 to 223, whatever else the packet looks like. */
static void
test_tells_rtcp_by_its_type(void)
{
    for (unsigned type = 0; type < 256; type++) {
        const uint8_t bytes[12] = {0x80, (uint8_t) type};
        RtpPacket packet;

        g_assert_cmpint(rtp_packet_is_rtcp(bytes, 12), ==, type >= 192 && type <= 223);
        g_assert_cmpint(rtp_packet_parse(bytes, 12, &packet), !=, type >= 192 && type <= 223);
    }
    g_assert_false(rtp_packet_is_rtcp((const uint8_t *) "\x80", 1));
}

static void
test_chance_never_leaves_the_packet(void)
{
    for (unsigned i = 0; i < 200000; i++) {
        const size_t n_bytes = (size_t) g_test_rand_int_range(0, 64);
        g_autofree uint8_t *bytes = g_malloc(n_bytes + 1);
        RtpPacket packet;

        for (size_t at = 0; at < n_bytes; at++)
            bytes[at] = (uint8_t) g_test_rand_int_range(0, 256);
        if (n_bytes > 0)
            bytes[0] = (uint8_t) (0x80 | (bytes[0] & 0x33));
        if (rtp_packet_parse(bytes, n_bytes, &packet))
            g_assert_cmpuint(packet.payload_offset + packet.n_payload, <=, n_bytes);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/rtp_packet/believes-no-length", test_believes_no_length);
    g_test_add_func("/rtp_packet/reads-the-fields", test_reads_the_fields);
    g_test_add_func("/rtp_packet/refuses-more-than-a-packet-has",
                    test_refuses_more_than_a_packet_has);
    g_test_add_func("/rtp_packet/tells-rtcp-by-its-type", test_tells_rtcp_by_its_type);
    g_test_add_func("/rtp_packet/chance-never-leaves-the-packet",
                    test_chance_never_leaves_the_packet);
    return g_test_run();
}
