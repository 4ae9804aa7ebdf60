#include "agent/recorder/srtp_gate.h"

/* One line a minute for each track: a wrong key fails with every packet. */
#define WARNING_US (G_GINT64_CONSTANT(60) * G_USEC_PER_SEC)

struct SrtpGate {
    char *track;
    SrtpContext *context;
    uint64_t n_turned_away[SRTP_VERDICT_FOREIGN + 1]; /* by verdict */
    int64_t warned_us;                                /* monotonic */
    bool has_warned;
};

SrtpGate *
srtp_gate_new(const SrtpKey *key, const char *track, GError **error)
{
    g_autoptr(SrtpGate) self = g_new0(SrtpGate, 1);

    self->track = g_strdup(track);
    self->context = srtp_context_new(key, error);
    return self->context != NULL ? g_steal_pointer(&self) : NULL;
}

static void
warn(SrtpGate *self, int64_t monotonic_us)
{
    if (self->has_warned && monotonic_us - self->warned_us < WARNING_US)
        return;
    self->has_warned = true;
    self->warned_us = monotonic_us;
    g_warning("track %s: SRTP authentication failed, %" G_GUINT64_FORMAT
              " packets so far: the sender has another key or suite, or none",
              self->track, self->n_turned_away[SRTP_VERDICT_UNAUTHENTIC]);
}

static bool
judge(SrtpGate *self, SrtpVerdict verdict, int64_t monotonic_us)
{
    if (verdict == SRTP_VERDICT_GENUINE)
        return true;
    self->n_turned_away[verdict]++;
    if (verdict == SRTP_VERDICT_UNAUTHENTIC)
        warn(self, monotonic_us);
    return false;
}

bool
srtp_gate_open_rtp(SrtpGate *self, uint8_t *bytes, size_t *n_bytes, int64_t monotonic_us)
{
    return judge(self, srtp_context_open_rtp(self->context, bytes, n_bytes), monotonic_us);
}

bool
srtp_gate_open_rtcp(SrtpGate *self, uint8_t *bytes, size_t *n_bytes, int64_t monotonic_us)
{
    return judge(self, srtp_context_open_rtcp(self->context, bytes, n_bytes), monotonic_us);
}

bool
srtp_gate_seal_rtcp(SrtpGate *self, uint8_t *bytes, size_t *n_bytes)
{
    return srtp_context_seal_rtcp(self->context, bytes, n_bytes);
}

void
srtp_gate_add_counts(const SrtpGate *self, RtpReceiverStatus *status)
{
    status->n_unauthentic += self->n_turned_away[SRTP_VERDICT_UNAUTHENTIC];
    status->n_replayed += self->n_turned_away[SRTP_VERDICT_REPLAYED];
    status->n_foreign += self->n_turned_away[SRTP_VERDICT_MALFORMED];
    status->n_foreign_ssrc += self->n_turned_away[SRTP_VERDICT_FOREIGN];
}

void
srtp_gate_free(SrtpGate *self)
{
    if (self == NULL)
        return;
    srtp_context_free(self->context);
    g_free(self->track);
    g_free(self);
}
