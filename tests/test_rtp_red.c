#include "agent/recorder/rtp_red.h"

#include <glib.h>
#include <string.h>

/* Two earlier blocks of 3 and 2 bytes, 1920 and 960 before, and the packet's own. */
static const uint8_t payload[] = {0x80 | 111, 0x1e, 0x00, 3,   0x80 | 111, 0x0f, 0x00, 2,  111,
                                  'a',        'b',  'c',  'd', 'e',        'f',  'g',  'h'};

static void
test_splits_into_blocks(void)
{
    RtpRedBlock blocks[RTP_RED_MAX_BLOCKS];

    g_assert_cmpuint(rtp_red_split(payload, sizeof(payload), blocks), ==, 3);
    g_assert_cmpuint(blocks[0].payload_type, ==, 111);
    g_assert_cmpuint(blocks[0].before, ==, 1920);
    g_assert_cmpmem(blocks[0].bytes, blocks[0].n_bytes, "abc", 3);
    g_assert_cmpuint(blocks[1].before, ==, 960);
    g_assert_cmpmem(blocks[1].bytes, blocks[1].n_bytes, "de", 2);
    g_assert_cmpuint(blocks[2].before, ==, 0);
    g_assert_cmpmem(blocks[2].bytes, blocks[2].n_bytes, "fgh", 3);
}

/* Cut anywhere it is refused, unless only the packet's own block, which has no length, is shorter.
 */
static void
test_believes_no_length(void)
{
    RtpRedBlock blocks[RTP_RED_MAX_BLOCKS];

    for (size_t n = 0; n <= sizeof(payload); n++) {
        /* As long as the payload, so that a look past its end shows. */
        g_autofree uint8_t *cut = g_memdup2(payload, MAX(n, 1));

        g_assert_cmpuint(rtp_red_split(cut, n, blocks), ==, n >= 14 ? 3 : 0);
    }
    for (size_t at = 0; at < 9; at++) {
        for (unsigned value = 0; value < 256; value++) {
            g_autofree uint8_t *bytes = g_memdup2(payload, sizeof(payload));
            size_t n_bytes = 0;
            unsigned n_blocks = 0;

            bytes[at] = (uint8_t) value;
            n_blocks = rtp_red_split(bytes, sizeof(payload), blocks);
            for (unsigned i = 0; i < n_blocks; i++)
                n_bytes += blocks[i].n_bytes;
            g_assert_cmpuint(n_bytes, <=, sizeof(payload));
        }
    }
}

static void
test_refuses_headers_without_end(void)
{
    uint8_t bytes[4 * RTP_RED_MAX_BLOCKS + 100];
    RtpRedBlock blocks[RTP_RED_MAX_BLOCKS];

    memset(bytes, 0, sizeof(bytes));
    for (size_t i = 0; i < sizeof(bytes); i += 4)
        bytes[i] = 0x80;
    g_assert_cmpuint(rtp_red_split(bytes, sizeof(bytes), blocks), ==, 0);
    bytes[4 * (RTP_RED_MAX_BLOCKS - 1)] = 0;
    g_assert_cmpuint(rtp_red_split(bytes, sizeof(bytes), blocks), ==, RTP_RED_MAX_BLOCKS);
}

static const struct {
    const char *name;
    const char *came; /* one letter for each packet: `.` is missing, `-` is silence of a packet */
    unsigned wanted;  /* where in it the block was made */
    int likely;       /* of the same */
    int found;        /* -1: none */
} rows[] = {
    {"the one before",             "ab.d",   2, 2, 2 },
    {"two before",                 "a..d",   1, 1, 1 },
    {"it came",                    "abcd",   2, 2, -1},
    {"one is missing, misjudged",  "a.cd",   1, 2, 1 },
    {"several, judged impossible", "a...e",  2, 0, -1},
    {"several, judged too late",   "a...ef", 2, 4, -1},
    {"before all that came",       "..cd",   1, 1, 1 },
    {"after all that came",        "abc.",   3, 3, -1},
    {"nothing came",               "....",   1, 1, -1},
};

static void
test_finds_the_number_of_a_block(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        RtpRedMemory memory = {0};
        uint16_t sequence = 0;
        const uint16_t first = 65534; /* it wraps */
        bool is_found = false;

        for (unsigned n = 0; rows[i].came[n] != '\0'; n++) {
            if (rows[i].came[n] != '.')
                rtp_red_remember(&memory, (uint16_t) (first + n), (uint32_t) -960 + n * 960);
        }
        is_found = rtp_red_find(&memory, (uint32_t) -960 + rows[i].wanted * 960,
                                (uint16_t) (first + rows[i].likely), &sequence);
        g_test_message("%s", rows[i].name);
        g_assert_cmpint(is_found, ==, rows[i].found >= 0);
        if (is_found)
            g_assert_cmpuint(sequence, ==, (uint16_t) (first + rows[i].found));
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/rtp_red/splits-into-blocks", test_splits_into_blocks);
    g_test_add_func("/rtp_red/believes-no-length", test_believes_no_length);
    g_test_add_func("/rtp_red/refuses-headers-without-end", test_refuses_headers_without_end);
    g_test_add_func("/rtp_red/finds-the-number-of-a-block", test_finds_the_number_of_a_block);
    return g_test_run();
}
