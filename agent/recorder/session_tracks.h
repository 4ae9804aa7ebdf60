#pragma once

#include "agent/recorder/session.h"

/* What those need of a session that bring its media by themselves: its tracks by their ids. Main
 * thread. */

bool session_has_participant(const Session *self, const char *id);
bool session_has_track(const Session *self, const char *id);

/* Returns: where its RTP goes; 0 while nothing of it may be recorded or all is paused, or when it
 * has ended. */
uint16_t session_track_port(const Session *self, const char *id);

/* Tells those who watch that something of it changed. */
void session_tell(Session *self);

/* Ends a track, the session goes on. One that has not begun never will. */
void session_end_track(Session *self, const char *id);
