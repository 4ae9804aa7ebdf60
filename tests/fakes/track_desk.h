#pragma once

#include "agent/recorder/track.h"
#include "tests/fakes/rtp_source.h"

#include <glib.h>
#include <stdbool.h>

/* What stands before and behind a Track, in its test's place: the linker puts these for the
 * ingress's and the sealer's functions, and they write down what the track says to them. One thread
 * does all. */
typedef struct {
    IngressTrackOptions options; /* of the track that was opened */
    RtpReceiverStatus status;    /* what the ingress says of it */
    bool is_full;                /* no port is free */
    bool sends_early;            /* something comes before the port is known to the track */
    bool is_open;                /* it was opened and not told to finish */
    SealerTrack *sealer_track;   /* that the last thing was handed over for */
    LedgerTrackEnd end;
    GString *told; /* `segment PART/INDEX START+DURATION`, `gap START+DURATION REASON`, `clock
                      PART@START=RTP`, `end UNTIL`, `pause REASON`, `resume`, `finish UNTIL`,
                      `keyframe`, each with `;` behind, with the track's id where one is said */
} TrackDesk;

/* A fresh one; the functions below and those of the linker work on it. */
TrackDesk *track_desk_start(void);
void track_desk_stop(void);

/* Gives packets [from, until) of `source` to the track in one go, as its receiver does; their
 * times moved by `offset_us`. `loss_at`: the packet that follows a loss; -1: none. */
void track_desk_push(const RtpSource *source, unsigned from, unsigned until, int64_t offset_us,
                     int loss_at);

/* Returns: what was told since the last time, owned. */
char *track_desk_take(void);
