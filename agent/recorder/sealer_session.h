#pragma once

#include "storage/session_ledger.h"

#include <glib.h>
#include <stdint.h>

/* What sealing needs to know of a session: where it belongs, and when all its tracks have ended.
 * Made and freed in the main thread; from the first message to the sealer until the session is
 * closed it is the sealer thread's. */
typedef struct SealerSession SealerSession;

SealerSession *sealer_session_new(const char *org, const char *session);
const char *sealer_session_org(const SealerSession *self);
const char *sealer_session_id(const SealerSession *self);

/* A track has ended at `until_us`. `track`: its id, borrowed until sealer_session_free(). */
void sealer_session_add_end(SealerSession *self, const char *track, int64_t until_us);

/* The session stops once `n_tracks` have ended. */
void sealer_session_stop(SealerSession *self, unsigned n_tracks);

/* Returns: the ends of all tracks (LedgerTrackEnd), borrowed, once it was stopped and all are
 * there; else NULL. */
const GArray *sealer_session_ends(const SealerSession *self);
void sealer_session_free(SealerSession *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SealerSession, sealer_session_free)
