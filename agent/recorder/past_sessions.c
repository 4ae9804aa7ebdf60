#include "agent/recorder/past_sessions.h"

#include "storage/spool_outbox.h"

void
past_sessions_audit_abandoned(AuditTrail *audit, Spool *spool)
{
    g_autoptr(GPtrArray) sessions = spool_outbox_view(spool);

    for (guint i = 0; i < sessions->len; i++) {
        const OutboxSession *session = g_ptr_array_index(sessions, i);

        if (session->state == SESSION_INTERRUPTED) {
            const AuditEvent event = {.kind = AUDIT_RECORDING_ENDED,
                                      .session = session->id,
                                      .outcome = AUDIT_FAILED,
                                      .reason = "abandoned"};

            audit_trail_note(audit, session->org, &event);
        }
    }
}

void
past_sessions_audit_stored(AuditTrail *audit, const char *org, const char *session, bool is_whole)
{
    const AuditEvent event = {.kind =
                                  is_whole ? AUDIT_RECORDING_STORED : AUDIT_RECORDING_INCOMPLETE,
                              .session = session,
                              .outcome = is_whole ? AUDIT_OK : AUDIT_FAILED,
                              .reason = is_whole ? NULL : "interrupted"};

    audit_trail_note(audit, org, &event);
}
