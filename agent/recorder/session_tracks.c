#include "agent/recorder/session_tracks.h"

#include "agent/recorder/session_internal.h"

#include <string.h>

static SessionTrack *
find_track(const Session *self, const char *id)
{
    for (guint i = 0; i < self->tracks->len; i++) {
        SessionTrack *track = g_ptr_array_index(self->tracks, i);

        if (strcmp(track->request->id, id) == 0)
            return track;
    }
    return NULL;
}

bool
session_has_participant(const Session *self, const char *id)
{
    return participants_contain(self->participants, id);
}

bool
session_has_track(const Session *self, const char *id)
{
    return find_track(self, id) != NULL;
}

uint16_t
session_track_port(const Session *self, const char *id)
{
    const SessionTrack *track = find_track(self, id);

    if (track == NULL || track->track == NULL || track->is_ended || !session_is_open(self) ||
        session_hold(self, track) != NULL)
        return 0;
    return track_port(track->track);
}

static void
unref_clocks(gpointer clocks)
{
    sender_clocks_unref(clocks);
}

SenderClocks *
session_sender_clocks(Session *self, const char *participant)
{
    if (self->sender_clocks == NULL)
        self->sender_clocks = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, unref_clocks);
    SenderClocks *clocks = g_hash_table_lookup(self->sender_clocks, participant);
    if (clocks != NULL)
        return clocks;
    clocks = sender_clocks_new();
    (void) g_hash_table_insert(self->sender_clocks, g_strdup(participant), clocks); /* it is new */
    return clocks;
}

static void
finish(Session *self, const SessionTrack *track)
{
    if (track->track == NULL)
        return;
    track_finish(track->track, session_now_us(self));
    (*self->services.n_tracks)--;
}

void
session_finish_ended(Session *self, GPtrArray *tracks)
{
    for (guint i = 0; i < tracks->len; i++) {
        const SessionTrack *track = g_ptr_array_index(tracks, i);

        if (track->is_ended)
            finish(self, track);
    }
}

void
session_end_track(Session *self, const char *id)
{
    SessionTrack *track = find_track(self, id);

    if (track == NULL || track->is_ended || !session_is_open(self))
        return;
    track->is_ended = true;
    srtp_key_wipe(track->request->srtp);
    finish(self, track);
    g_message("session %s: track %s ended", self->id, id);
    session_tell(self);
}
