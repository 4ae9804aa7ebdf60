#include "tests/fakes/srtp_sender.h"

#include "agent/recorder/srtp_context.h"
#include "crypto/crypto_error.h"
#include "tests/fakes/receiver_log.h"

#include <srtp2/srtp.h>

struct SrtpSender {
    srtp_t session;
};

static const struct {
    const char *name, *key, *other;
} suites[SRTP_SENDER_SUITES] = {
    {"AES_CM_128_HMAC_SHA1_80", "4fl6DT4Bi+DWT6MsBt5BOQ7Gda1Jiv7rtpYLOqvm",
     "4fl6DT4Bi+DWT6MsBt5BOQ7Gda1Jiv7rtpYLOqvn"                                                                                           },
    {"AEAD_AES_128_GCM",
     "AAECAwQFBgcICQoLDA0OD6ChoqOkpaanqKmqqw==",                                                "AAECAwQFBgcICQoLDA0OD6ChoqOkpaanqKmqqg=="},
    {"AEAD_AES_256_GCM",        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh+goaKjpKWmp6ipqqs=",
     "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh+goaKjpKWmp6ipqqo="                                                                       },
};

json_t *
srtp_sender_form(const char *suite, const char *key)
{
    return json_pack("{s:s, s:s}", "suite", suite, "key", key);
}

static SrtpKey *
parse(const char *suite, const char *key)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *fault = NULL;
    json_t *form = srtp_sender_form(suite, key);

    g_assert_true(crypto_start(&error));
    SrtpKey *parsed = srtp_key_parse(form, &fault);
    json_decref(form);
    g_assert_cmpstr(fault, ==, NULL);
    return parsed;
}

SrtpKey *
srtp_sender_key(SrtpSuite suite)
{
    return parse(suites[suite].name, suites[suite].key);
}

SrtpKey *
srtp_sender_other_key(SrtpSuite suite)
{
    return parse(suites[suite].name, suites[suite].other);
}

SrtpSender *
srtp_sender_new(const SrtpKey *key)
{
    SrtpSender *self = g_new0(SrtpSender, 1);
    srtp_policy_t policy = {
        .ssrc = {.type = ssrc_any_outbound},
        .key = (unsigned char *) secret_peek(srtp_key_secret(key)),
        .window_size = 0x7fff, /* it may send old packets once more */
        .allow_repeat_tx = 1,
    };

    if (srtp_key_suite(key) == SRTP_SUITE_AES_CM_128_HMAC_SHA1_80) {
        srtp_crypto_policy_set_rtp_default(&policy.rtp);
    } else if (srtp_key_suite(key) == SRTP_SUITE_AEAD_AES_128_GCM) {
        srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtp);
    } else {
        srtp_crypto_policy_set_aes_gcm_256_16_auth(&policy.rtp);
    }
    policy.rtcp = policy.rtp;
    /* Starts the library, which can be done once only. */
    g_autoptr(SrtpContext) context = srtp_context_new(key, NULL);
    g_assert_nonnull(context);
    g_assert_cmpint(srtp_create(&self->session, &policy), ==, srtp_err_status_ok);
    return self;
}

size_t
srtp_sender_seal(SrtpSender *self, uint8_t *bytes, size_t n_bytes)
{
    int length = (int) n_bytes;

    g_assert_cmpint(srtp_protect(self->session, bytes, &length), ==, srtp_err_status_ok);
    return (size_t) length;
}

size_t
srtp_sender_seal_rtcp(SrtpSender *self, uint8_t *bytes, size_t n_bytes)
{
    int length = (int) n_bytes;

    g_assert_cmpint(srtp_protect_rtcp(self->session, bytes, &length), ==, srtp_err_status_ok);
    return (size_t) length;
}

SrtpContext *
srtp_sender_context(SrtpSuite suite)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(SrtpKey) key = srtp_sender_key(suite);
    SrtpContext *context = srtp_context_new(key, &error);

    g_assert_no_error(error);
    return context;
}

SrtpSender *
srtp_sender_of(SrtpSuite suite)
{
    g_autoptr(SrtpKey) key = srtp_sender_key(suite);

    return srtp_sender_new(key);
}

size_t
srtp_sender_packet(SrtpSender *self, uint32_t ssrc, unsigned n, uint8_t bytes[SRTP_SENDER_PACKET])
{
    SentPacket packet = sent_packet(n);

    packet.ssrc = ssrc;
    return srtp_sender_seal(self, bytes, sent_packet_write(&packet, bytes));
}

SrtpVerdict
srtp_sender_send(SrtpSender *self, SrtpContext *context, uint32_t ssrc, unsigned n)
{
    uint8_t bytes[SRTP_SENDER_PACKET];
    size_t n_bytes = srtp_sender_packet(self, ssrc, n, bytes);

    return srtp_context_open_rtp(context, bytes, &n_bytes);
}

void
srtp_sender_free(SrtpSender *self)
{
    if (self == NULL)
        return;
    (void) srtp_dealloc(self->session);
    g_free(self);
}
