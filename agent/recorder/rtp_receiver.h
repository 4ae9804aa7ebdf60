#pragma once

#include "agent/recorder/rate_limit.h"
#include "agent/recorder/rtcp.h"
#include "agent/recorder/rtp_roles.h"
#include "agent/recorder/sender_clocks.h"

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One track's RTP stream (RFC 3550): from datagrams as they arrive to packets in order on the
 * session's timeline, with every hole named. Pure: no socket, no clock; owned by one ingress
 * thread. */
typedef struct RtpReceiver RtpReceiver;

/* A packet in order of sequence, borrowed for the call. */
typedef struct {
    const uint8_t *bytes; /* the whole RTP packet */
    size_t n_bytes;
    int64_t time_us; /* its RTP timestamp on the session's timeline, not before `from_us` */
    uint32_t rtp_timestamp;
    bool follows_loss; /* packets before it never came, or were dropped in a pause */
} RtpReceiverPacket;

typedef struct {
    uint8_t payload_type;
    RtpRoles roles;              /* of the other payload types */
    uint32_t clock_rate;         /* Hz */
    uint32_t reorder_ms;         /* how long a missing packet is waited for */
    uint32_t gap_ms;             /* a hole is reported from this length on; 200 */
    int64_t from_us;             /* where on the timeline the track begins */
    SenderClocks *sender_clocks; /* of its participant; referenced; NULL: reports are not used */
    /* What is above is dropped for a second: a gap `limit-bitrate`. Borrowed; NULL: no limit. */
    RateLimit *track_rate, *session_rate;
    void (*on_packets)(const RtpReceiverPacket *packets, size_t n_packets, void *user_data);
    /* A stretch without media: `loss` (sequence numbers missing), `silence` (none missing: mute,
     * DTX, a source that paused or began anew), or the reason of a pause; told from gap_ms on, in
     * order of time. And `no-media`: before the first packet and from the last one's end to the
     * track's, told however short, so that the media between its first and last packet and these
     * two (or a pause in their place) tile the track from `from_us` to `until_us` exactly. */
    void (*on_gap)(int64_t start_us, int64_t duration_us, const char *reason, void *user_data);
    /* The source began anew (other SSRC, or a jump of its clock): what follows is another part.
     * Told just before its first packet, never before the first of all. */
    void (*on_restart)(void *user_data);
    void *user_data;
} RtpReceiverOptions;

typedef struct {
    uint64_t n_packets; /* given on */
    uint64_t n_bytes;
    uint64_t n_lost;      /* given up; those of n_late came after all */
    uint64_t n_reordered; /* came late, but in time */
    uint64_t n_recovered; /* came in time as a retransmission or in a redundant block */
    uint64_t n_duplicate;
    uint64_t n_late;    /* came after their place was given up */
    uint64_t n_foreign; /* not RTP, RTCP on the RTP port, wrong payload type, empty, oversized */
    uint64_t n_foreign_ssrc;
    uint64_t n_beside;         /* declared, and no media: comfort noise, telephone events, probes */
    uint64_t n_paused;         /* dropped in a pause, or sent in one */
    uint64_t n_limited;        /* dropped because they were too many */
    uint64_t n_kernel_dropped; /* SO_RXQ_OVFL, set by ingress */
    uint64_t n_unauthentic;    /* SRTP of another key, or none; set by ingress as the next */
    uint64_t n_replayed;       /* SRTP that came before */
    uint64_t n_reports;        /* sender reports that were believed */
    uint64_t n_odd_reports;    /* of another SSRC, without a time, or not in agreement */
    bool is_synced;            /* by reports; by arrivals otherwise */
    uint32_t ssrc;
    bool has_ssrc;
    bool has_undeclared_type; /* its source sent payload types that were not declared */
    uint8_t undeclared_type;  /* the last of them */
} RtpReceiverStatus;

/* A datagram as it came, borrowed. */
typedef struct {
    const uint8_t *bytes;
    size_t n_bytes;
    int64_t arrival_us; /* on the timeline */
} RtpDatagram;

RtpReceiver *rtp_receiver_new(const RtpReceiverOptions *options);

/* Takes datagrams in order of arrival; gives on what is in order at once, together. Only at the
 * start (of the track, or of another source) packets wait, for reorder_ms or, where they jitter,
 * for two seconds, so that the quickest of them sets the clock. The first valid SSRC is kept until
 * it is quiet for 500 ms and another one sends; what that one sent in the meantime counts then. */
void rtp_receiver_take_batch(RtpReceiver *self, const RtpDatagram *datagrams, size_t n_datagrams);
void rtp_receiver_take(RtpReceiver *self, const uint8_t *bytes, size_t n_bytes, int64_t now_us);

/* Takes what an RTCP packet says that came at `arrival_us`. */
void rtp_receiver_take_report(RtpReceiver *self, const RtcpReport *report, int64_t arrival_us);

/* Gives on what has waited long enough; whatever came by `now_us` must have been taken. Returns:
 * when to call again, on the timeline; INT64_MAX: not before the next packet. */
int64_t rtp_receiver_expire(RtpReceiver *self, int64_t now_us);

/* While paused packets are counted and dropped; what came before is given on first. The pause
 * becomes a gap with `reason`
 * ([a-z-]+; NULL resumes) and nothing of its time is given on, even if it comes later. */
void rtp_receiver_pause(RtpReceiver *self, const char *reason, int64_t now_us);

/* Gives on everything left and reports the hole up to `until_us`. */
void rtp_receiver_finish(RtpReceiver *self, int64_t until_us);

void rtp_receiver_status(const RtpReceiver *self, RtpReceiverStatus *status);
void rtp_receiver_free(RtpReceiver *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RtpReceiver, rtp_receiver_free)
