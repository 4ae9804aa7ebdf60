/* A session of libsrtp2 in each direction. Its streams are made from a template when a packet of
 * a new SSRC has proved genuine, never before, and stay: forgetting one would let its packets be
 * replayed. So their number has a limit.
 *
 * The counter of rollovers is not sent. Who is there from the start of a source counts along; a
 * track that begins later (a consent that came late) has to find it out: until its first genuine
 * packet it tries the likely ones, in a session of its own that is kept if one fits. */
#include "agent/recorder/srtp_context.h"

#include "agent/recorder/rtp_packet.h"

#include <gio/gio.h>
#include <srtp2/srtp.h>
#include <string.h>

enum {
    RTCP_HEADER_BYTES = 8,
    RTCP_SSRC_AT = 4,
    MAX_BYTES = 65535, /* of a datagram */
    /* A day of video. Tried a few for each packet, and not for ever: the key may be wrong. */
    MAX_ROLLOVERS = 256,
    GUESSES_PER_PACKET = 8,
    MAX_GUESSES = 4 * MAX_ROLLOVERS,
    /* Packets until another SSRC is thought to be the source; a prime, so that no pattern of noise
     * keeps step with it. */
    PATIENCE_PACKETS = 61,
};

/* Until the first genuine RTP packet. */
typedef struct {
    Secret *key; /* NULL: that came */
    SrtpSuite suite;
    srtp_t session; /* for `ssrc` alone; stays if a guess was right */
    uint32_t ssrc;
    uint32_t n_guesses;
    unsigned n_packets; /* refused since the session was made */
    bool is_found;
} LateStart;

struct SrtpContext {
    srtp_t inbound;
    srtp_t outbound;
    LateStart late;
    size_t n_tag_bytes;
    GHashTable *ssrcs; /* set of those that were genuine */
    uint32_t own_ssrc;
    bool has_own_ssrc;
};

/* RTP or RTCP. */
typedef struct {
    SrtpVerdict (*open)(SrtpContext *self, uint32_t ssrc, uint8_t *bytes, int *length);
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
make_session(srtp_t *session, const LateStart *with, srtp_ssrc_t ssrc, GError **error)
{
    /* libsrtp2 copies what it needs and only reads it. */
    srtp_policy_t policy = {
        .ssrc = ssrc,
        .key = (unsigned char *) secret_peek(with->key),
        .window_size = SRTP_CONTEXT_WINDOW,
    };

    set_suite(&policy.rtp, with->suite);
    set_suite(&policy.rtcp, with->suite);
    const srtp_err_status_t status = srtp_create(session, &policy);
    return status == srtp_err_status_ok || fail(error, "use the key", status);
}

static Secret *
copy_secret(const Secret *secret, GError **error)
{
    Secret *copy = secret_new_zero(secret_length(secret), error);

    if (copy != NULL)
        memcpy(secret_bytes(copy), secret_peek(secret), secret_length(secret));
    return copy;
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
    self->late.suite = srtp_key_suite(key);
    self->late.key = copy_secret(srtp_key_secret(key), error);
    const srtp_ssrc_t in = {.type = ssrc_any_inbound};
    const srtp_ssrc_t out = {.type = ssrc_any_outbound};
    if (self->late.key == NULL || !make_session(&self->inbound, &self->late, in, error) ||
        !make_session(&self->outbound, &self->late, out, error))
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

static void
close_session(srtp_t *session)
{
    if (*session != NULL)
        (void) srtp_dealloc(*session); /* it wipes; what could fail is a bug of its own */
    *session = NULL;
}

/* Makes a session to try `ssrc` in, if it is not there and the last one had its chance. */
static bool
look_at(LateStart *late, uint32_t ssrc)
{
    const srtp_ssrc_t one = {.type = ssrc_specific, .value = ssrc};

    late->n_packets++;
    if (late->session != NULL && late->ssrc == ssrc)
        return late->n_guesses < MAX_GUESSES;
    if (late->session != NULL && late->n_packets < PATIENCE_PACKETS)
        return false;
    close_session(&late->session);
    late->ssrc = ssrc;
    late->n_guesses = late->n_packets = 0;
    return make_session(&late->session, late, one, NULL);
}

/* Tries a packet that failed with rollovers that may have been before the track began. `sealed`: as
 * it came. Returns: as srtp_context_open_rtp(); `bytes` are open then. */
static SrtpVerdict
open_late(LateStart *late, uint32_t ssrc, const uint8_t *sealed, uint8_t *bytes, int *length)
{
    const int n_sealed = *length;

    if (!look_at(late, ssrc))
        return SRTP_VERDICT_UNAUTHENTIC;
    for (unsigned i = 0; i < GUESSES_PER_PACKET; i++) {
        const uint32_t rollovers = 1 + late->n_guesses++ % MAX_ROLLOVERS;

        memcpy(bytes, sealed, (size_t) n_sealed);
        *length = n_sealed;
        if (srtp_set_stream_roc(late->session, ssrc, rollovers) == srtp_err_status_ok &&
            srtp_unprotect(late->session, bytes, length) == srtp_err_status_ok) {
            late->is_found = true;
            return SRTP_VERDICT_GENUINE;
        }
    }
    return SRTP_VERDICT_UNAUTHENTIC;
}

/* Nothing is left to find out. */
static void
end_search(LateStart *late)
{
    g_clear_pointer(&late->key, secret_free);
    if (!late->is_found)
        close_session(&late->session);
}

static SrtpVerdict
open_rtp(SrtpContext *self, uint32_t ssrc, uint8_t *bytes, int *length)
{
    LateStart *late = &self->late;
    uint8_t sealed[RTP_PACKET_MAX_BYTES];
    const bool may_be_late = late->key != NULL && (size_t) *length <= sizeof(sealed);
    const srtp_t session = late->is_found && ssrc == late->ssrc ? late->session : self->inbound;

    if (may_be_late)
        memcpy(sealed, bytes, (size_t) *length); /* a failure may leave it half opened */
    SrtpVerdict verdict = verdict_of(srtp_unprotect(session, bytes, length));
    if (verdict == SRTP_VERDICT_UNAUTHENTIC && may_be_late)
        verdict = open_late(late, ssrc, sealed, bytes, length);
    if (verdict == SRTP_VERDICT_GENUINE && late->key != NULL)
        end_search(late);
    return verdict;
}

static SrtpVerdict
open_rtcp(SrtpContext *self, uint32_t ssrc, uint8_t *bytes, int *length)
{
    return verdict_of(srtp_unprotect_rtcp(self->inbound, bytes, length));
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
    const SrtpVerdict verdict = kind->open(self, ssrc, bytes, &length);
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
    static const PacketKind rtp = {open_rtp, 8, 12};

    return open_packet(self, &rtp, bytes, n_bytes);
}

SrtpVerdict
srtp_context_open_rtcp(SrtpContext *self, uint8_t *bytes, size_t *n_bytes)
{
    static const PacketKind rtcp = {open_rtcp, RTCP_SSRC_AT, RTCP_HEADER_BYTES + 4};

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
    close_session(&self->inbound);
    close_session(&self->outbound);
    close_session(&self->late.session);
    secret_free(self->late.key);
    g_hash_table_unref(self->ssrcs);
    g_free(self);
}
