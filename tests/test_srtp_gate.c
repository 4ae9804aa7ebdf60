#include "agent/recorder/srtp_gate.h"
#include "tests/fakes/receiver_log.h"
#include "tests/fakes/srtp_sender.h"

#define SECOND ((int64_t) G_USEC_PER_SEC)

static SrtpGate *
gate_for_test(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(SrtpKey) key = srtp_sender_key(SRTP_SUITE_AEAD_AES_256_GCM);
    SrtpGate *gate = srtp_gate_new(key, "p1-audio", &error);

    g_assert_no_error(error);
    return gate;
}

/* Sends packet `n`, sealed by `sender` or (NULL) not at all. */
static bool
send_packet(SrtpGate *gate, SrtpSender *sender, unsigned n, int64_t now_us)
{
    const SentPacket packet = sent_packet(n);
    uint8_t bytes[100 + SRTP_SENDER_ROOM];
    size_t n_bytes = sent_packet_write(&packet, bytes);

    if (sender != NULL)
        n_bytes = srtp_sender_seal(sender, bytes, n_bytes);
    return srtp_gate_open_rtp(gate, bytes, &n_bytes, now_us);
}

static void
expect_warning(const char *count)
{
    g_autofree char *pattern =
        g_strdup_printf("track p1-audio: SRTP authentication failed, %s packets so far*", count);

    g_test_expect_message("sealtape-recorder", G_LOG_LEVEL_WARNING, pattern);
}

static void
test_warns_once_a_minute(void)
{
    g_autoptr(SrtpGate) gate = gate_for_test();

    expect_warning("1");
    g_assert_false(send_packet(gate, NULL, 0, 5 * SECOND));
    g_test_assert_expected_messages();
    for (unsigned n = 1; n < 1000; n++)
        g_assert_false(send_packet(gate, NULL, n, 5 * SECOND + n * SECOND / 20));
    g_assert_false(send_packet(gate, NULL, 1000, 65 * SECOND - 1));
    expect_warning("1002");
    g_assert_false(send_packet(gate, NULL, 1001, 65 * SECOND));
    g_test_assert_expected_messages();
}

static void
test_counts_by_kind(void)
{
    g_autoptr(SrtpGate) gate = gate_for_test();
    g_autoptr(SrtpKey) key = srtp_sender_key(SRTP_SUITE_AEAD_AES_256_GCM);
    g_autoptr(SrtpSender) sender = srtp_sender_new(key);
    RtpReceiverStatus status = {.n_foreign = 3};
    uint8_t noise[3] = {0};
    size_t n_noise = sizeof(noise);

    expect_warning("1");
    g_assert_true(send_packet(gate, sender, 0, 0));
    g_assert_false(send_packet(gate, sender, 0, 0));
    g_assert_true(send_packet(gate, sender, 1, 0));
    g_assert_false(send_packet(gate, NULL, 2, 0));
    g_assert_false(srtp_gate_open_rtp(gate, noise, &n_noise, 0));
    g_assert_false(srtp_gate_open_rtcp(gate, noise, &n_noise, 0));
    g_test_assert_expected_messages();

    srtp_gate_add_counts(gate, &status);
    g_assert_cmpuint(status.n_unauthentic, ==, 1);
    g_assert_cmpuint(status.n_replayed, ==, 1);
    g_assert_cmpuint(status.n_foreign, ==, 5);
    g_assert_cmpuint(status.n_foreign_ssrc, ==, 0);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/srtp-gate/warns-once-a-minute", test_warns_once_a_minute);
    g_test_add_func("/srtp-gate/counts-by-kind", test_counts_by_kind);
    return g_test_run();
}
