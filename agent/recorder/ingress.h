#pragma once

#include "agent/recorder/rtcp.h"
#include "agent/recorder/rtp_receiver.h"
#include "agent/recorder/srtp_key.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* The one thread that takes the packets of all tracks off their UDP sockets (epoll, recvmmsg) and
 * runs each track's receiver. Its callers talk to it by messages; callbacks of a track's
 * RtpReceiverOptions run in it. */
typedef struct Ingress Ingress;
typedef struct IngressTrack IngressTrack;

typedef struct {
    const char *address; /* to bind, numeric IPv4 or IPv6 */
    uint16_t first_port; /* even; a track takes an even port for RTP and the next for RTCP */
    uint16_t last_port;
} IngressOptions;

typedef struct {
    RtpReceiverOptions receiver;
    int64_t zero_monotonic_us; /* g_get_monotonic_time() at the timeline's zero */
    const SrtpKey *srtp;       /* NULL: plain RTP; not needed afterwards, as the next */
    const char *name;          /* of the track in the log */
    unsigned feedback;         /* RtcpFeedback that its source understands; 0: none */
    /* In the ingress thread, after the last callback of the receiver. */
    void (*on_finished)(void *user_data);
    void *user_data;
} IngressTrackOptions;

/* Starts the thread. Errors: G_IO_ERROR - the address can not be bound here. */
Ingress *ingress_new(const IngressOptions *options, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Binds a pair of ports and starts to receive. Main thread.
 * Returns: the track, owned by the ingress until ingress_track_finish().
 * Errors: G_IO_ERROR_NO_SPACE - every port of the range is taken; others of GIO. */
IngressTrack *ingress_add_track(Ingress *self, const IngressTrackOptions *options,
                                GError **error) G_GNUC_WARN_UNUSED_RESULT;
uint16_t ingress_track_port(const IngressTrack *track); /* RTCP's is the next */

/* As rtp_receiver_pause(), in the ingress thread, soon. Main thread. */
void ingress_track_pause(IngressTrack *track, const char *reason);

/* Closes the ports after what already arrived is taken, finishes the receiver at `until_us`, calls
 * on_finished; the track is freed then. Main thread; do not touch `track` afterwards. */
void ingress_track_finish(IngressTrack *track, int64_t until_us);

/* Counters as of the last batch. Any thread. */
void ingress_track_status(IngressTrack *track, RtpReceiverStatus *status);

/* Asks for a keyframe, in the ways that the source understands, where the track's RTCP comes from,
 * else to where its RTP does. Ingress thread only (from on_packets). */
void ingress_track_request_keyframe(IngressTrack *track);

/* Wakes the thread. Returns: how many rounds it has made. Any thread. */
uint64_t ingress_ask(void *self);

/* Every track must be finished. NULL is allowed. */
void ingress_free(Ingress *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Ingress, ingress_free)
