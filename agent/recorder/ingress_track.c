#include "agent/recorder/ingress_track.h"

#include "agent/recorder/rtp_packet.h"
#include "agent/recorder/udp_socket.h"

#include <unistd.h>

enum {
    /* Taken from one socket before the others have their turn. At the end of a track it is all that
     * may still lie there; a source that never stops is cut off. */
    MAX_BATCHES = 64,
    /* Of simulcast Janus sends nothing before a keyframe, neither at first nor when the layer that
     * it sends goes away, and it does not ask for one. */
    FIRST_LOOK_US = 50000,
    LOOK_AGAIN_US = 500000,
    /* Each time a little later, so that it does not always meet Janus in the same moment of its own
     * search for a layer. */
    LATER_US = 130000,
    MAX_ASKS = 20,
};

static void
publish_status(IngressTrack *self)
{
    RtpReceiverStatus status;

    rtp_receiver_status(self->receiver, &status);
    status.n_kernel_dropped = self->n_kernel_dropped;
    if (self->gate != NULL)
        srtp_gate_add_counts(self->gate, &status);
    g_mutex_lock(&self->mutex);
    self->locked.status = status;
    g_mutex_unlock(&self->mutex);
}

IngressTrack *
ingress_track_new(const char *address, uint16_t port, const IngressTrackOptions *options,
                  GError **error)
{
    g_autoptr(IngressTrack) self = g_new0(IngressTrack, 1);

    g_mutex_init(&self->mutex);
    self->port = port;
    self->due_us = INT64_MAX;
    self->options = *options;
    self->options.srtp = NULL;
    self->options.name = NULL;
    self->receiver = rtp_receiver_new(&options->receiver);
    rtcp_identity_draw(&self->identity);
    self->sockets[0] = (IngressSocket){.track = self, .fd = -1};
    self->sockets[1] = (IngressSocket){.track = self, .fd = -1, .is_rtcp = true};
    if (options->srtp != NULL) {
        self->gate = srtp_gate_new(options->srtp, options->name, error);
        if (self->gate == NULL)
            return NULL;
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(self->sockets); i++) {
        self->sockets[i].fd = udp_socket_open(address, (uint16_t) (port + i), error);
        if (self->sockets[i].fd < 0)
            return NULL;
    }
    /* SRTP is opened in place. */
    if (self->gate == NULL)
        udp_socket_allow_pieces(self->sockets[0].fd);
    return g_steal_pointer(&self);
}

uint16_t
ingress_track_port(const IngressTrack *track)
{
    return track->port;
}

static void
remember_peer(IngressTrack *self, const IngressSocket *socket, const UdpBatch *batch)
{
    IngressPeer *peer = &self->peers[socket->is_rtcp ? 1 : 0];

    peer->address = *udp_batch_source(batch, &peer->n_bytes);
}

/* Takes what an RTCP packet says. Returns: false - it is none, or not genuine; `n_bytes` is then 0
 * if nobody should look at it again. */
static bool
take_report(IngressTrack *self, uint8_t *bytes, size_t *n_bytes, int64_t arrival_us)
{
    RtpReceiverStatus status;
    RtcpReport report;

    if (self->gate != NULL && !srtp_gate_open_rtcp(self->gate, bytes, n_bytes, arrival_us)) {
        *n_bytes = 0;
        return false;
    }
    rtp_receiver_status(self->receiver, &status);
    if (!rtcp_parse(bytes, *n_bytes, status.ssrc, &report))
        return false;
    rtp_receiver_take_report(self->receiver, &report, arrival_us - self->options.zero_monotonic_us);
    return true;
}

/* Somebody opened the way, and may have to be asked for media. */
static void
begin_to_look(IngressTrack *self)
{
    self->n_asks_left = MAX_ASKS;
    if (self->look_us == 0)
        self->look_us = g_get_monotonic_time() + FIRST_LOOK_US;
    self->due_us = MIN(self->due_us, self->look_us);
}

static void
take_rtcp(IngressTrack *self, const IngressSocket *socket, UdpBatch *batch, unsigned n_received)
{
    for (unsigned i = 0; i < n_received; i++) {
        size_t n_bytes = 0;
        uint8_t *bytes = udp_batch_bytes(batch, i, &n_bytes);
        const bool is_rtcp = take_report(self, bytes, &n_bytes, udp_batch_arrival_us(batch, i));

        /* Janus only opens the way, with twelve bytes of an empty RTP header, and then listens
         * there: until somebody speaks RTCP, whoever came last is taken for the peer. Not where a
         * peer can prove itself. */
        if (i == 0 && (is_rtcp || (!self->has_heard_rtcp && self->gate == NULL)))
            remember_peer(self, socket, batch);
        self->has_heard_rtcp = self->has_heard_rtcp || is_rtcp;
        if (!is_rtcp && !self->has_heard_rtcp && self->gate == NULL)
            begin_to_look(self);
    }
}

/* Says whether a packet on the RTP port is RTCP (RFC 5761). A payload type of 64 to 95 looks like
 * it, and where a track has one its port is for RTP only. */
static bool
is_multiplexed(const IngressTrack *self, const uint8_t *bytes, size_t n_bytes)
{
    const uint8_t payload_type = self->options.receiver.payload_type;

    return rtcp_is_likely(bytes, n_bytes) && (payload_type < 64 || payload_type > 95);
}

static bool
open_rtp(IngressTrack *self, uint8_t *bytes, size_t *n_bytes, int64_t arrival_us)
{
    if (is_multiplexed(self, bytes, *n_bytes))
        return !take_report(self, bytes, n_bytes, arrival_us) && *n_bytes > 0;
    return self->gate == NULL || srtp_gate_open_rtp(self->gate, bytes, n_bytes, arrival_us);
}

/* Sends one to where RTCP goes, else to where RTP comes from. `media_ssrc`: 0: not known yet. */
static void
send_keyframe_request(IngressTrack *self, uint32_t media_ssrc)
{
    uint8_t bytes[RTCP_KEYFRAME_REQUEST_BYTES + SRTP_CONTEXT_RTCP_ROOM];
    size_t n_bytes = 0;
    const unsigned i = self->peers[1].n_bytes > 0 ? 1 : 0;
    const IngressPeer *peer = &self->peers[i];

    if (peer->n_bytes == 0 || self->sockets[i].fd < 0 || self->options.feedback == 0)
        return;
    n_bytes = rtcp_write_keyframe_request(&self->identity,
                                          &(RtcpKeyframeRequest){
                                              .media_ssrc = media_ssrc,
                                              .feedback = self->options.feedback,
                                              .fir_counter = self->fir_counter++,
                                          },
                                          bytes);
    /* One that does not get away is asked for again by the segmenter. */
    if (self->gate != NULL && !srtp_gate_seal_rtcp(self->gate, bytes, &n_bytes)) {
        rtcp_identity_draw(&self->identity);
        return;
    }
    (void) sendto(self->sockets[i].fd, bytes, n_bytes, MSG_DONTWAIT,
                  (const struct sockaddr *) &peer->address, peer->n_bytes);
}

/* Datagrams `first` to `end`, of which there are at most UDP_BATCH_PIECES. */
static void
take_some_rtp(IngressTrack *self, UdpBatch *batch, unsigned first, unsigned end)
{
    RtpDatagram datagrams[UDP_BATCH_PIECES];
    RtpPacket packet;
    unsigned n_genuine = 0;

    for (unsigned i = first; i < end; i++) {
        size_t n_bytes = 0;
        uint8_t *bytes = udp_batch_bytes(batch, i, &n_bytes);
        const int64_t arrival_us = udp_batch_arrival_us(batch, i);

        if (!open_rtp(self, bytes, &n_bytes, arrival_us))
            continue;
        /* Before anything is given on, which may ask for a keyframe. */
        if (i == 0 && rtp_packet_parse(bytes, n_bytes, &packet))
            remember_peer(self, &self->sockets[0], batch);
        datagrams[n_genuine++] =
            (RtpDatagram){bytes, n_bytes, arrival_us - self->options.zero_monotonic_us};
    }
    /* The first packets wait for their clock; the keyframe that a picture begins with need not. */
    if (n_genuine > 0 && !self->has_begun &&
        rtp_packet_parse(datagrams[0].bytes, datagrams[0].n_bytes, &packet))
        send_keyframe_request(self, packet.ssrc);
    self->has_begun = self->has_begun || n_genuine > 0;
    rtp_receiver_take_batch(self->receiver, datagrams, n_genuine);
}

static void
take_rtp(IngressTrack *self, UdpBatch *batch, unsigned n_received)
{
    self->n_kernel_dropped = MAX(self->n_kernel_dropped, udp_batch_dropped(batch));
    self->has_come = true;
    for (unsigned i = 0; i < n_received; i += UDP_BATCH_PIECES)
        take_some_rtp(self, batch, i, MIN(i + UDP_BATCH_PIECES, n_received));
}

unsigned
ingress_track_receive(IngressTrack *self, const IngressSocket *socket, UdpBatch *batch)
{
    bool may_be_more = true;
    unsigned n_taken = 0;
    int64_t monotonic_us = 0;

    for (unsigned i = 0; i < MAX_BATCHES && may_be_more; i++) {
        monotonic_us = g_get_monotonic_time();
        const unsigned n_received = udp_batch_receive(batch, socket->fd);
        may_be_more = udp_batch_is_full(batch);
        n_taken += n_received;
        if (n_received == 0) {
            break;
        }
        if (socket->is_rtcp) {
            take_rtcp(self, socket, batch, n_received);
        } else {
            take_rtp(self, batch, n_received);
        }
    }
    /* What came since may fill a hole. */
    if (socket->is_rtcp) {
        publish_status(self);
    } else {
        ingress_track_expire(self, may_be_more ? 0 : monotonic_us);
    }
    return n_taken;
}

/* Asks while nothing comes, until it has asked enough: a camera may be off. However often somebody
 * opens the way, no more is sent than one request for each look. */
static void
look_for_media(IngressTrack *self, int64_t monotonic_us)
{
    if (self->look_us == 0)
        return;
    if (monotonic_us >= self->look_us) {
        if (self->has_come) {
            self->n_asks_left = MAX_ASKS;
        } else if (self->n_asks_left > 0) {
            RtpReceiverStatus status;

            rtp_receiver_status(self->receiver, &status);
            send_keyframe_request(self, status.has_ssrc ? status.ssrc : 0);
            self->n_asks_left--;
        }
        self->has_come = false;
        self->look_us =
            monotonic_us + LOOK_AGAIN_US + (int64_t) (MAX_ASKS - self->n_asks_left) * LATER_US;
    }
    self->due_us = MIN(self->due_us, self->look_us);
}

void
ingress_track_expire(IngressTrack *self, int64_t monotonic_us)
{
    const int64_t due_us =
        rtp_receiver_expire(self->receiver, monotonic_us - self->options.zero_monotonic_us);

    self->due_us = due_us == INT64_MAX ? INT64_MAX : due_us + self->options.zero_monotonic_us;
    look_for_media(self, monotonic_us);
    publish_status(self);
}

void
ingress_track_pause_now(IngressTrack *self, const char *reason, UdpBatch *batch)
{
    /* What came before belongs to the time before. */
    (void) ingress_track_receive(self, &self->sockets[0], batch);

    const int64_t monotonic_us = g_get_monotonic_time();
    rtp_receiver_pause(self->receiver, reason, monotonic_us - self->options.zero_monotonic_us);
    ingress_track_expire(self, monotonic_us);
}

static void
close_sockets(IngressTrack *self)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(self->sockets); i++) {
        if (self->sockets[i].fd >= 0)
            (void) close(self->sockets[i].fd); /* nothing is written to it that could be lost */
        self->sockets[i].fd = -1;
    }
}

void
ingress_track_close(IngressTrack *self, int64_t until_us, UdpBatch *batch)
{
    (void) ingress_track_receive(self, &self->sockets[0], batch);
    /* Those behind the last that was taken are told by no other. */
    self->n_kernel_dropped = MAX(self->n_kernel_dropped, udp_socket_dropped(self->sockets[0].fd));
    close_sockets(self);
    rtp_receiver_finish(self->receiver, until_us);
    self->due_us = INT64_MAX;
    publish_status(self);
}

void
ingress_track_status(IngressTrack *track, RtpReceiverStatus *status)
{
    g_mutex_lock(&track->mutex);
    *status = track->locked.status;
    g_mutex_unlock(&track->mutex);
}

void
ingress_track_request_keyframe(IngressTrack *track)
{
    RtpReceiverStatus status;

    rtp_receiver_status(track->receiver, &status);
    if (status.has_ssrc)
        send_keyframe_request(track, status.ssrc);
}

void
ingress_track_free(IngressTrack *self)
{
    if (self == NULL)
        return;
    close_sockets(self);
    rtp_receiver_free(self->receiver);
    srtp_gate_free(self->gate);
    g_mutex_clear(&self->mutex);
    g_free(self);
}
