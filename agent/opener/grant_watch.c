#include "agent/opener/grant_watch.h"

#include <gio/gio.h>

/* A look at a grant that is being used. */
typedef struct {
    Opener *opener;
    char *grant; /* its id: it may be gone when the answer comes */
    SessionCase *session;
    Caller *caller;
    GrantRequest *request;
    const Settings *settings; /* held */
    const OrgSettings *org;
    AccessReason reason;
    bool is_readable;
} Look;

static void
look_free(Look *self)
{
    settings_shelf_release(self->opener->shelf, self->settings);
    g_free(self->grant);
    session_case_unref(self->session);
    caller_free(self->caller);
    grant_request_free(self->request);
    g_free(self);
}

static void
run_look(GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
    Look *self = data;
    g_autoptr(GError) error = NULL;
    AccessDecision decision = {0};
    const SessionQuestion question = {
        .source = &self->opener->source,
        .org = self->org,
        .caller = self->caller,
        .request = {.action = ACCESS_PLAY,
                    .purpose = self->request->purpose,
                    .has_reason = self->request->reason != NULL,
                    .audit_is_ready = true},
        .tracks = self->request->tracks,
        .recipient = self->request->recipient,
    };

    self->is_readable = session_case_decide(self->session, &question, &decision, &error);
    if (!self->is_readable) {
        g_warning("session %s: can not be decided about: %s", self->request->session,
                  error->message);
    }
    self->reason = decision.reason;
    g_task_return_boolean(task, TRUE);
}

static void
on_looked(GObject *source, GAsyncResult *result, gpointer data)
{
    Look *self = data;
    Grant *grant = grant_table_find(self->opener->grants, self->grant, NULL);

    self->opener->n_asks--;
    if (grant != NULL) {
        grant->is_being_looked_at = false;
        if (!self->is_readable) {
            grant_table_revoke(self->opener->grants, grant, "store-unavailable");
        } else if (self->reason != ACCESS_OK) {
            grant_table_revoke(self->opener->grants, grant, access_reason_text(self->reason));
        }
    }
    look_free(self);
}

void
grant_watch_look(Opener *opener, Grant *grant)
{
    Look *self = NULL;
    g_autoptr(GTask) task = NULL;

    if (grant->is_being_looked_at)
        return; /* the store takes its time */
    grant->is_being_looked_at = true;
    self = g_new0(Look, 1);
    self->opener = opener;
    self->grant = g_strdup(grant->id);
    self->session = session_case_ref(grant->session);
    self->caller = caller_copy(grant->caller);
    self->request = grant_request_copy(grant->request);
    self->settings = settings_shelf_hold(opener->shelf);
    self->org = settings_org(self->settings, grant->caller->org);
    opener->n_asks++;
    task = g_task_new(NULL, NULL, on_looked, self);
    g_task_set_task_data(task, self, NULL);
    g_task_run_in_thread(task, run_look);
}
