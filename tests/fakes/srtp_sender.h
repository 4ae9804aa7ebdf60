#pragma once

#include "agent/recorder/srtp_context.h"

#include <glib.h>
#include <stddef.h>
#include <stdint.h>

/* A media server that sends SRTP, and its keys. */
typedef struct SrtpSender SrtpSender;

enum {
    SRTP_SENDER_SUITES = SRTP_SUITE_AEAD_AES_256_GCM + 1,
    SRTP_SENDER_ROOM = 144,
    SRTP_SENDER_PACKET = 256
};

/* The `srtp` member of a track. Owned by the caller. */
json_t *srtp_sender_form(const char *suite, const char *key);

/* The key of `suite`: of libsrtp's reference packets, and the same way for AES-256. Owned by the
 * caller. */
SrtpKey *srtp_sender_key(SrtpSuite suite);
SrtpKey *srtp_sender_other_key(SrtpSuite suite); /* one that differs in its last bit */

SrtpSender *srtp_sender_new(const SrtpKey *key);
SrtpSender *srtp_sender_of(SrtpSuite suite);

/* A receiver with the same key. */
SrtpContext *srtp_sender_context(SrtpSuite suite);

/* Seals in place; `bytes` has SRTP_SENDER_ROOM more. Returns: the new length. */
size_t srtp_sender_seal(SrtpSender *self, uint8_t *bytes, size_t n_bytes);

/* The same for RTCP. */
size_t srtp_sender_seal_rtcp(SrtpSender *self, uint8_t *bytes, size_t n_bytes);

/* Seals packet `n` of `ssrc`. Returns: its length. */
size_t srtp_sender_packet(SrtpSender *self, uint32_t ssrc, unsigned n,
                          uint8_t bytes[SRTP_SENDER_PACKET]);

/* What becomes of that packet. */
SrtpVerdict srtp_sender_send(SrtpSender *self, SrtpContext *context, uint32_t ssrc, unsigned n);

void srtp_sender_free(SrtpSender *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SrtpSender, srtp_sender_free)
