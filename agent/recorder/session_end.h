#pragma once

#include "agent/recorder/session.h"

#include <stdint.h>

/* Sessions that end though nobody stopped them. Main thread. */

/* Notes that somebody spoke of the session. */
void session_note_request(Session *self);

/* Ends a session that reached a limit, and one of which nothing was heard for `orphan_us` (0: never
 * mind): no packet, and no request. Silence alone never does. Returns: `limit-hours`, `limit-bytes`
 * or `orphan`, static, if it did; the manifest says the same. */
const char *session_end_if_overdue(Session *self, int64_t orphan_us);
