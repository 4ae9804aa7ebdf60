#include "tests/fakes/receiver_log.h"
#include "tests/fakes/srtp_sender.h"

/* Whoever comes late finds out how often the sequence number went around. */
static void
test_joins_a_source_that_went_around(gconstpointer data)
{
    const SrtpSuite suite = GPOINTER_TO_UINT(data);

    for (unsigned turns = 0; turns <= 40; turns += 8) {
        g_autoptr(SrtpContext) context = srtp_sender_context(suite);
        g_autoptr(SrtpSender) sender = srtp_sender_of(suite);
        uint8_t bytes[SRTP_SENDER_PACKET];
        unsigned n_refused = 0;
        unsigned n = 0;

        for (; n < turns * 65536; n += 16384)
            (void) srtp_sender_packet(sender, SENT_SSRC, n, bytes);
        while (srtp_sender_send(sender, context, SENT_SSRC, n) != SRTP_VERDICT_GENUINE) {
            n++;
            g_assert_cmpuint(++n_refused, <, 40);
        }
        g_assert_cmpint(srtp_sender_send(sender, context, SENT_SSRC, n), ==, SRTP_VERDICT_REPLAYED);
        /* From there it is as any other: around again, and another SSRC beside it. */
        for (const unsigned end = n + 100000; n < end; n += 10000) {
            g_assert_cmpint(srtp_sender_send(sender, context, SENT_SSRC, n + 1), ==,
                            SRTP_VERDICT_GENUINE);
        }
        g_assert_cmpint(srtp_sender_send(sender, context, 7, 0), ==, SRTP_VERDICT_GENUINE);
        g_assert_cmpint(srtp_sender_send(sender, context, SENT_SSRC, n), ==, SRTP_VERDICT_GENUINE);
    }
}

/* Noise before the source, of one SSRC or of many, does not keep it out. */
static void
test_joins_late_in_noise(void)
{
    g_autoptr(SrtpContext) context = srtp_sender_context(SRTP_SUITE_AEAD_AES_128_GCM);
    g_autoptr(SrtpSender) sender = srtp_sender_of(SRTP_SUITE_AEAD_AES_128_GCM);
    uint8_t bytes[SRTP_SENDER_PACKET];
    unsigned n_refused = 0;
    unsigned n = 0;

    for (; n < 3 * 65536; n += 16384)
        (void) srtp_sender_packet(sender, SENT_SSRC, n, bytes);
    do {
        for (unsigned i = 0; i < 3; i++) {
            SentPacket noise = sent_packet(i);
            noise.ssrc = i % 2 == 0 ? 1 : 1000 + n_refused;
            size_t n_bytes = sent_packet_write(&noise, bytes);
            g_assert_cmpint(srtp_context_open_rtp(context, bytes, &n_bytes), ==,
                            SRTP_VERDICT_UNAUTHENTIC);
        }
        g_assert_cmpuint(++n_refused, <, 1000);
    } while (srtp_sender_send(sender, context, SENT_SSRC, n++) != SRTP_VERDICT_GENUINE);
}

int
main(int argc, char **argv)
{
    static const char *const names[] = {"aes-cm-128", "aes-gcm-128", "aes-gcm-256"};

    g_test_init(&argc, &argv, NULL);
    for (unsigned suite = 0; suite < SRTP_SENDER_SUITES; suite++) {
        g_autofree char *path =
            g_strdup_printf("/srtp-late/%s/joins-a-source-that-went-around", names[suite]);
        g_test_add_data_func(path, GUINT_TO_POINTER(suite), test_joins_a_source_that_went_around);
    }
    g_test_add_func("/srtp-late/joins-in-noise", test_joins_late_in_noise);
    return g_test_run();
}
