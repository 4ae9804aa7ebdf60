#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Maps a stream's RTP timestamps to the session's timeline: anchor + (timestamp - first) / rate,
 * with the anchor set when the stream begins, from the quickest of its first packets. After that it
 * follows arrivals only to take out what the two clocks drift apart (some seconds per day), a
 * millisecond per second at most; jitter never moves it. A plain value, embedded in its receiver.
 */
typedef struct {
    uint32_t rate; /* Hz */
    uint32_t first_timestamp;
    int64_t anchor_us; /* where first_timestamp lies */
    int64_t offset_us; /* how much later than by arrival the anchor had to be set */
    int64_t window_start_us;
    int64_t quickest_us; /* smallest lag of the present window */
} RtpClock;

/* Lag past which a stream does not follow its own clock any more. */
enum { RTP_CLOCK_MAX_LAG_US = 500000 };

void rtp_clock_init(RtpClock *self, uint32_t rate);

/* Anchors at a first packet that came at `arrival_us`. */
void rtp_clock_anchor(RtpClock *self, uint32_t timestamp, int64_t arrival_us);

/* Another of the first packets: moves the anchor earlier if this one was quicker. */
void rtp_clock_improve(RtpClock *self, uint32_t timestamp, int64_t arrival_us);

/* Makes `timestamp` fall on `earliest_us` at the earliest. */
void rtp_clock_not_before(RtpClock *self, uint32_t timestamp, int64_t earliest_us);

/* Returns: where `timestamp` lies. Of all wraps it means the one nearest to `arrival_us`, so a
 * silence of any length is fine. */
int64_t rtp_clock_time_us(const RtpClock *self, uint32_t timestamp, int64_t arrival_us);

/* Returns: how much later than by its timestamp the packet came; below zero: too early. Zero is the
 * pace of the first packets. */
int64_t rtp_clock_lag_us(const RtpClock *self, uint32_t timestamp, int64_t arrival_us);

/* Learns from a packet in step. */
void rtp_clock_observe(RtpClock *self, uint32_t timestamp, int64_t arrival_us);
