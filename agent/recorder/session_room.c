#include "agent/recorder/session_internal.h"
#include "agent/recorder/session_table.h"

/* What a session may still take in, by the limits of the configuration. */

static unsigned
count_open_tracks(const Session *self)
{
    unsigned n = 0;

    for (guint i = 0; i < self->tracks->len; i++)
        n += ((const SessionTrack *) g_ptr_array_index(self->tracks, i))->is_ended ? 0 : 1;
    return n;
}

bool
session_may_open_tracks(const Session *self, unsigned n_tracks, GError **error)
{
    return session_limits_allow(&self->services.limits, SESSION_LIMIT_TRACKS,
                                *self->services.n_tracks, n_tracks, error);
}

bool
session_may_begin(const Session *self, unsigned n_permitted, GError **error)
{
    const SessionLimits *limits = &self->services.limits;

    return session_limits_allow(limits, SESSION_LIMIT_SESSIONS,
                                session_table_count_open(self->services.sessions), 1, error) &&
           session_limits_allow(limits, SESSION_LIMIT_PARTICIPANTS, 0,
                                participants_count(self->participants), error) &&
           session_limits_allow(limits, SESSION_LIMIT_SESSION_TRACKS, 0, self->tracks->len,
                                error) &&
           session_may_open_tracks(self, n_permitted, error);
}

bool
session_may_add_track(const Session *self, GError **error)
{
    const SessionLimits *limits = &self->services.limits;

    return session_limits_allow(limits, SESSION_LIMIT_SESSION_TRACKS, count_open_tracks(self), 1,
                                error) &&
           session_limits_allow(limits, SESSION_LIMIT_TRACKS_EVER, self->tracks->len, 1, error) &&
           session_may_open_tracks(self, 1, error);
}

bool
session_may_add_participant(const Session *self, GError **error)
{
    return session_limits_allow(&self->services.limits, SESSION_LIMIT_PARTICIPANTS,
                                participants_count(self->participants), 1, error);
}

json_t *
session_refusal_to_json(const Session *self, const GError *error, const char *reason)
{
    if (g_error_matches(error, RECORDER_ERROR, RECORDER_ERROR_REFUSED))
        return json_pack("{s:s}", "reason", reason);
    /* What a program may go by, where the state of the recorder is in the way. */
    if (g_error_matches(error, RECORDER_ERROR, RECORDER_ERROR_FULL))
        return json_pack("{s:s}", "reason", "disk-full");
    if (g_error_matches(error, RECORDER_ERROR, RECORDER_ERROR_STORE))
        return json_pack("{s:s}", "reason", "disk-failed");
    if (g_error_matches(error, RECORDER_ERROR, RECORDER_ERROR_AUDIT))
        return json_pack("{s:s}", "reason", "audit-unavailable");
    if (g_error_matches(error, RECORDER_ERROR, RECORDER_ERROR_CAPACITY))
        return json_pack("{s:s}", "reason", "capacity");
    if (error->domain != SESSION_LIMIT_ERROR)
        return NULL;
    return json_pack("{s:s, s:s, s:I}", "reason", "limit", "limit",
                     session_limits_name((SessionLimit) error->code), "value",
                     (json_int_t) self->services.limits.most[error->code]);
}
