#pragma once

#include "agent/recorder/janus_room.h"

#include <jansson.h>
#include <stdbool.h>

/* One stream of one publisher: has a track of the session, and lets Janus forward the stream to its
 * port as long as it may be recorded, and no longer. Main thread. */
typedef struct JanusForward JanusForward;

/* Adds a track for `stream` (as Janus lists it; borrowed) of `publisher` (its id) and forwards as
 * soon as that may be. `participant`: of the session. */
JanusForward *janus_forward_new(JanusRoom *room, const json_t *publisher, const char *participant,
                                const json_t *stream);

/* Whether it carries `stream` of its publisher. */
bool janus_forward_is_of(const JanusForward *self, const json_t *stream);

/* Does what can be done now: called when the session changed, or Janus is there again. */
void janus_forward_update(JanusForward *self);

/* Compares with what Janus forwards: `listed`, its answer to listforwarders, asked at `asked_us`.
 * What should not be there is stopped. Returns: false if it should be there and is not. */
bool janus_forward_check(JanusForward *self, const json_t *listed, int64_t asked_us);

/* Returns: its published form, owned. */
json_t *janus_forward_to_json(const JanusForward *self);

/* Stops forwarding, ends the track, and lets go of `self`. */
void janus_forward_end(JanusForward *self);
