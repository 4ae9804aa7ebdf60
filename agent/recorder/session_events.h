#pragma once

#include "agent/recorder/session.h"
#include "agent/service/http_service.h"

/* Streams a session's changes to whoever asks (GET /v1/sessions/{id}/events): an event `state` with
 * the whole session at once, at each change, and last when it is over. Main thread. */

/* Answers `request` with the events of `session`. The stream ends with the session, or with the
 * reader. */
void session_events_stream(Session *session, HttpRequest *request);
