#pragma once

#include "agent/media/segment.h"
#include "agent/recorder/sealer_track.h"
#include "storage/spool.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* The one thread that seals segments and makes them durable: takes what the ingress hands over,
 * seals each for its track's recipient, appends it to the spool, and flushes once for all that
 * waited, at most ten times a second however many tracks there are. Only after that flush is a
 * segment acknowledged. Plaintext ends here. */
typedef struct Sealer Sealer;

typedef struct {
    Spool *spool;         /* borrowed until sealer_free() */
    uint64_t queue_bytes; /* of plaintext that may wait beyond one segment of each track; what comes
                             past it is lost as a gap `overload`; 0: 256 MiB */
    /* All on the sealer's thread; must not block. */
    void (*on_acknowledged)(void *user_data);                        /* after a flush */
    void (*on_session_closed)(const char *session, void *user_data); /* all of it is durable */
    void (*on_trouble)(const char *session, const GError *error,
                       void *user_data); /* session may be NULL */
    void *user_data;
} SealerOptions;

Sealer *sealer_new(const SealerOptions *options);

/* Messages in the track's order, from the ingress thread. `segment` is taken, whatever comes of it.
 */
void sealer_take_segment(Sealer *self, SealerTrack *track, Segment *segment);
void sealer_take_gap(Sealer *self, SealerTrack *track, const LedgerGap *gap);
void sealer_take_clock(Sealer *self, SealerTrack *track, const LedgerClock *clock);
void sealer_take_end(Sealer *self, SealerTrack *track, const LedgerTrackEnd *end);

/* The session stops once `n_tracks` ends were taken. Main thread. */
void sealer_take_stop(Sealer *self, SealerSession *session, unsigned n_tracks);

/* Plaintext that waits. Any thread. */
uint64_t sealer_queued_bytes(Sealer *self);

/* Wakes the thread. Returns: how many messages it has looked for. Any thread. */
uint64_t sealer_ask(void *data);

/* Works off what waits, then ends the thread. NULL is allowed. */
void sealer_free(Sealer *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Sealer, sealer_free)
