#include "agent/opener/access_call.h"

#include "agent/opener/access_answer.h"
#include "agent/opener/access_record.h"
#include "agent/opener/caller_desk.h"
#include "agent/rules/org_policy.h"
#include "agent/service/http_caller.h"

typedef struct {
    Opener *opener;
    HttpRequest *request;
    AccessCallFunc call;
} Call;

/* Somebody unknown belongs to no organisation: each is told, in bounded volume. */
static void
note_stranger(Opener *opener, const char *reason)
{
    const AuditEvent event = {
        .kind = AUDIT_PERSON_REFUSED, .outcome = AUDIT_REFUSED, .reason = reason};

    for (guint i = 0; i < opener->settings->orgs->len; i++) {
        const OrgSettings *org = opener->settings->orgs->pdata[i];

        audit_trail_note_bounded(opener->audit, org->id, &event);
    }
}

static void
on_identified(const Caller *caller, const Refusal *refusal, void *user_data)
{
    g_autofree Call *call = user_data;

    if (caller == NULL) {
        call->opener->counts.n_unknown++;
        note_stranger(call->opener, refusal->reason);
        access_answer_refuse(call->request, refusal);
    } else {
        call->call(call->opener, call->request, caller);
    }
}

void
access_call_begin(Opener *opener, HttpRequest *request, const char *org, AccessCallFunc call)
{
    const char *mark = http_caller_browser_mark(request);
    g_auto(Refusal) refusal = {0};

    if (mark != NULL) {
        opener->counts.n_browsers++;
        note_stranger(opener, "browser");
        refusal_set(&refusal, 403, "browser",
                    "Recordings go to programs, never to a browser, which %s gives away.", mark);
        access_answer_refuse(request, &refusal);
        return;
    }
    caller_desk_identify(opener, request, org, on_identified,
                         g_memdup2(&(Call){opener, request, call}, sizeof(Call)));
}

bool
access_call_may(Opener *opener, HttpRequest *request, const Caller *caller, AccessAction action)
{
    const OrgSettings *org = settings_org(opener->settings, caller->org);
    const AccessPerson person = caller_person(caller);
    const AccessRequest asked = {.action = action, .audit_is_ready = true};
    AccessDecision decision = {.reason = ACCESS_POLICY_MISSING};
    AuditEvent event = access_record_of_caller(AUDIT_ACCESS_REFUSED, caller);
    g_auto(Refusal) refusal = {0};

    if (org != NULL)
        decision = org_policy_access_decide(org, &person, NULL, &asked, g_get_real_time());
    if (decision.reason == ACCESS_OK)
        return true;
    event.outcome = AUDIT_REFUSED;
    event.reason = access_reason_text(decision.reason);
    event.detail = access_action_text(action);
    audit_trail_note_bounded(opener->audit, caller->org, &event);
    opener->counts.n_refused++;
    if (decision.reason == ACCESS_MFA_REQUIRED) {
        access_answer_demand_mfa(&refusal, org, "");
    } else {
        refusal_set(&refusal, 403, event.reason, "None of your roles may do this.");
    }
    access_answer_refuse(request, &refusal);
    return false;
}
