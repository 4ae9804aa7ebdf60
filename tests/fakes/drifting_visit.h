#pragma once

#include "agent/recorder/rtcp.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* An hour's visit of two people in virtual time: whose clocks drift apart, over a network that
 * delays, loses and stalls, with mutes. What arrives when is computed before; the test has it
 * recorded. */
enum { DRIFTING_STREAMS = 4, DRIFTING_START_US = 1000000 };

typedef struct {
    const char *name;
    int seconds;
    int drift_ppm;       /* p1's sound and p2's picture run so much too fast, the others too slow */
    int jitter_us;       /* of every packet, of each stream by itself */
    int report_s;        /* sender reports are so far apart; 0: there are none */
    int picture_late_us; /* pictures leave so long after they were taken; only reports tell */
    int lost_of_1000;    /* frames, by chance */
    bool has_gaps;       /* those of drifting_visit_is_silent() and drifting_visit_is_lost() */
} DriftingVisit;

/* One of p1's sound and picture, p2's sound and picture. */
typedef struct {
    uint32_t ssrc, rate, first_timestamp;
    uint16_t first_sequence;
    int64_t period_us; /* of frames */
    int ppm;
    int64_t late_us;
    const unsigned *n_packets; /* of each of `n_frames`, which are sent again and again */
    unsigned n_frames;
} DriftingStream;

/* A frame, or a sender report. */
typedef struct {
    int64_t arrival_us, made_us;
    unsigned stream;
    unsigned frame; /* of the stream's n_frames */
    uint16_t sequence;
    bool is_report;
} DriftingFlight;

/* Sets what follows from the visit; the rest is the caller's. */
void drifting_stream_init(DriftingStream *self, const DriftingVisit *visit, unsigned i);

/* Appends all that arrives of stream `i` to `flights`, to be sorted then. */
void drifting_stream_invent(const DriftingStream *self, const DriftingVisit *visit, unsigned i,
                            GArray *flights);
void drifting_visit_sort(GArray *flights);

/* By the stream's clock, and back. */
uint32_t drifting_stream_timestamp(const DriftingStream *self, int64_t made_us);
int64_t drifting_stream_made_us(const DriftingStream *self, uint32_t timestamp);

/* Nothing is sent: p1 is muted from 600 to 900 s, sends as with DTX from 1200 to 1500 s; p2's
 * camera is off from 1000 to 1300 s. */
bool drifting_visit_is_silent(const DriftingVisit *self, unsigned i, int64_t made_us);

/* Nothing arrives: from 2000 to 2010 s. From 2500 to 2510 s all arrives at the end. */
bool drifting_visit_is_lost(const DriftingVisit *self, int64_t made_us);

/* What the stream's sender reports at `made_us`, by its participant's own clock. */
RtcpReport drifting_stream_report(const DriftingStream *self, const DriftingVisit *visit,
                                  int64_t made_us);
