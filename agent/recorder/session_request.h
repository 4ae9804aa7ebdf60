#pragma once

#include "agent/policy/part2.h"
#include "agent/recorder/participants.h"
#include "agent/recorder/track_request.h"

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* What the backend asks for in POST /v1/sessions and .../tracks, checked field by field. Every
 * fault is one sentence that names the field. Plain values. */

/* A room of a media server that the recorder follows by itself. */
typedef struct {
    json_t *room; /* a number or a string */
    bool ends_with_room;
} SourceRequest;

typedef struct {
    char *org;
    char *reference; /* the backend's own; may identify a person, so it is sealed and never logged;
                        NULL: none */
    char *service;   /* what it is for; sealed and never logged, the same */
    Part2Label label;
    Participants *participants;
    GPtrArray *tracks;     /* TrackRequest */
    SourceRequest *source; /* NULL: the backend sends RTP by itself */
} SessionRequest;

/* Returns: the request, owned; NULL sets `fault`, owned. */
SessionRequest *session_request_parse(const json_t *body, char **fault);

void session_request_free(SessionRequest *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SessionRequest, session_request_free)
