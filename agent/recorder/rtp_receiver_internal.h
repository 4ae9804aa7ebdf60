#pragma once

#include "agent/recorder/rtp_red.h"
#include "agent/recorder/rtp_stream.h"

/* What the files of a receiver share; nobody else includes this. */

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
