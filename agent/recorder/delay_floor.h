#pragma once

#include <stdbool.h>
#include <stdint.h>

/* What the delay of a stream's packets would be without jitter. A delay is arrival minus what
 * another clock says, so it changes by a constant rate where the two drift apart; queues on the way
 * only ever add to it. So it is a straight line close below the quickest packets of the last two
 * minutes (Moon, Skelly, Towsley: "Estimation and removal of clock skew from network delay
 * measurements", 1999): bursts, outages and queues that last for less than a minute do not bend it.
 * A plain value. */

enum { DELAY_FLOOR_POINTS = 24 };

typedef struct {
    int64_t at_us, delay_us;
} DelayPoint;

typedef struct {
    /* One for each window, in order of time: its quickest packet but one, for one alone may lie. */
    DelayPoint points[DELAY_FLOOR_POINTS];
    unsigned n_points;
    DelayPoint last; /* of the line, at the last point's time */
    double slope;    /* of the line, in microseconds for each */
    int64_t window_start_us;
    DelayPoint quickest, second; /* of the present window */
    unsigned n_samples;
} DelayFloor;

/* Begins anew with what is known already. */
void delay_floor_init(DelayFloor *self, int64_t at_us, int64_t delay_us);

/* Learns from a packet that came at `at_us`, not before the one before; of those with one timestamp
 * the first. */
void delay_floor_add(DelayFloor *self, int64_t at_us, int64_t delay_us);

/* Returns: the smallest delay to expect at `at_us`, not before the last packet. */
int64_t delay_floor_at(const DelayFloor *self, int64_t at_us);
