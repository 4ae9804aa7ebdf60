#include "agent/admin/custody.h"

#include "agent/admin/custody_decision.h"
#include "agent/store/trusted_recorders.h"
#include "config/key_file.h"
#include "storage/storage_error.h"

static NoteSigner *
read_signer(const char *path, GError **error)
{
    g_autoptr(Secret) text = key_file_read(path, error);

    return text != NULL ? note_signer_parse(text, error) : NULL;
}

bool
custody_open(Custody *self, CommandContext *context, GError **error)
{
    self->context = context;
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

Recording *
custody_open_recording(const Custody *self, const char *org, const char *session,
                       AnnotationLog **log, GError **error)
{
    const RecordingTrust trust = {self->recorders, self->annotators};
    g_autoptr(Recording) recording = recording_open(self->store, org, session, &trust, error);

    if (recording == NULL)
        return NULL;
    *log = recording_read_annotations(recording, error);
    return *log != NULL ? g_steal_pointer(&recording) : NULL;
}

/* Returns: whether it may be said; else why not, and the code of it in `event`. What was told
 * before says more than the code does. */
static bool
may_annotate(const Custody *self, const AnnotationView *view, const Annotation *next,
             AuditEvent *event, GError **error)
{
    const AccessDecision decision = custody_decide(self, view, next);
    const bool may_follow = annotation_view_may_take(view, next, error);

    if (decision.reason == ACCESS_OK) {
        event->role = access_role_text(decision.role);
        return may_follow;
    }
    event->reason = access_reason_text(decision.reason);
    if (may_follow)
        custody_refuse(self, view, next, decision.reason, error);
    return false;
}

/* Whether it answers a request that nobody made: a refusal, and no mistake of writing. */
static bool
answers_nothing(const AnnotationView *view, const Annotation *next)
{
    return view->request == 0 && (next->kind == ANNOTATION_ERASURE_APPROVED ||
                                  next->kind == ANNOTATION_ERASURE_WITHDRAWN);
}

/* `event`: what it is, whom it is about. */
static AuditEvent
event_of(const Custody *self, const Annotation *next, AuditEvent event)
{
    const OrgSettings *org = settings_org(self->settings, next->org);

    event.session = next->session;
    event.policy = org != NULL ? org->digest : NULL;
    if (command_context_left_out(self->context, next->org) != NULL)
        event.detail = "settings-unreadable";
    return event;
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
    if (next->at_unix_s == 0)
        next->at_unix_s = g_get_real_time() / G_USEC_PER_SEC;
    event = event_of(self, next, event);
    log = annotation_log_read(self->store, next->org, next->session, self->annotators, error);
    if (log == NULL || (!answers_nothing(log->view, next) && !annotation_check(next, error)))
        return false;
    if (!may_annotate(self, log->view, next, &event, &why_not)) {
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
