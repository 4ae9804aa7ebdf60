#pragma once

#include "agent/recorder/rtp_red.h"
#include "agent/recorder/rtp_stream.h"

/* What the files of a receiver share; nobody else includes this. */

enum {
    /* How far a packet's place on the timeline may lie before the last one's. */
    RTP_RECEIVER_MAX_BACK_US = 10 * G_USEC_PER_SEC,
};

struct RtpReceiver {
    RtpReceiverOptions options;
    RtpReceiverStatus status;
    RtpStream stream;
    RtpProbation *probation;
    bool is_odd; /* since odd_since_us no packet fitted */
    int64_t odd_since_us;
    RtpRedMemory red; /* of red_ssrc */
    uint32_t red_ssrc;
};

/* rtp_intake.c: what comes off the network, by its payload type. */
void rtp_receiver_take_datagram(RtpReceiver *self, const RtpDatagram *datagram);

/* A packet with the track's own payload type, as it came or unpacked. */
void rtp_receiver_take_media(RtpReceiver *self, const RtpArrival *arrival);

/* rtp_settle.c: what does not fit the stream. */

/* A packet that does not fit, of the kept source or another: it waits until enough others agree
 * with it, or is dropped. */
void rtp_receiver_doubt(RtpReceiver *self, const RtpArrival *arrival);

/* The stream goes on as it was: of what waits all that is merely late belongs to it. */
void rtp_receiver_resume(RtpReceiver *self);

/* Returns: when rtp_receiver_settle() may decide without another packet. */
int64_t rtp_receiver_settle_due_us(const RtpReceiver *self);

/* Decides about what waits, if it can be decided at `now_us`. */
void rtp_receiver_settle(RtpReceiver *self, int64_t now_us);

/* Decides about it in any case: nothing more will come. */
void rtp_receiver_settle_all(RtpReceiver *self, int64_t now_us);

/* Drops it. */
void rtp_receiver_drop_probation(RtpReceiver *self);
