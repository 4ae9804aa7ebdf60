#pragma once

#include "agent/recorder/janus_client.h"
#include "agent/recorder/session.h"

#include <jansson.h>
#include <stdbool.h>

/* One stream of one publisher: has a track of the session, and once that has a port (only what is
 * consented gets one) lets Janus forward the stream there. Main thread. */
typedef struct JanusForward JanusForward;

/* What every request to a room needs; borrowed by its forwards. */
typedef struct {
    json_t *id;       /* number or string */
    const char *host; /* where Janus is to send to */
    char *secret;     /* of the room; NULL: none */
    char *admin_key;  /* of the plugin; NULL: none */
    Session *session;
    JanusClient *client; /* NULL: not yet */
} JanusRoom;

/* Returns: a request to the room with its secrets, owned. */
json_t *janus_room_request(const JanusRoom *room, const char *name);

/* Adds a track for `stream` (as Janus lists it; borrowed) of `publisher` (its id) and forwards as
 * soon as that may be. `participant`: of the session. */
JanusForward *janus_forward_new(JanusRoom *room, const json_t *publisher, const char *participant,
                                const json_t *stream);

/* Whether it carries `stream` of its publisher. */
bool janus_forward_is_of(const JanusForward *self, const json_t *stream);

/* Does what can be done now: called when the session changed, or Janus is there again. */
void janus_forward_update(JanusForward *self);

/* Whether it should be among what the room forwards, and was before `asked_us`, and is not in
 * `listed` (the plugin's answer to listforwarders). */
bool janus_forward_is_lost(const JanusForward *self, const json_t *listed, int64_t asked_us);

/* Returns: its published form, owned. */
json_t *janus_forward_to_json(const JanusForward *self);

/* Stops forwarding, ends the track, and lets go of `self`. */
void janus_forward_end(JanusForward *self);
