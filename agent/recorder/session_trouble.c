#include "agent/recorder/session_internal.h"
#include "agent/recorder/session_tracks.h"

/* What is wrong with the packets of a track, told once when it begins and once when it is over. */

static bool
look_at_rate(const Session *self, SessionTrack *track, const RtpReceiverStatus *status)
{
    const bool was_limited = track->is_limited;

    track->is_limited = status->n_limited > track->n_limited;
    track->n_limited = status->n_limited;
    if (track->is_limited && !was_limited) {
        g_warning("session %s: track %s: more than recorder.max_track_kbps (%u) or "
                  "recorder.max_session_kbps (%u); what is too much is dropped",
                  self->id, track->request->id, self->services.settings->max_track_kbps,
                  self->services.settings->max_session_kbps);
    }
    return track->is_limited != was_limited;
}

static bool
look_at_types(const Session *self, SessionTrack *track, const RtpReceiverStatus *status)
{
    if (!status->has_undeclared_type || track->has_told_type)
        return false;
    track->has_told_type = true;
    g_warning("session %s: track %s: its source sends payload type %u, which the track does not "
              "declare (its own is %u); such packets are not recorded",
              self->id, track->request->id, status->undeclared_type,
              track->request->format.payload_type);
    return true;
}

void
session_look_for_trouble(Session *self)
{
    bool has_changed = false;

    for (guint i = 0; i < self->tracks->len; i++) {
        SessionTrack *track = g_ptr_array_index(self->tracks, i);
        TrackStatus status = {0};

        if (track->track == NULL || track->is_ended)
            continue;
        track_status(track->track, &status);
        has_changed = look_at_rate(self, track, &status.receiver) || has_changed;
        has_changed = look_at_types(self, track, &status.receiver) || has_changed;
    }
    if (has_changed)
        session_tell(self);
}
