#pragma once

#include "agent/recorder/session.h"
#include "config/settings.h"

#include <jansson.h>
#include <stdbool.h>

/* Follows a room of Janus' VideoRoom for a session: joins it once the session records, gives each
 * publisher whom the session names (by display or id) tracks, lets Janus forward what is consented,
 * ends the tracks of those who leave, and comes back when Janus was gone. Ends with the session.
 * Main thread. */
typedef struct JanusSource JanusSource;

/* `settings`: borrowed, with a Janus. `request`: borrowed. It watches `session`, and lets go when
 * the session has ended and the room has been left. */
JanusSource *janus_source_new(Session *session, const Settings *settings,
                              const SourceRequest *request);

/* Whether `room` is the one it follows. */
bool janus_source_follows(const JanusSource *self, const json_t *room);

/* Returns: its published form, owned: state, problem, publishers and what becomes of them. */
json_t *janus_source_to_json(const JanusSource *self);

/* NULL is allowed. */
void janus_source_free(JanusSource *self);
