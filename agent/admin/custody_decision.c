#include "agent/admin/custody_decision.h"

#include "agent/rules/org_policy.h"
#include "storage/storage_error.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *
user_of(const Custody *self)
{
    return g_str_has_prefix(self->by, "unix:") ? self->by + strlen("unix:") : self->by;
}

/* A user of this host is what the organisation's file says, whatever else that user may do here. */
static AccessPerson
person_of(const Custody *self, const OrgSettings *org)
{
    const OrgOperator *found = org_policy_operator(org, user_of(self));
    AccessPerson person = {.id = self->by, .org = org->id, .is_operator = true};

    if (found == NULL)
        return person;
    person.owns_every_session = found->owns_every_session;
    for (char **role = found->roles; *role != NULL; role++)
        person.roles |= org_policy_role(*role);
    return person;
}

/* Returns: N_ACCESS_ACTIONS for what nobody decides. */
static AccessAction
action_of(const Annotation *next)
{
    switch ((int) next->kind) {
    case ANNOTATION_CONSENT:
        /* Anybody may say that one was taken back. */
        return g_strcmp0(next->values[ANNOTATION_STATE], "granted") == 0 ? ACCESS_RELEASE
                                                                         : N_ACCESS_ACTIONS;
    case ANNOTATION_RELEASED:
    case ANNOTATION_RELEASE_WITHDRAWN:
        return ACCESS_RELEASE;
    case ANNOTATION_HOLD_PLACED:
    case ANNOTATION_HOLD_RELEASED:
    case ANNOTATION_QUARANTINE_LIFTED:
    case ANNOTATION_AMENDED:
    case ANNOTATION_RESTRICTED:
    case ANNOTATION_RESTRICTION_LIFTED:
    case ANNOTATION_RESEAL_BEGUN:
        return ACCESS_HOLD;
    case ANNOTATION_ERASURE_REQUESTED:
    case ANNOTATION_ERASURE_WITHDRAWN:
        return ACCESS_ERASE_REQUEST;
    case ANNOTATION_ERASURE_APPROVED:
        return ACCESS_ERASE_APPROVE;
    default:
        return N_ACCESS_ACTIONS;
    }
}

/* A matter is one, and a statement; what takes something back, or approves it, has that one's. */
static bool
has_reason(const Annotation *next)
{
    return next->values[ANNOTATION_REASON] != NULL || next->values[ANNOTATION_MATTER] != NULL ||
           next->values[ANNOTATION_REQUEST] != NULL || next->kind == ANNOTATION_AMENDED ||
           next->kind == ANNOTATION_QUARANTINE_LIFTED ||
           next->kind == ANNOTATION_RESTRICTION_LIFTED;
}

/* Nobody's role can be looked up while the organisation's file can not be read, and a hold only
 * ever protects: it is placed by who could write that file. */
static bool
may_hold_unread(const Custody *self, const Annotation *next)
{
    struct stat settings;

    return next->kind == ANNOTATION_HOLD_PLACED &&
           command_context_left_out(self->context, next->org) != NULL &&
           (geteuid() == 0 ||
            (stat(self->settings->path, &settings) == 0 && settings.st_uid == geteuid()));
}

AccessDecision
custody_decide(const Custody *self, const AnnotationView *view, const Annotation *next)
{
    const OrgSettings *org = settings_org(self->settings, next->org);
    const AccessAction action = action_of(next);
    const AccessSession session = {.org = next->org,
                                   .is_erased = view->is_erasing || view->is_erased,
                                   .n_holds = view->matters->len,
                                   .erase_requested_by = view->requested_by};
    /* Without a record nothing is done, which custody_annotate() sees to. */
    const AccessRequest request = {
        .action = action, .has_reason = has_reason(next), .audit_is_ready = true};
    AccessPerson person;

    if (action == N_ACCESS_ACTIONS)
        return (AccessDecision){.reason = ACCESS_OK, .role = N_ACCESS_ROLES};
    if (org == NULL && may_hold_unread(self, next))
        return (AccessDecision){.reason = ACCESS_OK, .role = N_ACCESS_ROLES};
    if (org == NULL)
        return (AccessDecision){.reason = ACCESS_POLICY_MISSING};
    person = person_of(self, org);
    return org_policy_access_decide(org, &person, &session, &request, g_get_real_time());
}

/* `what`: the organisation or the session, `may not do this now`. */
static void
refuse(const Custody *self, const char *org, const char *what, AccessReason reason, GError **error)
{
    const char *word = access_reason_text(reason);

    if (reason == ACCESS_PERSON_UNKNOWN || reason == ACCESS_ROLE_FORBIDDEN) {
        g_set_error(error, STORAGE_ERROR, STORAGE_ERROR_DENIED,
                    "%s is no custodian of organisation %s who may do this (%s): `operators` in "
                    "its file names who is",
                    user_of(self), org, word);
    } else {
        g_set_error(error, STORAGE_ERROR, STORAGE_ERROR_DENIED, "%s: %s may not do this now (%s)",
                    what, user_of(self), word);
    }
}

void
custody_refuse(const Custody *self, const AnnotationView *view, const Annotation *next,
               AccessReason reason, GError **error)
{
    g_autofree char *what = g_strdup_printf("session %s", next->session);

    if (reason == ACCESS_HELD) {
        g_set_error(error, STORAGE_ERROR, STORAGE_ERROR_DENIED,
                    "session %s: it is on hold for %s (%s)", next->session,
                    (const char *) view->matters->pdata[0], access_reason_text(reason));
        return;
    }
    refuse(self, next->org, what, reason, error);
}

bool
custody_may(const Custody *self, const char *org, AccessAction action, AuditEvent *event,
            GError **error)
{
    const OrgSettings *settings = settings_org(self->settings, org);
    const AccessSession session = {.org = org};
    const AccessRequest request = {
        .action = action, .purpose = event->use, .has_reason = true, .audit_is_ready = true};
    AccessDecision decision;
    AccessPerson person;
    g_autofree char *what = g_strdup_printf("organisation %s", org);

    if (settings == NULL) {
        g_set_error(error, STORAGE_ERROR, STORAGE_ERROR_NOT_FOUND, "there is no organisation %s",
                    org);
        return false;
    }
    person = person_of(self, settings);
    decision = org_policy_access_decide(settings, &person, &session, &request, g_get_real_time());
    event->policy = settings->digest;
    if (decision.reason == ACCESS_OK) {
        event->role = access_role_text(decision.role);
        return true;
    }
    event->outcome = AUDIT_REFUSED;
    event->reason = access_reason_text(decision.reason);
    if (audit_journal_write(self->journal, org, event, error))
        refuse(self, org, what, decision.reason, error);
    return false;
}
