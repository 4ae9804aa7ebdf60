#pragma once

#include "agent/recorder/org_book.h"
#include "agent/recorder/recorder_storage.h"
#include "agent/trail/audit_trail.h"
#include "config/settings.h"

#include <glib.h>
#include <jansson.h>

/* Seals what was written down of sessions that have ended: a text becomes a track of its own, with
 * a key of its own that this process forgets, and a further part of the signed manifest says so.
 * The recorder may not read the store, so whoever brings the text brings the session's last
 * manifest part as well: it is believed for its signature. Main thread. */
typedef struct Transcripts Transcripts;

/* What an earlier process left on its way goes on, now and once a minute. All borrowed until
 * transcripts_free(). Errors: as amendment_box_open(). */
Transcripts *transcripts_new(const Settings *settings, const OrgBook *orgs,
                             const RecorderStorage *storage, AuditTrail *audit,
                             GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* `answer`: the API's, taken; NULL with `error` (borrowed) set, of RECORDER_ERROR: INVALID,
 * CONFLICT - the session has not ended, or somebody was faster; AUDIT; STORE; FULL. */
typedef void (*TranscriptReadyFunc)(json_t *answer, const GError *error, void *user_data);

/* Seals `body` (of POST /v1/sessions/{id}/transcripts) into `session`. The callback comes later, or
 * at once for what is no request. */
void transcripts_add(Transcripts *self, const char *session, const json_t *body,
                     TranscriptReadyFunc on_ready, void *user_data);

/* NULL is allowed. Waits for what is under way. */
void transcripts_free(Transcripts *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Transcripts, transcripts_free)
