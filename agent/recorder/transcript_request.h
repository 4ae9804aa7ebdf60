#pragma once

#include "storage/manifest.h"

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

/* What the backend asks for in POST /v1/sessions/{id}/transcripts: a text, and signed parts of the
 * session's manifest that say where it goes. */
typedef struct {
    char *org, *session;
    uint32_t generation;    /* the envelope's that is still free */
    char *text;             /* WebVTT as web_vtt_write() has it */
    int64_t end_us;         /* of its last cue; 0: nothing was said */
    ManifestPart *last;     /* ends the session, or amends it; genuine */
    Digest digest;          /* of that note */
    int64_t anchor_unix_us; /* wall clock of the timeline's zero */
} TranscriptRequest;

/* `verifiers`: whose manifests are believed. Returns: the request, owned.
 * Errors: RECORDER_ERROR_INVALID; RECORDER_ERROR_CONFLICT - the session has not ended. */
TranscriptRequest *transcript_request_parse(const json_t *body, const char *session,
                                            GPtrArray *verifiers,
                                            GError **error) G_GNUC_WARN_UNUSED_RESULT;

void transcript_request_free(TranscriptRequest *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(TranscriptRequest, transcript_request_free)
