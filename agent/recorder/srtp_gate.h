#pragma once

#include "agent/recorder/rtp_receiver.h"
#include "agent/recorder/srtp_context.h"

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Where a track's SRTP is let in or turned away: counts, and says so in the log, but not for every
 * packet. Made by the main thread, then of the ingress thread. */
typedef struct SrtpGate SrtpGate;

/* `track`: its id, for the log. Errors: as srtp_context_new(). */
SrtpGate *srtp_gate_new(const SrtpKey *key, const char *track,
                        GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Opens a packet in place. Returns: false - it is turned away, and must not be looked at. */
bool srtp_gate_open_rtp(SrtpGate *self, uint8_t *bytes, size_t *n_bytes, int64_t monotonic_us);
bool srtp_gate_open_rtcp(SrtpGate *self, uint8_t *bytes, size_t *n_bytes, int64_t monotonic_us);

/* As srtp_context_seal_rtcp(). */
bool srtp_gate_seal_rtcp(SrtpGate *self, uint8_t *bytes, size_t *n_bytes) G_GNUC_WARN_UNUSED_RESULT;

/* Adds what was turned away. */
void srtp_gate_add_counts(const SrtpGate *self, RtpReceiverStatus *status);

/* Wipes; NULL is allowed. */
void srtp_gate_free(SrtpGate *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SrtpGate, srtp_gate_free)
