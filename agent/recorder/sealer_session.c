#include "agent/recorder/sealer_session.h"

#include <stdbool.h>

struct SealerSession {
    char *org;
    char *id;
    GArray *ends; /* LedgerTrackEnd; ids borrowed */
    bool is_stopped;
    unsigned n_tracks; /* once stopped */
};

SealerSession *
sealer_session_new(const char *org, const char *session)
{
    SealerSession *self = g_new0(SealerSession, 1);

    self->org = g_strdup(org);
    self->id = g_strdup(session);
    self->ends = g_array_new(FALSE, FALSE, sizeof(LedgerTrackEnd));
    return self;
}

const char *
sealer_session_org(const SealerSession *self)
{
    return self->org;
}

const char *
sealer_session_id(const SealerSession *self)
{
    return self->id;
}

void
sealer_session_add_end(SealerSession *self, const char *track, int64_t until_us)
{
    const LedgerTrackEnd end = {.track = track, .until_us = until_us};

    g_array_append_val(self->ends, end);
}

void
sealer_session_stop(SealerSession *self, unsigned n_tracks)
{
    self->is_stopped = true;
    self->n_tracks = n_tracks;
}

const GArray *
sealer_session_ends(const SealerSession *self)
{
    return self->is_stopped && self->ends->len >= self->n_tracks ? self->ends : NULL;
}

void
sealer_session_free(SealerSession *self)
{
    if (self == NULL)
        return;
    g_array_unref(self->ends);
    g_free(self->id);
    g_free(self->org);
    g_free(self);
}
