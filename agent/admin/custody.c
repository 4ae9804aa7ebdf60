#include "agent/admin/custody.h"

#include "agent/rules/org_policy.h"
#include "agent/store/trusted_recorders.h"
#include "config/key_file.h"
#include "storage/recording.h"
#include "storage/storage_error.h"

#include <string.h>

static NoteSigner *
read_signer(const char *path, GError **error)
{
    g_autoptr(Secret) text = key_file_read(path, error);

    return text != NULL ? note_signer_parse(text, error) : NULL;
}

bool
custody_open(Custody *self, CommandContext *context, GError **error)
{
    self->settings = command_context_settings(context, error);
    self->store = self->settings != NULL ? command_context_store(context, error) : NULL;
    if (self->store == NULL)
        return false;
    /* It says what to do where no key is set. */
    self->journal = audit_journal_new(self->settings, self->store, error);
    if (self->journal == NULL)
        return false;
    self->by = audit_journal_actor(self->journal);
    self->signer = read_signer(self->settings->keys->signing_key_path, error);
    self->annotators = trusted_annotators(self->settings, error);
    self->recorders = trusted_recorders(self->settings, error);
    return self->signer != NULL && self->annotators != NULL && self->recorders != NULL;
}

void
custody_clear(Custody *self)
{
    g_clear_pointer(&self->journal, audit_journal_free);
    g_clear_pointer(&self->signer, note_signer_free);
    g_clear_pointer(&self->annotators, g_ptr_array_unref);
    g_clear_pointer(&self->recorders, g_ptr_array_unref);
}

AnnotationLog *
custody_read(const Custody *self, const char *session, GError **error)
{
    g_autofree char *org = recording_find_org(self->store, session, error);

    return org != NULL ? annotation_log_read(self->store, org, session, self->annotators, error)
                       : NULL;
}

/* What only a custodian of the organisation may say. The rest is what rules of retention come to.
 */
static bool
is_custodians(AnnotationKind kind)
{
    return kind == ANNOTATION_HOLD_PLACED || kind == ANNOTATION_HOLD_RELEASED ||
           kind == ANNOTATION_AMENDED || kind == ANNOTATION_RESTRICTED ||
           kind == ANNOTATION_RESTRICTION_LIFTED || kind == ANNOTATION_ERASURE_REQUESTED ||
           kind == ANNOTATION_ERASURE_WITHDRAWN || kind == ANNOTATION_ERASURE_APPROVED;
}

/* A user of this host is what the organisation's file says, whatever else that user may do here. */
static bool
is_custodian(const Custody *self, const char *org, GError **error)
{
    const OrgSettings *settings = settings_org(self->settings, org);
    const char *user = g_str_has_prefix(self->by, "unix:") ? self->by + strlen("unix:") : self->by;
    const OrgOperator *one = settings != NULL ? org_policy_operator(settings, user) : NULL;

    if (one != NULL && g_strv_contains((const char *const *) one->roles, "custodian"))
        return true;
    g_set_error(error, STORAGE_ERROR, STORAGE_ERROR_DENIED,
                "%s is no custodian of organisation %s: `operators` in its file names who is", user,
                org);
    return false;
}

static bool
may_annotate(const Custody *self, const AnnotationView *view, const Annotation *next,
             GError **error)
{
    return (!is_custodians(next->kind) || is_custodian(self, next->org, error)) &&
           annotation_view_may_take(view, next, error);
}

bool
custody_annotate(const Custody *self, Annotation *next, AuditEvent event, GError **error)
{
    return custody_annotate_beside(self, next, event, NULL, error);
}

bool
custody_annotate_beside(const Custody *self, Annotation *next, AuditEvent event,
                        const CustodyObject *beside, GError **error)
{
    const AnnotationWriter writer = {
        .store = self->store, .signer = self->signer, .verifiers = self->annotators};
    g_autoptr(AnnotationLog) log = NULL;
    g_autoptr(GError) why_not = NULL;

    g_free(next->by);
    next->by = g_strdup(self->by);
    event.session = next->session;
    log = annotation_log_read(self->store, next->org, next->session, self->annotators, error);
    if (log == NULL || !annotation_check(next, error))
        return false;
    if (!may_annotate(self, log->view, next, &why_not)) {
        event.outcome = AUDIT_REFUSED;
        if (audit_journal_write(self->journal, next->org, &event, error))
            g_propagate_error(error, g_steal_pointer(&why_not));
        return false;
    }
    event.outcome = AUDIT_OK;
    return audit_journal_write(self->journal, next->org, &event, error) &&
           (beside == NULL || object_store_put(self->store, beside->key, beside->body, error)) &&
           annotation_log_add(&writer, next, error);
}

ErasureOrder
custody_order(const Custody *self, const char *org, const char *session)
{
    return (ErasureOrder){
        .store = self->store,
        .signer = self->signer,
        .annotators = self->annotators,
        .recorders = self->recorders,
        .org = org,
        .session = session,
        .by = self->by,
        .software = "sealtape/" SEALTAPE_VERSION,
    };
}
