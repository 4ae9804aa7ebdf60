#pragma once

#include "agent/recorder/rtcp.h"
#include "agent/recorder/rtp_clock.h"
#include "agent/recorder/sender_clocks.h"

#include <stdbool.h>
#include <stdint.h>

/* What a stream's sender reports (RFC 3550 6.4.1) say about its place on the timeline. No single
 * report moves anything: only what two of them agree on is used, and what disagrees later is left
 * out. Embedded in its stream. */
typedef struct {
    int64_t base_us; /* the sender's time minus media time */
    int64_t at_us;
    unsigned n_agreeing; /* 0: there is none */
} RtpSyncBase;

typedef struct {
    SenderClocks *clocks; /* NULL: reports are not used */
    SenderMember *member; /* NULL while reports are not in use */
    RtpSyncBase used;
    RtpSyncBase doubted; /* what disagrees with it, or the first */
    int64_t step_us;     /* by which the sender's clock was set since */
    int64_t skew_us;     /* by which the stream is moved from its own arrivals */
    uint8_t cname[255];
    uint8_t n_cname;
} RtpSync;

/* `clocks`: of the participant; referenced; NULL is allowed. */
void rtp_sync_init(RtpSync *self, SenderClocks *clocks);
void rtp_sync_clear(RtpSync *self);

/* Another stream begins. */
void rtp_sync_restart(RtpSync *self);

/* Takes a report about the stream that came at `arrival_us`. Returns: false - it is nonsense, or
 * not confirmed yet. */
bool rtp_sync_take(RtpSync *self, const RtcpReport *report, const RtpClock *clock,
                   int64_t arrival_us);

/* For a packet in step, before `clock` learns from it.
 * Returns: true - `shift_us` is where reports want the stream. */
bool rtp_sync_shift_us(RtpSync *self, const RtpClock *clock, int64_t arrival_us, int64_t *shift_us);
