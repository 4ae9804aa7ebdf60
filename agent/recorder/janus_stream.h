#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* One stream of a publisher as the VideoRoom lists it: what it carries, and what a track and a
 * forward of it must say. Plain values. */
typedef struct JanusStream JanusStream;

/* Whether `listed` is a stream that could be forwarded now: sound or picture, and not disabled. */
bool janus_stream_is_active(const json_t *listed);

/* `listed`: active; borrowed. */
JanusStream *janus_stream_new(const json_t *listed);

/* Whether `listed` is this one still, with the same codec. */
bool janus_stream_is(const JanusStream *self, const json_t *listed);

const char *janus_stream_kind(const JanusStream *self); /* "audio" or "video" */

/* Returns: the request for a track `id` of `participant`, owned; NULL sets `fault`, owned. */
json_t *janus_stream_track(const JanusStream *self, const char *id, const char *participant,
                           char **fault);

/* Returns: the row for rtp_forward that sends it to `port` of `host`, owned. Only after
 * janus_stream_track() had no fault. */
json_t *janus_stream_forward(const JanusStream *self, const char *host, uint16_t port);

/* NULL is allowed. */
void janus_stream_free(JanusStream *self);
