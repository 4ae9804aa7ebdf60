#pragma once

#include "agent/recorder/janus_client.h"
#include "agent/recorder/session.h"
#include "config/settings.h"

#include <jansson.h>
#include <stdbool.h>

/* A room, and what every request to it needs; lent to whoever asks. Main thread. */
typedef struct {
    json_t *id;       /* number or string */
    const char *host; /* where Janus is to send to */
    char *secret;     /* of the room; NULL: none, as the others */
    char *pin;        /* of the room */
    char *admin_key;  /* of the plugin */
    Session *session;
    JanusClient *client; /* NULL: not yet */
} JanusRoom;

/* Reads the secrets from the files that `settings` names, and begins to connect. `callbacks`: what
 * the client's owner brings. Returns: false sets `error`. */
bool janus_room_connect(JanusRoom *self, const JanusSettings *settings,
                        const JanusClientOptions *callbacks, GError **error);

/* Returns: a request to the room with its secrets, owned. */
json_t *janus_room_request(const JanusRoom *self, const char *name);

/* Returns: the request to enter it, owned. */
json_t *janus_room_join(const JanusRoom *self);

/* Lets go of the client, and of all that it owns. */
void janus_room_clear(JanusRoom *self);
