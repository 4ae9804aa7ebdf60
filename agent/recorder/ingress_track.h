#pragma once

#include "agent/recorder/ingress.h"
#include "agent/recorder/udp_socket.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* One track's two sockets and its receiver. Made by the main thread, then of the ingress thread
 * alone, but for the functions of ingress.h. */

typedef struct {
    IngressTrack *track;
    int fd;
    bool is_rtcp;
} IngressSocket;

/* Binds `port` and the next. Returns: owned by the caller.
 * Errors: G_IO_ERROR_ADDRESS_IN_USE - another pair may be free; others of GIO. */
IngressTrack *ingress_track_new(const char *address, uint16_t port,
                                const IngressTrackOptions *options,
                                GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* 0: RTP's, 1: RTCP's; borrowed. */
IngressSocket *ingress_track_socket(IngressTrack *self, unsigned i);

/* Links to the ingress, for the messages of ingress.h. */
void ingress_track_set_ingress(IngressTrack *self, Ingress *ingress);
Ingress *ingress_track_ingress(const IngressTrack *self);

/* Receives once from `socket`. Returns: true if more is there already. */
bool ingress_track_receive(IngressTrack *self, const IngressSocket *socket, UdpBatch *batch);

/* As rtp_receiver_expire(), in g_get_monotonic_time(); and what it returned last, or the last
 * receive did. */
int64_t ingress_track_expire(IngressTrack *self, int64_t monotonic_us);
int64_t ingress_track_due_us(const IngressTrack *self);

void ingress_track_pause_now(IngressTrack *self, const char *reason);

/* In this order: takes what has arrived, closes the sockets and finishes the receiver; then tells.
 */
void ingress_track_close(IngressTrack *self, int64_t until_us, UdpBatch *batch);
void ingress_track_tell_finished(IngressTrack *self);

/* NULL is allowed. */
void ingress_track_free(IngressTrack *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(IngressTrack, ingress_track_free)
