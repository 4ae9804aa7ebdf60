#include "agent/recorder/rtcp.h"

#include <glib.h>
#include <string.h>

#define REPORT                                                                                     \
    "\x80\xc8\x00\x06"                                                                             \
    "abcd"                                                                                         \
    "\x01\x02\x03\x04\x05\x06\x07\x08"                                                             \
    "\x0a\x0b\x0c\x0d"                                                                             \
    "ppppoooo"
#define BYE                                                                                        \
    "\x81\xcb\x00\x01"                                                                             \
    "abcd"

static const struct {
    const char *name;
    const char *bytes;
    size_t n_bytes;
    bool is_rtcp, has_report, has_bye;
} rows[] = {
    {"sender report",       REPORT,             28, true,  true,  false},
    {"report and bye",      REPORT BYE,         36, true,  true,  true },
    {"bye",                 BYE,                8,  true,  false, true },
    {"empty bye",           "\x80\xcb\x00\x00", 4,  true,  false, true },
    {"unknown type",        "\x80\xdf\x00\x00", 4,  true,  false, false},
    {"nothing",             "",                 0,  false, false, false},
    {"three bytes",         REPORT,             3,  false, false, false},
    {"report cut",          REPORT,             27, false, false, false},
    {"second packet cut",   REPORT BYE,         35, false, false, false},
    {"report too short",
     "\x80\xc8\x00\x01"
     "abcd",                                    8,  false, false, false},
    {"length past the end",
     "\x80\xcb\xff\xff"
     "abcd",                                    8,  false, false, false},
    {"version 1",
     "\x40\xcb\x00\x01"
     "abcd",                                    8,  false, false, false},
    {"RTP",
     "\x80\x60\x00\x01"
     "abcd",                                    8,  false, false, false},
};

static void
test_believes_no_length(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree uint8_t *bytes = g_memdup2(rows[i].bytes, MAX(rows[i].n_bytes, 1));
        RtcpReport report;

        g_test_message("%s", rows[i].name);
        g_assert_cmpint(rtcp_parse(bytes, rows[i].n_bytes, 0, &report), ==, rows[i].is_rtcp);
        g_assert_cmpint(report.has_sender_report, ==, rows[i].has_report);
        g_assert_cmpint(report.has_bye, ==, rows[i].has_bye);
    }
}

static void
test_reads_a_sender_report(void)
{
    RtcpReport report;

    g_assert_true(rtcp_parse((const uint8_t *) REPORT, 28, 0x61626364, &report));
    g_assert_cmphex(report.ssrc, ==, 0x61626364);
    g_assert_cmphex(report.ntp_time, ==, 0x0102030405060708);
    g_assert_cmphex(report.rtp_timestamp, ==, 0x0a0b0c0d);
}

#define NAMES                                                                                      \
    "\x82\xca\x00\x08"                                                                             \
    "efgh"                                                                                         \
    "\x01\x05other"                                                                                \
    "\x00"                                                                                         \
    "abcd"                                                                                         \
    "\x02\x03her\x01\x05phone"                                                                     \
    "\x00\x00\x00\x00"

/* Of several sources, items and reports those of the stream that is asked for. */
static void
test_reads_the_name_of_who_reports(void)
{
    const char bytes[] = REPORT NAMES BYE;
    RtcpReport report;

    g_assert_true(rtcp_parse((const uint8_t *) bytes, sizeof(bytes) - 1, 0, &report));
    g_assert_cmpmem(report.cname, report.n_cname, "phone", 5);

    char both[] = REPORT REPORT NAMES;
    both[4] = 'e';
    g_assert_true(rtcp_parse((const uint8_t *) both, sizeof(both) - 1, 0x65626364, &report));
    g_assert_cmphex(report.ssrc, ==, 0x65626364);
    g_assert_cmpuint(report.n_cname, ==, 0);
    g_assert_true(rtcp_parse((const uint8_t *) both, sizeof(both) - 1, 0x61626364, &report));
    g_assert_cmphex(report.ssrc, ==, 0x61626364);
    g_assert_cmpmem(report.cname, report.n_cname, "phone", 5);
}

/* Whatever byte of the names is whatever: the report stands, and nothing is read past the end. */
static void
test_broken_names_break_nothing(void)
{
    const char whole[] = REPORT NAMES;
    RtcpReport report;

    for (size_t at = 32; at < sizeof(whole) - 1; at++) {
        for (unsigned value = 0; value < 256; value++) {
            g_autofree uint8_t *bytes = g_memdup2(whole, sizeof(whole) - 1);
            bytes[at] = (uint8_t) value;
            g_assert_true(rtcp_parse(bytes, sizeof(whole) - 1, 0, &report));
            g_assert_cmphex(report.ssrc, ==, 0x61626364);
            g_assert_true(report.n_cname == 0 ||
                          report.cname + report.n_cname <= bytes + sizeof(whole) - 1);
        }
    }
}

static void
test_tells_rtcp_from_rtp(void)
{
    g_assert_true(rtcp_is_likely((const uint8_t *) REPORT, 28));
    g_assert_true(rtcp_is_likely((const uint8_t *) BYE, 8));
    g_assert_false(rtcp_is_likely((const uint8_t *) REPORT, 3));
    g_assert_false(rtcp_is_likely((const uint8_t *) "\x80\xe0\x00\x01", 4)); /* type 96, marker */
    g_assert_false(rtcp_is_likely((const uint8_t *) "\x80\x60\x00\x01", 4));
    g_assert_false(rtcp_is_likely((const uint8_t *) "\x00\xc8\x00\x01", 4));
}

/* Byte by byte after RFC 3550 6.4.2, 6.5, RFC 4585 6.3.1 and RFC 5104 4.3.1. */
#define HEAD                                                                                       \
    "\x80\xc9\x00\x01\x01\x02\x03\x04\x81\xca\x00\x06\x01\x02\x03\x04\x01\x10"                     \
    "ABCDEFGHIJKLMNOP\x00\x00"
#define PLI "\x81\xce\x00\x02\x01\x02\x03\x04\xaa\xbb\xcc\xdd"
#define FIR "\x84\xce\x00\x04\x01\x02\x03\x04\x00\x00\x00\x00\xaa\xbb\xcc\xdd\x07\x00\x00\x00"

static const struct {
    unsigned feedback;
    const char *bytes;
    size_t n_bytes;
} requests[] = {
    {RTCP_FEEDBACK_PLI,                     HEAD PLI,     sizeof HEAD PLI - 1    },
    {RTCP_FEEDBACK_FIR,                     HEAD FIR,     sizeof HEAD FIR - 1    },
    {RTCP_FEEDBACK_PLI | RTCP_FEEDBACK_FIR, HEAD PLI FIR, sizeof HEAD PLI FIR - 1},
};

static void
test_asks_for_a_keyframe(void)
{
    const RtcpIdentity identity = {0x01020304, "ABCDEFGHIJKLMNOP"};

    for (size_t i = 0; i < G_N_ELEMENTS(requests); i++) {
        const RtcpKeyframeRequest request = {0xaabbccdd, requests[i].feedback, 7};
        uint8_t bytes[RTCP_KEYFRAME_REQUEST_BYTES];
        RtcpReport report;
        const size_t n_bytes = rtcp_write_keyframe_request(&identity, &request, bytes);

        g_assert_cmpuint(n_bytes, ==, requests[i].n_bytes);
        g_assert_cmpint(memcmp(bytes, requests[i].bytes, n_bytes), ==, 0);
        g_assert_true(rtcp_parse(bytes, n_bytes, 0, &report));
    }
}

static void
test_identities_differ(void)
{
    RtcpIdentity first, second;

    rtcp_identity_draw(&first);
    rtcp_identity_draw(&second);
    g_assert_cmpint(memcmp(first.cname, second.cname, sizeof(first.cname)), !=, 0);
    for (size_t i = 0; i < sizeof(first.cname); i++)
        g_assert_true(g_ascii_isprint(first.cname[i]));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/rtcp/believes-no-length", test_believes_no_length);
    g_test_add_func("/rtcp/reads-a-sender-report", test_reads_a_sender_report);
    g_test_add_func("/rtcp/reads-the-name-of-who-reports", test_reads_the_name_of_who_reports);
    g_test_add_func("/rtcp/broken-names-break-nothing", test_broken_names_break_nothing);
    g_test_add_func("/rtcp/tells-rtcp-from-rtp", test_tells_rtcp_from_rtp);
    g_test_add_func("/rtcp/asks-for-a-keyframe", test_asks_for_a_keyframe);
    g_test_add_func("/rtcp/identities-differ", test_identities_differ);
    return g_test_run();
}
