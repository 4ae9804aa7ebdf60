#pragma once

#include "agent/recorder/srtp_key.h"

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* SRTP and SRTCP of one track under one master key (RFC 3711, RFC 7714), with replay protection for
 * each SSRC. The only home of libsrtp2. A track that begins after its source finds out by itself
 * how often the sequence number went around; until then it keeps a copy of the key. Made anywhere,
 * then of one thread. */
typedef struct SrtpContext SrtpContext;

typedef enum {
    SRTP_VERDICT_GENUINE,
    SRTP_VERDICT_UNAUTHENTIC, /* another key, or changed on the way */
    SRTP_VERDICT_REPLAYED,    /* came before, or is too old to tell */
    SRTP_VERDICT_MALFORMED,   /* no SRTP at all */
    SRTP_VERDICT_FOREIGN,     /* our own SSRC, or one more than SRTP_CONTEXT_MAX_SSRCS */
} SrtpVerdict;

enum {
    /* Each genuine SSRC costs memory for as long as the track lives; one that is not costs none. */
    SRTP_CONTEXT_MAX_SSRCS = 256,
    /* How far back a packet may lie, in sequence numbers: beyond any reordering worth waiting for.
     */
    SRTP_CONTEXT_WINDOW = 2048,
    /* Room that srtp_context_seal_rtcp() needs behind the packet. */
    SRTP_CONTEXT_RTCP_ROOM = 148,
};

/* `key`: not wiped yet; borrowed for the call. Errors: G_IO_ERROR - it is, or libsrtp2 fails. */
SrtpContext *srtp_context_new(const SrtpKey *key, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Opens a packet in place; `n_bytes` becomes its length without the tag. Unless it is
 * SRTP_VERDICT_GENUINE the packet must not be used: its bytes may be half changed. */
SrtpVerdict srtp_context_open_rtp(SrtpContext *self, uint8_t *bytes, size_t *n_bytes);
SrtpVerdict srtp_context_open_rtcp(SrtpContext *self, uint8_t *bytes, size_t *n_bytes);

/* Seals a compound RTCP packet of ours in place, under the same master key: the SSRC that begins it
 * must be nobody else's, or keystream would be used twice.
 * Returns: false - it is somebody's, so draw another one; or libsrtp2 failed. Nothing may be sent.
 */
bool srtp_context_seal_rtcp(SrtpContext *self, uint8_t *bytes,
                            size_t *n_bytes) G_GNUC_WARN_UNUSED_RESULT;

/* Wipes; NULL is allowed. */
void srtp_context_free(SrtpContext *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SrtpContext, srtp_context_free)
