#pragma once

#include "agent/recorder/srtp_key.h"

#include <glib.h>
#include <stddef.h>
#include <stdint.h>

/* A media server that sends SRTP, and its keys. */
typedef struct SrtpSender SrtpSender;

enum { SRTP_SENDER_SUITES = SRTP_SUITE_AEAD_AES_256_GCM + 1, SRTP_SENDER_ROOM = 144 };

/* The `srtp` member of a track. Owned by the caller. */
json_t *srtp_sender_form(const char *suite, const char *key);

/* The key of `suite`: of libsrtp's reference packets, and the same way for AES-256. Owned by the
 * caller. */
SrtpKey *srtp_sender_key(SrtpSuite suite);
SrtpKey *srtp_sender_other_key(SrtpSuite suite); /* one that differs in its last bit */

SrtpSender *srtp_sender_new(const SrtpKey *key);

/* Seals in place; `bytes` has SRTP_SENDER_ROOM more. Returns: the new length. */
size_t srtp_sender_seal(SrtpSender *self, uint8_t *bytes, size_t n_bytes);

void srtp_sender_free(SrtpSender *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SrtpSender, srtp_sender_free)
