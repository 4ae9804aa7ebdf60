#pragma once

#include "agent/media/segment.h"
#include "agent/recorder/sealer_session.h"
#include "storage/sealed_segment.h"
#include "storage/session_ledger.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* What sealing needs to know of a track. Made and freed in the main thread;
 * from the first message to the sealer until the session is closed they are the sealer thread's,
 * but for what says otherwise. */
typedef struct SealerTrack SealerTrack;

typedef struct {
    int64_t
        acknowledged_us; /* end of the last acknowledged segment on the timeline; 0 before any */
    uint64_t n_segments; /* acknowledged */
    uint64_t n_lost;     /* segments lost to overload or a failing disk */
} SealerTrackStatus;

/* `recipient`: age1... `object_ms`: consecutive segments up to this long travel as one object.
 * Errors: CRYPTO_ERROR_MALFORMED. */
SealerTrack *sealer_track_new(SealerSession *session, const char *track, const char *recipient,
                              uint32_t object_ms, GError **error) G_GNUC_WARN_UNUSED_RESULT;
const char *sealer_track_id(const SealerTrack *self);
SealerSession *sealer_track_session(const SealerTrack *self);

/* Seals `segment` for its place and decides which object it travels in. `segment` stays the
 * caller's, who frees it. Errors: any of age_file_seal(). */
SealedSegment *sealer_track_seal(SealerTrack *self, const Segment *segment,
                                 GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* A segment of `part` was lost: what follows in that part can not be kept in order and is lost as
 * well, so the ingress is asked for a new part. */
void sealer_track_lose(SealerTrack *self, uint32_t part);
bool sealer_track_has_lost(const SealerTrack *self, uint32_t part);

/* Whether the ingress has to begin a new part; asking clears it. Any thread. */
bool sealer_track_take_restart(SealerTrack *self);

/* `end_us` is durable. */
void sealer_track_acknowledge(SealerTrack *self, int64_t end_us);

/* Any thread. */
void sealer_track_status(SealerTrack *self, SealerTrackStatus *status);
void sealer_track_free(SealerTrack *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SealerTrack, sealer_track_free)
