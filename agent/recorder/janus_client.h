#pragma once

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

/* A handle of the VideoRoom plugin in a Janus, over its HTTP API: makes session and handle, keeps
 * them alive with the long poll, carries requests, and begins anew, waiting longer each time, when
 * Janus is gone or talks nonsense. Every answer is checked and bounded. Main thread. */
typedef struct JanusClient JanusClient;

typedef struct {
    const char *url;                /* http://127.0.0.1:8088/janus */
    const char *ca_path;            /* who vouches for an https one; NULL: as the system does */
    const char *api_secret;         /* NULL: none */
    void (*on_up)(void *user_data); /* there is a fresh handle, which joined nothing */
    void (*on_down)(const char *problem, void *user_data); /* it is gone; one sentence */
    void (*on_event)(const json_t *data, void *user_data); /* the plugin's; borrowed */
    void (*on_closed)(void *user_data);
    void *user_data;
} JanusClientOptions;

/* What the plugin answered (borrowed, an object), or why there is no answer. Errors:
 * JANUS_ERROR - the plugin refused; others - it was not asked, or did not answer. Called exactly
 * once; at once if Janus is not there.  */
typedef void (*JanusAnswerFunc)(const json_t *data, const GError *error, void *user_data);

/* Begins to connect, from the main loop on. The strings of `options` are copied. */
JanusClient *janus_client_new(const JanusClientOptions *options);

/* Whether there is a handle to ask with. */
bool janus_client_is_up(const JanusClient *self);

/* Sends `body` (taken) to the plugin. */
void janus_client_ask(JanusClient *self, json_t *body, JanusAnswerFunc on_answer, void *user_data);

/* What came makes no sense, or the room can not be had: lets go of the handle and begins anew. */
void janus_client_restart(JanusClient *self, const char *problem);

/* Waits for the answers under way, gives the Janus session back, and calls `on_closed`; nothing
 * else is called after that. */
void janus_client_close(JanusClient *self);

/* NULL is allowed. */
void janus_client_free(JanusClient *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(JanusClient, janus_client_free)
