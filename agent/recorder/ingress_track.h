#pragma once

#include "agent/recorder/ingress.h"
#include "agent/recorder/rtcp.h"
#include "agent/recorder/srtp_gate.h"
#include "agent/recorder/udp_batch.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* One track's two sockets and its receiver: the ingress from inside. Made by the main thread, then
 * of the ingress thread alone, but for what ingress.h says. */

typedef struct {
    IngressTrack *track;
    int fd;
    bool is_rtcp;
} IngressSocket;

typedef struct {
    struct sockaddr_storage address;
    socklen_t n_bytes; /* 0: not known */
} IngressPeer;

struct IngressTrack {
    Ingress *ingress; /* borrowed, for the messages of ingress.h */
    IngressTrackOptions options;
    uint16_t port;
    int64_t due_us; /* when to call ingress_track_expire(), monotonic; INT64_MAX: nothing waits */
    IngressSocket sockets[2]; /* RTP, RTCP */
    IngressPeer peers[2];     /* where they get theirs from */
    bool has_heard_rtcp;
    bool has_begun;       /* RTP has come at all */
    bool has_come;        /* RTP, since the last look */
    unsigned n_asks_left; /* for a keyframe, while nothing comes */
    int64_t look_us;      /* the next look, where the way was opened; 0: it was not */
    SrtpGate *gate;       /* NULL: plain RTP */
    RtpReceiver *receiver;
    RtcpIdentity identity;
    uint8_t fir_counter;
    uint32_t n_kernel_dropped;
    GMutex mutex;
    struct {
        RtpReceiverStatus status;
    } locked;
};

/* Binds `port` and the next. Returns: owned by the caller.
 * Errors: G_IO_ERROR_ADDRESS_IN_USE - another pair may be free; others of GIO. */
IngressTrack *ingress_track_new(const char *address, uint16_t port,
                                const IngressTrackOptions *options,
                                GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Takes what has arrived in `socket`, and gives on what waited long enough. Returns: how many
 * datagrams were there. */
unsigned ingress_track_receive(IngressTrack *self, const IngressSocket *socket, UdpBatch *batch);

/* Gives on what waited until `monotonic_us`, by when all that came must have been taken. */
void ingress_track_expire(IngressTrack *self, int64_t monotonic_us);

/* Takes what has arrived, then pauses or (NULL) resumes. */
void ingress_track_pause_now(IngressTrack *self, const char *reason, UdpBatch *batch);

/* Takes what has arrived, closes the sockets and finishes the receiver; on_finished is not called
 * yet. */
void ingress_track_close(IngressTrack *self, int64_t until_us, UdpBatch *batch);

/* NULL is allowed. */
void ingress_track_free(IngressTrack *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(IngressTrack, ingress_track_free)
