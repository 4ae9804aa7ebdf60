#include "tests/fakes/drifting_visit.h"

#define MS     G_GINT64_CONSTANT(1000)
#define SECOND G_GINT64_CONSTANT(1000000)

static bool
is_within(int64_t made_us, int from_s, int until_s)
{
    return made_us >= from_s * SECOND && made_us < until_s * SECOND;
}

void
drifting_stream_init(DriftingStream *self, const DriftingVisit *visit, unsigned i)
{
    const bool has_sound = i % 2 == 0;
    const bool is_fast = i == 0 || i == 3;

    *self = (DriftingStream){
        .ssrc = 0x1000 + i,
        .rate = has_sound ? 48000 : 90000,
        .first_timestamp = UINT32_MAX - 1000000 * i, /* it wraps */
        .first_sequence = (uint16_t) (60000 + i),
        .period_us = has_sound ? 20 * MS : 40 * MS,
        .ppm = is_fast ? visit->drift_ppm : -visit->drift_ppm,
        .late_us = has_sound ? 0 : visit->picture_late_us,
        .n_frames = 1,
    };
}

/* With DTX there are the first 120 ms of each second, which may be loud, and then a packet of
 * comfort noise now and then. */
static bool
is_left_out_by_dtx(int64_t made_us)
{
    return made_us % SECOND >= 120 * MS && made_us / (20 * MS) % 20 != 0;
}

bool
drifting_visit_is_silent(const DriftingVisit *self, unsigned i, int64_t made_us)
{
    if (!self->has_gaps)
        return false;
    if (i == 0)
        return is_within(made_us, 600, 900) ||
               (is_within(made_us, 1200, 1500) && is_left_out_by_dtx(made_us));
    return i == 3 && is_within(made_us, 1000, 1300);
}

bool
drifting_visit_is_lost(const DriftingVisit *self, int64_t made_us)
{
    return self->has_gaps && is_within(made_us, 2000, 2010);
}

static int64_t
arrival_us(const DriftingVisit *visit, int64_t sent_us, GRand *rand)
{
    const int64_t jitter_us = g_rand_int_range(rand, 0, visit->jitter_us);
    const int64_t stall_us = (sent_us - 2500 * SECOND) / 1000;

    if (visit->has_gaps && is_within(sent_us, 2500, 2510))
        return 2510 * SECOND + stall_us;
    return sent_us + jitter_us;
}

static void
invent_media(const DriftingStream *self, const DriftingVisit *visit, unsigned i, GRand *rand,
             GArray *flights)
{
    const int64_t end_us = visit->seconds * SECOND;
    DriftingFlight flight = {
        .made_us = DRIFTING_START_US, .stream = i, .sequence = self->first_sequence};

    for (; flight.made_us < end_us; flight.made_us += self->period_us) {
        const bool is_lost = drifting_visit_is_lost(visit, flight.made_us) ||
                             g_rand_int_range(rand, 0, 1000) < visit->lost_of_1000;

        flight.frame =
            (unsigned) ((flight.made_us - DRIFTING_START_US) / self->period_us) % self->n_frames;
        if (drifting_visit_is_silent(visit, i, flight.made_us))
            continue;
        flight.arrival_us = arrival_us(visit, flight.made_us + self->late_us, rand);
        if (!is_lost)
            g_array_append_val(flights, flight);
        flight.sequence =
            (uint16_t) (flight.sequence +
                        (self->n_packets != NULL ? self->n_packets[flight.frame] : 1));
    }
}

void
drifting_stream_invent(const DriftingStream *self, const DriftingVisit *visit, unsigned i,
                       GArray *flights)
{
    GRand *rand = g_rand_new_with_seed(7 + i);

    invent_media(self, visit, i, rand, flights);
    for (int second = 1; visit->report_s > 0 && second < visit->seconds;
         second += visit->report_s) {
        const DriftingFlight flight = {
            .made_us = second * SECOND,
            .arrival_us = arrival_us(visit, second * SECOND, rand),
            .stream = i,
            .is_report = true,
        };

        if (!drifting_visit_is_lost(visit, flight.made_us))
            g_array_append_val(flights, flight);
    }
    g_rand_free(rand);
}

static int
compare_flights(gconstpointer a, gconstpointer b)
{
    const DriftingFlight *left = a, *right = b;

    if (left->arrival_us != right->arrival_us)
        return left->arrival_us < right->arrival_us ? -1 : 1;
    return left->made_us < right->made_us ? -1 : left->made_us > right->made_us;
}

void
drifting_visit_sort(GArray *flights)
{
    g_array_sort(flights, compare_flights);
}

uint32_t
drifting_stream_timestamp(const DriftingStream *self, int64_t made_us)
{
    const double seconds = (double) made_us / 1e6 * (1 + self->ppm / 1e6);

    return self->first_timestamp + (uint32_t) (seconds * self->rate);
}

int64_t
drifting_stream_made_us(const DriftingStream *self, uint32_t timestamp)
{
    const double seconds = (double) (timestamp - self->first_timestamp) / self->rate;

    return (int64_t) (seconds * 1e6 / (1 + self->ppm / 1e6));
}

RtcpReport
drifting_stream_report(const DriftingStream *self, const DriftingVisit *visit, int64_t made_us)
{
    /* A participant's own time drifts too, but half as much. */
    const int ppm = (self->ssrc < 0x1002 ? visit->drift_ppm : -visit->drift_ppm) / 2;
    const int64_t now_us = 40000 * SECOND + made_us + made_us * ppm / 1000000;

    return (RtcpReport){
        .ssrc = self->ssrc,
        .ntp_time =
            ((uint64_t) (now_us / SECOND) << 32) + ((uint64_t) (now_us % SECOND) << 32) / SECOND,
        .rtp_timestamp = drifting_stream_timestamp(self, made_us),
        .has_sender_report = true,
    };
}
