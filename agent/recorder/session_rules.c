#include "agent/recorder/session_rules.h"

#include "agent/recorder/session_internal.h"
#include "agent/recorder/session_withdrawal.h"

/* What a session keeps of a track that ended is little, but for ever. */
#define MAX_TRACKS_EVER 2000

SessionLimits
session_limits_of(const Settings *settings)
{
    return (SessionLimits){
        .most =
            {
                   [SESSION_LIMIT_SESSIONS] = settings->max_sessions,
                   [SESSION_LIMIT_TRACKS] = settings->max_tracks,
                   [SESSION_LIMIT_SESSION_TRACKS] = settings->max_session_tracks,
                   [SESSION_LIMIT_TRACKS_EVER] = MAX_TRACKS_EVER,
                   [SESSION_LIMIT_PARTICIPANTS] = settings->max_session_participants,
                   [SESSION_LIMIT_MIB] = settings->max_session_mib,
                   [SESSION_LIMIT_SECONDS] = settings->max_session_s,
                   },
    };
}

void
session_take_rules(Session *self)
{
    const OrgSettings *org = org_book_find(self->services.orgs, self->org);
    g_autoptr(GError) error = NULL;

    if (!session_is_open(self))
        return;
    self->is_org_gone = org == NULL;
    if (org != NULL)
        self->settings = org;
    session_decide(self);
    session_hold_tracks(self);
    if (!session_append_policy(self, NULL, &error)) {
        g_warning("session %s: the new decision is not in the manifest: %s", self->id,
                  error->message);
    }
}
