#include "agent/recorder/srtp_context.h"
#include "tests/fakes/receiver_log.h"
#include "tests/fakes/srtp_sender.h"

#include <gio/gio.h>
#include <malloc.h>
#include <string.h>

enum { MAX_PACKET = 12 + 1500 + SRTP_SENDER_ROOM };

/* One packet as RFC 3711 and RFC 7714 want it sealed, with the keys of fakes/srtp_sender.c: the
 * reference packets that libsrtp's own tests hold; those of AES-256, and the others once more, by
 * a second implementation, written from the two documents and checked with RFC 3711 B.3. */
#define PLAIN_RTP  "800f1234decafbadcafebabeabababababababababababababababab"
#define PLAIN_RTCP "81c8000bcafebabeabababababababababababababababab"

static const struct {
    const char *rtp, *rtcp;
} vectors[SRTP_SENDER_SUITES] = {
    {"800f1234decafbadcafebabe4e55dc4ce79978d88ca4d215949d2402b78d6acc99ea179b8dbb",
     "81c8000bcafebabe7128035be487b9bdbef89041f977a5a880000001993e08cd54d6c1230798"            },
    {"800f1234decafbadcafebabec5002ede04cfdd2eb91159e0880aa06ed2976826f796b201df3131a127e8a392",
     "81c8000bcafebabec98b8b5df0392a55852b6c21ac8e7025c52c6fbea2b3b446ea31123ba88ce61e80000001"},
    {"800f1234decafbadcafebabe0af7f21e8a90bdad7a425c9c31ed4bb1d90238917e7390a2793500e1681acaea",
     "81c8000bcafebabe8abfafa780070a90e80f9161cf4aac081ed93aaa53c15b0f3ed1a3b984167b0380000001"},
};

static void
assert_bytes(const uint8_t *bytes, size_t n_bytes, const uint8_t *expected, size_t n_expected)
{
    g_assert_cmpuint(n_bytes, ==, n_expected);
    g_assert_true(memcmp(bytes, expected, n_bytes) == 0);
}

static size_t
from_hex(const char *text, uint8_t *bytes)
{
    const size_t n_bytes = strlen(text) / 2;

    for (size_t i = 0; i < n_bytes; i++)
        bytes[i] = (uint8_t) (g_ascii_xdigit_value(text[2 * i]) << 4 |
                              g_ascii_xdigit_value(text[2 * i + 1]));
    return n_bytes;
}

static SrtpContext *
context_for(SrtpSuite suite)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(SrtpKey) key = srtp_sender_key(suite);
    SrtpContext *context = srtp_context_new(key, &error);

    g_assert_no_error(error);
    return context;
}

static SrtpSender *
sender_for(SrtpSuite suite)
{
    g_autoptr(SrtpKey) key = srtp_sender_key(suite);

    return srtp_sender_new(key);
}

/* Seals packet `n` of `ssrc`. Returns: its length. */
static size_t
seal(SrtpSender *sender, uint32_t ssrc, unsigned n, uint8_t bytes[MAX_PACKET])
{
    SentPacket packet = sent_packet(n);

    packet.ssrc = ssrc;
    return srtp_sender_seal(sender, bytes, sent_packet_write(&packet, bytes));
}

/* What becomes of packet `n` of `ssrc`. */
static SrtpVerdict
send_packet(SrtpSender *sender, SrtpContext *context, uint32_t ssrc, unsigned n)
{
    uint8_t bytes[MAX_PACKET];
    size_t n_bytes = seal(sender, ssrc, n, bytes);

    return srtp_context_open_rtp(context, bytes, &n_bytes);
}

static void
test_opens_reference_packets(gconstpointer data)
{
    const SrtpSuite suite = GPOINTER_TO_UINT(data);
    g_autoptr(SrtpContext) context = context_for(suite);
    uint8_t bytes[MAX_PACKET];
    uint8_t plain[MAX_PACKET];

    size_t n_bytes = from_hex(vectors[suite].rtp, bytes);
    size_t n_plain = from_hex(PLAIN_RTP, plain);
    g_assert_cmpint(srtp_context_open_rtp(context, bytes, &n_bytes), ==, SRTP_VERDICT_GENUINE);
    assert_bytes(bytes, n_bytes, plain, n_plain);

    n_bytes = from_hex(vectors[suite].rtcp, bytes);
    n_plain = from_hex(PLAIN_RTCP, plain);
    g_assert_cmpint(srtp_context_open_rtcp(context, bytes, &n_bytes), ==, SRTP_VERDICT_GENUINE);
    assert_bytes(bytes, n_bytes, plain, n_plain);
}

typedef SrtpVerdict (*OpenFunc)(SrtpContext *context, uint8_t *bytes, size_t *n_bytes);

/* Every bit flipped, every length cut: none passes, and none leaves a trace. */
static void
damage_everywhere(SrtpContext *context, OpenFunc open, const char *vector)
{
    uint8_t whole[MAX_PACKET];
    const size_t n_whole = from_hex(vector, whole);
    uint8_t bytes[MAX_PACKET];
    size_t n_bytes = 0;

    for (size_t bit = 0; bit < 8 * n_whole; bit++) {
        memcpy(bytes, whole, n_whole);
        bytes[bit / 8] ^= (uint8_t) (1 << bit % 8);
        n_bytes = n_whole;
        g_assert_cmpint(open(context, bytes, &n_bytes), !=, SRTP_VERDICT_GENUINE);
        g_assert_cmpuint(n_bytes, ==, n_whole);
    }
    for (size_t n_cut = 0; n_cut < n_whole; n_cut++) {
        g_autofree uint8_t *cut = g_memdup2(whole, n_cut); /* so that reading on would show */
        n_bytes = n_cut;
        g_assert_cmpint(open(context, cut, &n_bytes), !=, SRTP_VERDICT_GENUINE);
    }
    memcpy(bytes, whole, n_whole);
    n_bytes = n_whole;
    g_assert_cmpint(open(context, bytes, &n_bytes), ==, SRTP_VERDICT_GENUINE);
}

static void
test_refuses_every_flipped_bit_and_every_cut(gconstpointer data)
{
    const SrtpSuite suite = GPOINTER_TO_UINT(data);
    g_autoptr(SrtpContext) context = context_for(suite);

    damage_everywhere(context, srtp_context_open_rtp, vectors[suite].rtp);
    damage_everywhere(context, srtp_context_open_rtcp, vectors[suite].rtcp);
}

static void
test_refuses_another_key_and_none(gconstpointer data)
{
    const SrtpSuite suite = GPOINTER_TO_UINT(data);
    g_autoptr(SrtpContext) context = context_for(suite);
    g_autoptr(SrtpKey) other_key = srtp_sender_other_key(suite);
    g_autoptr(SrtpSender) other = srtp_sender_new(other_key);
    g_autoptr(SrtpSender) sender = sender_for(suite);
    const SentPacket plain = sent_packet(0);
    uint8_t bytes[MAX_PACKET];

    g_assert_cmpint(send_packet(other, context, SENT_SSRC, 0), ==, SRTP_VERDICT_UNAUTHENTIC);
    size_t n_bytes = sent_packet_write(&plain, bytes);
    g_assert_cmpint(srtp_context_open_rtp(context, bytes, &n_bytes), ==, SRTP_VERDICT_UNAUTHENTIC);
    /* Neither has moved the window, or taken the SSRC. */
    g_assert_cmpint(send_packet(sender, context, SENT_SSRC, 0), ==, SRTP_VERDICT_GENUINE);
    g_assert_cmpint(send_packet(other, context, SENT_SSRC, 1), ==, SRTP_VERDICT_UNAUTHENTIC);
}

static void
test_refuses_another_suite(void)
{
    for (unsigned ours = 0; ours < SRTP_SENDER_SUITES; ours++) {
        for (unsigned theirs = 0; theirs < SRTP_SENDER_SUITES; theirs++) {
            g_autoptr(SrtpContext) context = context_for(ours);
            g_autoptr(SrtpSender) sender = sender_for(theirs);
            const SrtpVerdict verdict = send_packet(sender, context, SENT_SSRC, 0);

            g_assert_cmpint(verdict, ==,
                            ours == theirs ? SRTP_VERDICT_GENUINE : SRTP_VERDICT_UNAUTHENTIC);
        }
    }
}

static void
test_refuses_replays(gconstpointer data)
{
    const SrtpSuite suite = GPOINTER_TO_UINT(data);
    g_autoptr(SrtpContext) context = context_for(suite);
    g_autoptr(SrtpSender) sender = sender_for(suite);
    const unsigned last = 2 * SRTP_CONTEXT_WINDOW;

    for (unsigned n = 0; n <= last; n += 2) {
        g_assert_cmpint(send_packet(sender, context, SENT_SSRC, n), ==, SRTP_VERDICT_GENUINE);
        g_assert_cmpint(send_packet(sender, context, SENT_SSRC, n), ==, SRTP_VERDICT_REPLAYED);
    }
    /* Inside the window what is late comes once; beyond it nothing. */
    for (unsigned back = 1; back < SRTP_CONTEXT_WINDOW; back += 2) {
        const unsigned n = last - back;
        g_assert_cmpint(send_packet(sender, context, SENT_SSRC, n), ==, SRTP_VERDICT_GENUINE);
        g_assert_cmpint(send_packet(sender, context, SENT_SSRC, n), ==, SRTP_VERDICT_REPLAYED);
    }
    g_assert_cmpint(send_packet(sender, context, SENT_SSRC, last - SRTP_CONTEXT_WINDOW - 1), ==,
                    SRTP_VERDICT_REPLAYED);
}

static void
test_refuses_replayed_rtcp(gconstpointer data)
{
    const SrtpSuite suite = GPOINTER_TO_UINT(data);
    g_autoptr(SrtpContext) context = context_for(suite);
    uint8_t bytes[MAX_PACKET];

    size_t n_bytes = from_hex(vectors[suite].rtcp, bytes);
    g_assert_cmpint(srtp_context_open_rtcp(context, bytes, &n_bytes), ==, SRTP_VERDICT_GENUINE);
    n_bytes = from_hex(vectors[suite].rtcp, bytes);
    g_assert_cmpint(srtp_context_open_rtcp(context, bytes, &n_bytes), ==, SRTP_VERDICT_REPLAYED);
}

/* The counter of rollovers goes on by itself, with packets of both sides of it in any order. */
static void
test_follows_the_sequence_number_around(gconstpointer data)
{
    const SrtpSuite suite = GPOINTER_TO_UINT(data);
    g_autoptr(SrtpContext) context = context_for(suite);
    g_autoptr(SrtpSender) sender = sender_for(suite);
    uint8_t sealed[4][MAX_PACKET];
    size_t n_sealed[4];
    static const unsigned order[] = {1, 3, 0, 2};

    for (unsigned turn = 1; turn <= 3; turn++) {
        const unsigned wrap = turn * 65536 - 1000; /* sequence number 0 */

        for (unsigned n = wrap - 65536 + 2 + (turn == 1 ? 65534 - 1000 : 0); n < wrap - 2; n += 500)
            g_assert_cmpint(send_packet(sender, context, SENT_SSRC, n), ==, SRTP_VERDICT_GENUINE);
        for (unsigned i = 0; i < 4; i++)
            n_sealed[i] = seal(sender, SENT_SSRC, wrap - 2 + i, sealed[i]);
        for (unsigned i = 0; i < 4; i++)
            g_assert_cmpint(srtp_context_open_rtp(context, sealed[order[i]], &n_sealed[order[i]]),
                            ==, SRTP_VERDICT_GENUINE);
    }
}

/* Returns: bytes in use on the heap; the same always where the allocator is another one. */
static size_t
heap_bytes(void)
{
    return mallinfo2().uordblks;
}

static void
test_forged_sources_cost_nothing(void)
{
    g_autoptr(SrtpContext) context = context_for(SRTP_SUITE_AES_CM_128_HMAC_SHA1_80);
    g_autoptr(SrtpSender) sender = sender_for(SRTP_SUITE_AES_CM_128_HMAC_SHA1_80);
    uint8_t whole[MAX_PACKET];
    const size_t n_whole = seal(sender, SENT_SSRC, 0, whole);
    const size_t before = heap_bytes();

    for (unsigned i = 1; i <= 10000; i++) {
        uint8_t bytes[MAX_PACKET];
        size_t n_bytes = n_whole;

        memcpy(bytes, whole, n_whole);
        memcpy(bytes + 8, &i, sizeof(i));
        g_assert_cmpint(srtp_context_open_rtp(context, bytes, &n_bytes), ==,
                        SRTP_VERDICT_UNAUTHENTIC);
    }

    g_assert_cmpuint(heap_bytes(), <=, before + 4096);
    g_assert_cmpint(send_packet(sender, context, SENT_SSRC, 1), ==, SRTP_VERDICT_GENUINE);
}

static void
test_genuine_sources_have_a_limit(gconstpointer data)
{
    const SrtpSuite suite = GPOINTER_TO_UINT(data);
    g_autoptr(SrtpContext) context = context_for(suite);
    /* A sender for each hundred: it looks for a stream by asking all of them. */
    g_autoptr(SrtpSender) sender = NULL;
    unsigned n_genuine = 0;
    unsigned n_foreign = 0;
    size_t before = 0;

    for (unsigned i = 0; i < 10000; i++) {
        if (i % 100 == 0) {
            srtp_sender_free(sender);
            sender = sender_for(suite);
        }
        const SrtpVerdict verdict = send_packet(sender, context, 1 + i, 0);
        n_genuine += verdict == SRTP_VERDICT_GENUINE ? 1 : 0;
        n_foreign += verdict == SRTP_VERDICT_FOREIGN ? 1 : 0;
        if (i == 999)
            before = heap_bytes();
    }

    g_assert_cmpuint(n_genuine, ==, SRTP_CONTEXT_MAX_SSRCS);
    g_assert_cmpuint(n_foreign, ==, 10000 - SRTP_CONTEXT_MAX_SSRCS);
    g_assert_cmpuint(heap_bytes(), <=, before + 65536);
    /* Who was there first still is, and still can not be replayed. */
    g_assert_cmpint(send_packet(sender, context, 1, 1), ==, SRTP_VERDICT_GENUINE);
    g_assert_cmpint(send_packet(sender, context, 1, 0), ==, SRTP_VERDICT_REPLAYED);
}

static void
test_seals_rtcp_for_the_peer_only(gconstpointer data)
{
    const SrtpSuite suite = GPOINTER_TO_UINT(data);
    g_autoptr(SrtpContext) context = context_for(suite);
    g_autoptr(SrtpContext) peer = context_for(suite);
    uint8_t plain[MAX_PACKET];
    uint8_t bytes[MAX_PACKET];
    uint8_t reflected[MAX_PACKET];
    const size_t n_plain = from_hex(PLAIN_RTCP, plain);
    size_t n_bytes = n_plain;

    memcpy(bytes, plain, n_plain);
    g_assert_true(srtp_context_seal_rtcp(context, bytes, &n_bytes));
    g_assert_cmpuint(n_bytes, <=, n_plain + SRTP_CONTEXT_RTCP_ROOM);
    uint8_t expected[MAX_PACKET];
    const size_t n_expected = from_hex(vectors[suite].rtcp, expected);
    assert_bytes(bytes, n_bytes, expected, n_expected);

    /* Sent back to us it would be genuine. */
    size_t n_reflected = n_bytes;
    memcpy(reflected, bytes, n_bytes);
    g_assert_cmpint(srtp_context_open_rtcp(context, reflected, &n_reflected), ==,
                    SRTP_VERDICT_FOREIGN);
    g_assert_cmpint(srtp_context_open_rtcp(peer, bytes, &n_bytes), ==, SRTP_VERDICT_GENUINE);
    assert_bytes(bytes, n_bytes, plain, n_plain);
}

static void
test_never_seals_under_an_ssrc_of_the_peer(void)
{
    g_autoptr(SrtpContext) context = context_for(SRTP_SUITE_AEAD_AES_128_GCM);
    g_autoptr(SrtpSender) sender = sender_for(SRTP_SUITE_AEAD_AES_128_GCM);
    uint8_t bytes[MAX_PACKET];
    size_t n_bytes = from_hex(PLAIN_RTCP, bytes);

    g_assert_cmpint(send_packet(sender, context, 0xcafebabe, 0), ==, SRTP_VERDICT_GENUINE);

    g_assert_false(srtp_context_seal_rtcp(context, bytes, &n_bytes));
    /* And the peer is heard as before. */
    g_assert_cmpint(send_packet(sender, context, 0xcafebabe, 1), ==, SRTP_VERDICT_GENUINE);
}

static void
test_a_wiped_key_makes_nothing(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(SrtpKey) key = srtp_sender_key(SRTP_SUITE_AEAD_AES_256_GCM);

    srtp_key_wipe(key);

    g_assert_null(srtp_context_new(key, &error));
    g_assert_error(error, G_IO_ERROR, G_IO_ERROR_FAILED);
}

static void
add_for_each_suite(const char *path, GTestDataFunc test)
{
    static const char *const names[] = {"aes-cm-128", "aes-gcm-128", "aes-gcm-256"};

    for (unsigned suite = 0; suite < SRTP_SENDER_SUITES; suite++) {
        g_autofree char *full = g_strdup_printf("/srtp-context/%s/%s", names[suite], path);
        g_test_add_data_func(full, GUINT_TO_POINTER(suite), test);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    add_for_each_suite("opens-reference-packets", test_opens_reference_packets);
    add_for_each_suite("refuses-every-flipped-bit-and-every-cut",
                       test_refuses_every_flipped_bit_and_every_cut);
    add_for_each_suite("refuses-another-key-and-none", test_refuses_another_key_and_none);
    add_for_each_suite("refuses-replays", test_refuses_replays);
    add_for_each_suite("refuses-replayed-rtcp", test_refuses_replayed_rtcp);
    add_for_each_suite("follows-the-sequence-number-around",
                       test_follows_the_sequence_number_around);
    add_for_each_suite("genuine-sources-have-a-limit", test_genuine_sources_have_a_limit);
    add_for_each_suite("seals-rtcp-for-the-peer-only", test_seals_rtcp_for_the_peer_only);
    g_test_add_func("/srtp-context/refuses-another-suite", test_refuses_another_suite);
    g_test_add_func("/srtp-context/forged-sources-cost-nothing", test_forged_sources_cost_nothing);
    g_test_add_func("/srtp-context/never-seals-under-an-ssrc-of-the-peer",
                    test_never_seals_under_an_ssrc_of_the_peer);
    g_test_add_func("/srtp-context/a-wiped-key-makes-nothing", test_a_wiped_key_makes_nothing);
    return g_test_run();
}
