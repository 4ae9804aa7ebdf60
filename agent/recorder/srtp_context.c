/* A session of libsrtp2 in each direction. Its streams are made from a template when a packet of
 * a new SSRC has proved genuine, never before, and stay: forgetting one would let its packets be
 * replayed. So their number has a limit. */
#include "agent/recorder/srtp_context.h"

#include <gio/gio.h>
#include <srtp2/srtp.h>

enum {
    RTCP_HEADER_BYTES = 8,
    RTCP_SSRC_AT = 4,
    MAX_BYTES = 65535, /* of a datagram */
};

struct SrtpContext {
    srtp_t inbound;
    srtp_t outbound;
    size_t n_tag_bytes;
    GHashTable *ssrcs; /* set of those that were genuine */
    uint32_t own_ssrc;
    bool has_own_ssrc;
};

/* RTP or RTCP. */
typedef struct {
    srtp_err_status_t (*open)(srtp_t session, void *bytes, int *n_bytes);
    size_t ssrc_at;
    size_t n_least_bytes; /* without the tag */
} PacketKind;

static uint32_t
read_u32(const uint8_t *bytes)
{
    return (uint32_t) bytes[0] << 24 | (uint32_t) bytes[1] << 16 | (uint32_t) bytes[2] << 8 |
           bytes[3];
}

static gpointer
start_library(gpointer data)
{
    return GINT_TO_POINTER(srtp_init());
}

static bool
fail(GError **error, const char *action, srtp_err_status_t status)
{
    g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED, "SRTP: can not %s (libsrtp2 says %d)", action,
                (int) status);
    return false;
}

static void
set_suite(srtp_crypto_policy_t *policy, SrtpSuite suite)
{
    switch (suite) {
    case SRTP_SUITE_AES_CM_128_HMAC_SHA1_80:
        srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(policy);
        break;
    case SRTP_SUITE_AEAD_AES_128_GCM:
        srtp_crypto_policy_set_aes_gcm_128_16_auth(policy);
        break;
    case SRTP_SUITE_AEAD_AES_256_GCM:
        srtp_crypto_policy_set_aes_gcm_256_16_auth(policy);
        break;
    }
}

static bool
make_session(srtp_t *session, const SrtpKey *key, srtp_ssrc_type_t direction, GError **error)
{
    /* libsrtp2 copies what it needs and only reads it. */
    srtp_policy_t policy = {
        .ssrc = {.type = direction},
        .key = (unsigned char *) secret_peek(srtp_key_secret(key)),
        .window_size = SRTP_CONTEXT_WINDOW,
    };

    set_suite(&policy.rtp, srtp_key_suite(key));
    set_suite(&policy.rtcp, srtp_key_suite(key));
    const srtp_err_status_t status = srtp_create(session, &policy);
    return status == srtp_err_status_ok || fail(error, "use the key", status);
}

SrtpContext *
srtp_context_new(const SrtpKey *key, GError **error)
{
    static GOnce start = G_ONCE_INIT;
    g_autoptr(SrtpContext) self = g_new0(SrtpContext, 1);
    const int started = GPOINTER_TO_INT(g_once(&start, start_library, NULL));

    self->ssrcs = g_hash_table_new(NULL, NULL);
    self->n_tag_bytes = srtp_key_suite(key) == SRTP_SUITE_AES_CM_128_HMAC_SHA1_80 ? 10 : 16;
    if (started != srtp_err_status_ok) {
        (void) fail(error, "start", (srtp_err_status_t) started);
        return NULL;
    }
    if (srtp_key_secret(key) == NULL) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED,
                    "SRTP: the key was wiped when the track began; add the track anew");
        return NULL;
    }
    if (!make_session(&self->inbound, key, ssrc_any_inbound, error) ||
        !make_session(&self->outbound, key, ssrc_any_outbound, error))
        return NULL;
    return g_steal_pointer(&self);
}

static SrtpVerdict
verdict_of(srtp_err_status_t status)
{
    if (status == srtp_err_status_ok)
        return SRTP_VERDICT_GENUINE;
    if (status == srtp_err_status_replay_fail || status == srtp_err_status_replay_old)
        return SRTP_VERDICT_REPLAYED;
    /* A tag of AES-GCM that does not fit may show as a cipher that failed. */
    if (status == srtp_err_status_auth_fail || status == srtp_err_status_cipher_fail)
        return SRTP_VERDICT_UNAUTHENTIC;
    return SRTP_VERDICT_MALFORMED;
}

static SrtpVerdict
open_packet(SrtpContext *self, const PacketKind *kind, uint8_t *bytes, size_t *n_bytes)
{
    /* libsrtp2 subtracts before it compares. */
    if (*n_bytes < kind->n_least_bytes + self->n_tag_bytes || *n_bytes > MAX_BYTES)
        return SRTP_VERDICT_MALFORMED;
    const uint32_t ssrc = read_u32(bytes + kind->ssrc_at);
    const bool is_new = !g_hash_table_contains(self->ssrcs, GUINT_TO_POINTER(ssrc));
    int length = (int) *n_bytes;

    /* What we sent would be genuine, if somebody sent it back. */
    if ((self->has_own_ssrc && ssrc == self->own_ssrc) ||
        (is_new && g_hash_table_size(self->ssrcs) >= SRTP_CONTEXT_MAX_SSRCS))
        return SRTP_VERDICT_FOREIGN;
    const SrtpVerdict verdict = verdict_of(kind->open(self->inbound, bytes, &length));
    if (verdict != SRTP_VERDICT_GENUINE)
        return verdict;
    if (is_new)
        (void) g_hash_table_add(self->ssrcs, GUINT_TO_POINTER(ssrc)); /* it was not there */
    *n_bytes = (size_t) length;
    return verdict;
}

SrtpVerdict
srtp_context_open_rtp(SrtpContext *self, uint8_t *bytes, size_t *n_bytes)
{
    static const PacketKind rtp = {srtp_unprotect, 8, 12};

    return open_packet(self, &rtp, bytes, n_bytes);
}

SrtpVerdict
srtp_context_open_rtcp(SrtpContext *self, uint8_t *bytes, size_t *n_bytes)
{
    static const PacketKind rtcp = {srtp_unprotect_rtcp, RTCP_SSRC_AT, RTCP_HEADER_BYTES + 4};

    return open_packet(self, &rtcp, bytes, n_bytes);
}

bool
srtp_context_seal_rtcp(SrtpContext *self, uint8_t *bytes, size_t *n_bytes)
{
    int length = (int) *n_bytes;

    g_assert(*n_bytes >= RTCP_HEADER_BYTES && *n_bytes <= MAX_BYTES);
    self->own_ssrc = read_u32(bytes + RTCP_SSRC_AT);
    self->has_own_ssrc = !g_hash_table_contains(self->ssrcs, GUINT_TO_POINTER(self->own_ssrc));
    if (!self->has_own_ssrc ||
        srtp_protect_rtcp(self->outbound, bytes, &length) != srtp_err_status_ok)
        return false;
    *n_bytes = (size_t) length;
    return true;
}

void
srtp_context_free(SrtpContext *self)
{
    if (self == NULL)
        return;
    if (self->inbound != NULL)
        (void) srtp_dealloc(self->inbound); /* it wipes; what could fail is a bug of its own */
    if (self->outbound != NULL)
        (void) srtp_dealloc(self->outbound);
    g_hash_table_unref(self->ssrcs);
    g_free(self);
}
