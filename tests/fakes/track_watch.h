#pragma once

#include "agent/recorder/session.h"

#include <jansson.h>

/* A session's track as the API tells of it, and waiting for its numbers. Main thread. */

/* Returns: what is under `name`, owned; NULL: nothing, or there is no such track. */
json_t *track_watch_member(const Session *session, const char *track, const char *name);

/* Returns: the number under `name`; 0: none. */
json_int_t track_watch_count(const Session *session, const char *track, const char *name);

void track_watch_until(const Session *session, const char *track, const char *name,
                       json_int_t number);

/* Until `n_packets` were seen, whatever was made of them. */
void track_watch_until_seen(const Session *session, const char *track, json_int_t n_packets);

/* Who receives hears of a pause a moment after it was asked for, and takes until then what comes:
 * sends until one came into the pause. Returns: how many it took. */
json_int_t track_watch_send_until_paused(const Session *session, const char *track);
