#include "agent/policy/session_limits.h"

#include <inttypes.h>

G_DEFINE_QUARK(sealtape_session_limit_error, session_limit_error)

/* Of each limit: where its value comes from, who has it, and what it counts. */
static const struct {
    const char *name, *who, *what;
} limits[N_SESSION_LIMITS] = {
    [SESSION_LIMIT_SESSIONS] = {"recorder.max_sessions",             "this recorder", "sessions at once"},
    [SESSION_LIMIT_TRACKS] = {"recorder.max_tracks",               "this recorder", "tracks at once"  },
    [SESSION_LIMIT_SESSION_TRACKS] = {"recorder.max_session_tracks",       "a session",     "tracks at once"  },
    [SESSION_LIMIT_TRACKS_EVER] = {"session_tracks_ever",               "a session",
                                "tracks, ended ones included"                                           },
    [SESSION_LIMIT_PARTICIPANTS] = {"recorder.max_session_participants", "a session",
                                "participants"                                                          },
    [SESSION_LIMIT_MIB] = {"recorder.max_session_mib",          "a session",     "MiB of media"    },
    [SESSION_LIMIT_SECONDS] = {"recorder.max_session_s",            "a session",     "seconds"         },
};

const char *
session_limits_name(SessionLimit limit)
{
    return limits[limit].name;
}

bool
session_limits_allow(const SessionLimits *self, SessionLimit limit, uint64_t n_now, uint64_t n_more,
                     GError **error)
{
    const uint64_t most = self->most[limit];

    /* None more is always fine, also where a limit was lowered. */
    if (n_more == 0 || (n_now <= most && n_more <= most - n_now))
        return true;
    g_set_error(error, SESSION_LIMIT_ERROR, (int) limit,
                "%s has at most %" PRIu64 " %s (%s), and %" PRIu64 " are there", limits[limit].who,
                most, limits[limit].what, limits[limit].name, n_now);
    return false;
}

const char *
session_limits_end(const SessionLimits *self, int64_t age_us, uint64_t n_bytes)
{
    if (age_us / G_USEC_PER_SEC >= (int64_t) self->most[SESSION_LIMIT_SECONDS])
        return "limit-hours";
    if (n_bytes >> 20 >= self->most[SESSION_LIMIT_MIB])
        return "limit-bytes";
    return NULL;
}
