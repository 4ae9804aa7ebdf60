#include "agent/recorder/delay_floor.h"

#include <glib.h>
#include <string.h>

enum {
    WINDOW_US = 5 * G_USEC_PER_SEC,
    /* A window with less than ENOUGH packets stays open for longer: a muted speaker sends two or
     * three a second. */
    MAX_WINDOW_US = 20 * G_USEC_PER_SEC,
    ENOUGH = 50,
    /* What clocks of two machines differ by, at most; and clocks that are not broken. */
    MAX_DRIFT_PPM = 2000,
    USUAL_DRIFT_PPM = 150,
    /* So far past the last point the line is trusted, the more the longer it is; further only as
     * usual clocks drift, if it is of LONG_US at least, and not for more than MAX_GUESS_US in all.
     */
    NEAR_US = 20 * G_USEC_PER_SEC,
    LONG_US = 60 * G_USEC_PER_SEC,
    MAX_GUESS_US = 200000,
};

static void
open_window(DelayFloor *self, int64_t at_us)
{
    self->window_start_us = at_us;
    self->n_samples = 0;
    self->quickest = self->second = (DelayPoint){at_us, INT64_MAX};
}

void
delay_floor_init(DelayFloor *self, int64_t at_us, int64_t delay_us)
{
    self->points[0] = self->last = (DelayPoint){at_us, delay_us};
    self->n_points = 1;
    self->slope = 0;
    open_window(self, at_us);
}

/* Returns: the rate of change from `from` to `to`. */
static double
slope_between(const DelayPoint *from, const DelayPoint *to)
{
    return (double) (to->delay_us - from->delay_us) / (double) (to->at_us - from->at_us);
}

/* Writes the corners of the lower convex hull. Returns: how many. */
static unsigned
find_hull(const DelayFloor *self, const DelayPoint *hull[DELAY_FLOOR_POINTS])
{
    unsigned n_corners = 0;

    for (unsigned i = 0; i < self->n_points; i++) {
        const DelayPoint *point = &self->points[i];

        while (n_corners >= 2 && slope_between(hull[n_corners - 2], hull[n_corners - 1]) >=
                                     slope_between(hull[n_corners - 2], point))
            n_corners--;
        hull[n_corners++] = point;
    }
    return n_corners;
}

static int64_t
mean_time_us(const DelayFloor *self)
{
    int64_t sum_us = 0;

    g_assert(self->n_points > 0);
    for (unsigned i = 0; i < self->n_points; i++)
        sum_us += self->points[i].at_us - self->points[0].at_us;
    return self->points[0].at_us + sum_us / self->n_points;
}

static int64_t
lowest_us(const DelayFloor *self)
{
    int64_t lowest_us = self->points[0].delay_us;

    for (unsigned i = 1; i < self->n_points; i++)
        lowest_us = MIN(lowest_us, self->points[i].delay_us);
    return lowest_us;
}

/* Of all lines below the points the one that is nearest to them prolongs the side of the hull at
 * their mean time. Where a way became quicker at once it would fall far below, hence lowest_us().
 */
static void
fit_line(DelayFloor *self)
{
    const DelayPoint *hull[DELAY_FLOOR_POINTS];
    const unsigned n_corners = find_hull(self, hull);
    const int64_t mean_us = mean_time_us(self);
    const int64_t end_us = self->points[self->n_points - 1].at_us;
    unsigned right = 1;

    g_assert(n_corners >= 2); /* both ends */
    while (right + 1 < n_corners && hull[right]->at_us < mean_us)
        right++;
    const double slope = slope_between(hull[right - 1], hull[right]);
    self->slope = CLAMP(slope, -MAX_DRIFT_PPM / 1e6, MAX_DRIFT_PPM / 1e6);
    const int64_t line_us =
        hull[right]->delay_us + (int64_t) (self->slope * (double) (end_us - hull[right]->at_us));
    self->last = (DelayPoint){end_us, MAX(line_us, lowest_us(self))};
}

static void
close_window(DelayFloor *self, int64_t at_us)
{
    DelayPoint point = self->n_samples > 1 ? self->second : self->quickest;

    /* Times of points grow, so that no slope is infinite. */
    point.at_us = MAX(point.at_us, self->points[self->n_points - 1].at_us + 1);
    if (self->n_points == DELAY_FLOOR_POINTS) {
        self->n_points--;
        memmove(self->points, self->points + 1, self->n_points * sizeof(self->points[0]));
    }
    self->points[self->n_points++] = point;
    fit_line(self);
    open_window(self, at_us);
}

void
delay_floor_add(DelayFloor *self, int64_t at_us, int64_t delay_us)
{
    const int64_t open_us = at_us - self->window_start_us;
    const DelayPoint point = {at_us, delay_us};

    if (self->n_samples > 0 &&
        (open_us >= MAX_WINDOW_US || (open_us >= WINDOW_US && self->n_samples >= ENOUGH)))
        close_window(self, at_us);
    if (self->n_samples == 0)
        self->window_start_us = at_us;
    self->n_samples++;
    if (delay_us < self->quickest.delay_us) {
        self->second = self->quickest;
        self->quickest = point;
    } else if (delay_us < self->second.delay_us) {
        self->second = point;
    }
}

int64_t
delay_floor_at(const DelayFloor *self, int64_t at_us)
{
    const int64_t ahead_us = MAX(at_us - self->last.at_us, 0);
    const int64_t near_us = MIN(ahead_us, NEAR_US);
    const int64_t span_us = self->last.at_us - self->points[0].at_us;
    const double trust = (double) span_us / (double) (span_us + NEAR_US);
    const double usual = CLAMP(self->slope, -USUAL_DRIFT_PPM / 1e6, USUAL_DRIFT_PPM / 1e6);
    const double guess_us = trust * self->slope * (double) near_us +
                            (span_us >= LONG_US ? usual * (double) (ahead_us - near_us) : 0);
    const int64_t floor_us =
        self->last.delay_us + (int64_t) CLAMP(guess_us, -MAX_GUESS_US, MAX_GUESS_US);

    const bool is_open = self->n_samples > 1 && at_us - self->window_start_us < MAX_WINDOW_US;

    return is_open ? MIN(floor_us, self->second.delay_us) : floor_us;
}
