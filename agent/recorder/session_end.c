#include "agent/recorder/session_end.h"

#include "agent/recorder/session_internal.h"
#include "agent/recorder/session_withdrawal.h"
#include "storage/storage_error.h"

/* Sessions that end though nobody stopped them, and how they say so. */

void
session_note_request(Session *self)
{
    self->last_sign_us = g_get_monotonic_time();
}

/* Whether neither a packet nor a request came for `limit_us`. */
static bool
is_orphan(Session *self, const SessionCounts *counts, int64_t limit_us)
{
    const int64_t now_us = g_get_monotonic_time();

    if (counts->n_arrived != self->n_packets_then) {
        self->n_packets_then = counts->n_arrived;
        self->last_sign_us = now_us;
    }
    return limit_us > 0 && now_us - self->last_sign_us >= limit_us;
}

/* The last decision once more, with why it was the last: it stands in the signed manifest. */
static void
tell_manifest(Session *self)
{
    g_autoptr(GError) error = NULL;

    if (!session_tell_manifest(self, self->end_reason, &error)) {
        g_warning("session %s: why it ended is not in the manifest: %s", self->id, error->message);
    }
}

const char *
session_end_if_overdue(Session *self, int64_t orphan_us)
{
    SessionCounts counts = {0};
    const char *reason = NULL;

    if (!session_is_open(self))
        return NULL;
    session_look_for_trouble(self);
    session_add_counts(self, &counts);
    reason = session_limits_end(&self->services.limits, session_now_us(self), counts.n_bytes);
    if (is_orphan(self, &counts, orphan_us) && reason == NULL)
        reason = "orphan";
    if (reason == NULL)
        return NULL;
    self->end_reason = reason;
    tell_manifest(self);
    return session_stop(self) ? reason : NULL;
}
