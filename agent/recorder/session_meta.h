#pragma once

#include "agent/recorder/session_internal.h"

/* Who is in a session, sealed, on its way to the store: of the session's own files. */

/* Returns: the organisation's recipients, GPtrArray of AgeRecipient, owned. */
GPtrArray *session_recipients(const Session *self, GError **error);

/* Seals who is in the session into meta.age. Returns: it, owned. */
GBytes *session_seal_meta(const Session *self, GError **error);

/* Does so, and keeps it in the spool, later; before the session has begun, once it has. */
void session_update_meta(Session *self);

/* Closes it in the spool, with `n_tracks` that end, once what was last said of who is in it is kept
 * there. */
void session_close(Session *self, unsigned n_tracks);
