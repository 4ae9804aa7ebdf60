#include "agent/opener/access_record.h"

#include "agent/audit/disclosure.h"

AuditEvent
access_record_of_caller(AuditKind kind, const Caller *caller)
{
    return (AuditEvent){.kind = kind,
                        .actor = caller->told_as != NULL ? caller->told_as : caller->id,
                        .token = caller->token_id,
                        .address = caller->address};
}

AuditEvent
access_record_of_grant(AuditKind kind, const Grant *grant, char **tracks)
{
    const GrantRequest *request = grant->request;
    AuditEvent event = access_record_of_caller(kind, grant->caller);

    *tracks = request->tracks == NULL ? NULL : g_strjoinv(",", request->tracks);
    event.session = request->session;
    event.client = session_case_clients(grant->session);
    event.role = access_role_text(grant->decision.role);
    event.use = request->purpose;
    event.grant = grant->id;
    event.review = grant->review;
    event.recipient = request->recipient;
    event.tracks = *tracks;
    event.from_us = request->from_us;
    event.to_us = request->until_us == INT64_MAX ? 0 : request->until_us;
    event.evidence = grant->evidence;
    event.basis = disclosure_basis_text(
        grant->evidence != NULL ? DISCLOSURE_PART2 : disclosure_basis_of(request->purpose));
    return event;
}
