#pragma once

#include "agent/service/http_fetch.h"

#include <gio/gio.h>
#include <jansson.h>
#include <stdbool.h>

/* Janus' HTTP API, below sessions and handles: where a message goes, what it carries, and whether a
 * reply is one. Main thread. */
typedef struct JanusWire JanusWire;

/* What Janus or its plugin refuses; the code is theirs. */
#define JANUS_ERROR (janus_error_quark())
GQuark janus_error_quark(void);

/* `ca_path`: who vouches for Janus, in place of the system's; NULL: those. `api_secret`: NULL for
 * none. All are copied. Returns: NULL sets `error`: `ca_path` can not be used. */
JanusWire *janus_wire_new(const char *url, const char *ca_path, const char *api_secret,
                          GError **error);

/* Posts `message` (taken) to `path` below the URL. */
void janus_wire_post(JanusWire *self, const char *path, json_t *message, HttpFetchFunc on_reply,
                     void *user_data);

/* Waits, up to half a minute, for what Janus has to tell to `session`. */
void janus_wire_poll(JanusWire *self, json_int_t session, HttpFetchFunc on_reply, void *user_data);

/* Returns: what is wrong with `reply` to the message `transaction`, owned; NULL if nothing is. */
GError *janus_wire_fault(const json_t *reply, const char *transaction);

/* Whether the answer is still to come, as an event. */
bool janus_wire_is_acknowledgement(const json_t *reply);

/* Returns: the refusal in the plugin's `data`, owned; NULL if there is none. */
GError *janus_wire_refusal(const json_t *data);

/* Ends what is under way; those callbacks still come. NULL is allowed. */
void janus_wire_free(JanusWire *self);
