#pragma once

#include "agent/recorder/janus_wire.h"

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

/* Messages to Janus that wait for their answer, which is the reply itself, or, where the reply only
 * acknowledges, an event with the same transaction; the event may well come first. Main thread. */
typedef struct JanusCalls JanusCalls;

/* The answer (borrowed), or why there is none. Called exactly once. */
typedef void (*JanusCallFunc)(const json_t *answer, const GError *error, void *user_data);

JanusCalls *janus_calls_new(void);

typedef struct {
    const char *path; /* below Janus' URL */
    json_t *message;  /* taken */
    JanusCallFunc on_answer;
    void *user_data;
} JanusCall;

void janus_calls_send(JanusCalls *self, JanusWire *wire, const JanusCall *content);

/* Returns: whether `event` was the answer to one of them. */
bool janus_calls_take_event(JanusCalls *self, const json_t *event);

/* None of them will be answered: tells so. */
void janus_calls_fail(JanusCalls *self, const char *problem);

unsigned janus_calls_count(const JanusCalls *self);

/* None may wait. NULL is allowed. */
void janus_calls_free(JanusCalls *self);
