/* An hour of a visit whose clocks drift apart, in virtual time: wherever a packet of sound and one of
 * picture were made together, they must lie together on the timeline. */
#include "agent/recorder/rtp_receiver.h"

#include <glib.h>
#include <string.h>

#define MS     G_GINT64_CONSTANT(1000)
#define SECOND G_GINT64_CONSTANT(1000000)

enum { IN_STEP_US = 40000, N_STREAMS = 4, START_US = SECOND };

/* What the network and the people do. Times are seconds. */
typedef struct {
    const char *name;
    int seconds;
    int drift_ppm;   /* p1's clocks run so much too fast, p2's too slow; sound and picture differ */
    int jitter_us;   /* of every packet, of each stream by itself */
    int report_s;    /* sender reports are so far apart; 0: there are none */
    int picture_late_us; /* pictures leave so much after they were taken, which only reports tell */
    bool has_gaps;   /* a mute, DTX, losses and a network that stalls */
} Visit;

static const Visit visits[] = {
    {"calm",           3600, 100,  5000,   0, 0,      true },
    {"jitter",         3600, 100,  300000, 0, 0,      true },
    {"slow",           3600, -100, 300000, 0, 0,      true },
    {"reports",        3600, 100,  5000,   5, 120000, true },
    {"reports-jitter", 3600, 100,  300000, 5, 120000, true },
    {"reports-slow",   3600, -100, 80000,  5, 120000, true },
    {"minute",         60,   1000, 20000,  0, 0,      false},
    {"reports-minute", 60,   1000, 20000,  1, 60000,  false},
};

typedef struct Stage Stage;

typedef struct {
    Stage *stage;
    RtpReceiver *receiver;
    uint32_t ssrc, rate, first_timestamp;
    int64_t period_us;
    int ppm;
    int64_t late_us;
    uint16_t sequence;
    int64_t last_time_us;
    int64_t offset_us; /* of the last packet: its place minus when it was made */
    int64_t offset_at_us;
    unsigned n_packets;
} Stream;

struct Stage {
    const Visit *visit;
    GRand *rand;
    GArray *flights;
    Stream streams[N_STREAMS]; /* p1's sound and picture, p2's */
    int64_t worst_us;          /* of one participant */
    int64_t worst_apart_us;    /* of two */
};

typedef struct {
    int64_t arrival_us, made_us;
    unsigned stream;
    uint16_t sequence;
    bool is_report;
} Flight;
