#pragma once

#include "agent/recorder/delay_floor.h"

#include <stdbool.h>
#include <stdint.h>

/* Maps a stream's RTP timestamps to the session's timeline. The stream's media time, (timestamp -
 * first) / rate after the first packet's arrival, runs as fast as its source's clock; a packet's
 * place is its media time plus a shift that follows what the two clocks drift apart. The shift aims
 * at the delay floor of the arrivals or, if one is told, at what sender reports say. It moves by a
 * small share of the media that passes, so that places never go back where timestamps do not. A
 * plain value, embedded in its receiver. */
typedef struct {
    int64_t now_us, goal_us;
} RtpClockShift;

typedef struct {
    uint32_t rate; /* Hz */
    uint32_t first_timestamp;
    int64_t anchor_us;   /* where media time begins */
    int64_t newest_us;   /* media time of the newest packet */
    RtpClockShift pace;  /* from media time to arrival, without jitter */
    RtpClockShift shift; /* from media time to the timeline */
    DelayFloor floor;
} RtpClock;

/* Lag past which a stream does not follow its own clock any more. */
enum { RTP_CLOCK_MAX_LAG_US = 500000 };

void rtp_clock_init(RtpClock *self, uint32_t rate);

/* Anchors at a first packet that came at `arrival_us`. */
void rtp_clock_anchor(RtpClock *self, uint32_t timestamp, int64_t arrival_us);

/* Another of the first packets: moves all to earlier if this one was quicker. */
void rtp_clock_improve(RtpClock *self, uint32_t timestamp, int64_t arrival_us);

/* Makes `timestamp` fall on `earliest_us` at the earliest; made up for later. */
void rtp_clock_not_before(RtpClock *self, uint32_t timestamp, int64_t earliest_us);

/* Returns: the media time of `timestamp`. Of all wraps it means the one nearest to `arrival_us`, so
 * a silence of any length is fine. */
int64_t rtp_clock_media_us(const RtpClock *self, uint32_t timestamp, int64_t arrival_us);

/* Returns: where `timestamp` lies on the timeline. */
int64_t rtp_clock_time_us(const RtpClock *self, uint32_t timestamp, int64_t arrival_us);

/* Returns: how much later than by its timestamp the packet came; below zero: too early. Zero is the
 * pace of the quickest packets. */
int64_t rtp_clock_lag_us(const RtpClock *self, uint32_t timestamp, int64_t arrival_us);

/* Learns from a packet in step, before its place is asked for. `reported_us`: the shift by sender
 * reports; NULL: there is none. */
void rtp_clock_observe(RtpClock *self, uint32_t timestamp, int64_t arrival_us,
                       const int64_t *reported_us);
