#pragma once

#include "agent/media/media_track.h"
#include "agent/recorder/ingress.h"
#include "agent/recorder/sealer.h"
#include "agent/recorder/srtp_key.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* One track being recorded: joins its receiver (ingress thread), its media (same thread) and its
 * sealing. Made, paused, finished and freed in the main thread; freed only after its session is
 * closed. */
typedef struct Track Track;

typedef struct {
    const char *id;
    const char *recipient; /* age1... */
    MediaFormat format;
    RtpRoles roles;              /* of payload types beside the format's */
    unsigned feedback;           /* RtcpFeedback that its source understands */
    const SrtpKey *srtp;         /* NULL: plain RTP; not needed once the track is made */
    SenderClocks *sender_clocks; /* of its participant; referenced */
    int64_t zero_monotonic_us;   /* of the session's timeline */
    int64_t from_us;
    uint32_t segment_ms, object_ms, reorder_ms;
    uint32_t max_kbps;       /* of this track */
    RateLimit *session_rate; /* of all tracks of the session; a reference is kept */
} TrackOptions;

typedef struct {
    RtpReceiverStatus receiver;
    SealerTrackStatus sealer;
} TrackStatus;

/* Binds ports and begins to receive. `sealer`, `session`: borrowed until track_free().
 * Errors: G_IO_ERROR_NO_SPACE - no port is free; others of media_track_new() and
 * ingress_add_track(). */
Track *track_new(const TrackOptions *options, Ingress *ingress, Sealer *sealer,
                 SealerSession *session, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Gives up a track of a session that never began: nothing of it is sealed. Do not use it
 * afterwards. */
void track_discard(Track *self);

uint16_t track_port(const Track *self); /* RTCP's is the next */
int64_t track_from_us(const Track *self);

/* Stops capture with `reason`, as long as it is not NULL; the stretch becomes a gap
 * `paused-<reason>`. */
void track_pause(Track *self, const char *reason);

/* Ends it at `until_us` of the timeline; its end reaches the sealer after its last segment. */
void track_finish(Track *self, int64_t until_us);

void track_status(Track *self, TrackStatus *status);
void track_free(Track *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Track, track_free)
