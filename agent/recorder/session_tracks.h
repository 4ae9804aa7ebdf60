#pragma once

#include "agent/recorder/session.h"

/* One track of a session by its id, for those that bring its media. Main thread. */

bool session_has_participant(const Session *self, const char *id);
bool session_has_track(const Session *self, const char *id);

/* Returns: where its RTP goes; 0 while nothing of it may be recorded, or when it has ended. */
uint16_t session_track_port(const Session *self, const char *id);

/* Ends a track, the session goes on. One that has not begun never will. */
void session_end_track(Session *self, const char *id);
