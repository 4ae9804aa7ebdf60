#include "agent/recorder/session_meta.h"

#include "crypto/age_file.h"
#include "crypto/age_recipients.h"

#include <gio/gio.h>
#include <string.h>

GPtrArray *
session_recipients(const Session *self, GError **error)
{
    return age_recipients_parse(self->settings->recipients, error);
}

GBytes *
session_seal_meta(const Session *self, GError **error)
{
    g_autoptr(GPtrArray) recipients = session_recipients(self, error);
    g_autoptr(AgeContext) context = NULL;
    g_autoptr(GDateTime) created = NULL;
    g_autofree char *created_text = NULL;
    json_t *form = NULL;
    char *text = NULL;
    GBytes *sealed = NULL;

    if (recipients == NULL)
        return NULL;
    context = age_context_new_meta(self->org, self->id);
    created = g_date_time_new_from_unix_utc(self->created_unix_us / G_USEC_PER_SEC);
    created_text = g_date_time_format_iso8601(created);
    form = json_pack("{s:s, s:s, s:s, s:s?, s:s*, s:o}", "org", self->org, "session", self->id,
                     "created", created_text, "reference", self->reference, "service",
                     self->service, "participants", participants_to_json(self->participants));
    text = json_dumps(form, JSON_INDENT(1));
    json_decref(form);
    sealed = age_file_seal(recipients, context, &(struct iovec){text, strlen(text)}, 1, error);
    explicit_bzero(text, strlen(text));
    free(text);
    return sealed;
}

typedef struct {
    Session *session;
    GBytes *sealed;
} MetaJob;

/* Only ever through the spool, which keeps what is older from the store and what is newest until
 * the store has it. Past it, an older one that waits would meet another in its place, or overwrite
 * it. */
static bool
keep_meta(const MetaJob *job, GError **error)
{
    Spool *spool = job->session->services.spool;
    LedgerObject object = {.name = "meta.age", .replaces = true};

    object.bytes = g_bytes_get_data(job->sealed, &object.n_bytes);
    return spool_add_object(spool, job->session->id, &object, error) && spool_commit(spool, error);
}

static void
run_keep_meta(GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
    g_autoptr(GError) error = NULL;

    if (keep_meta(data, &error)) {
        g_task_return_boolean(task, TRUE);
    } else {
        g_task_return_error(task, g_steal_pointer(&error));
    }
}

/* A closed session takes nothing more. */
static void
close_if_settled(Session *self)
{
    if (!self->is_closing || self->meta_is_busy)
        return;
    self->is_closing = false;
    sealer_take_stop(self->services.sealer, self->sealer_session, self->n_closing);
}

void
session_close(Session *self, unsigned n_tracks)
{
    self->is_closing = true;
    self->n_closing = n_tracks;
    close_if_settled(self);
}

static void
on_meta_kept(GObject *source, GAsyncResult *result, gpointer data)
{
    MetaJob *job = data;
    Session *self = job->session;
    g_autoptr(GError) error = NULL;

    if (!g_task_propagate_boolean(G_TASK(result), &error))
        g_warning("session %s: its metadata can not be kept: %s", self->id, error->message);
    g_bytes_unref(job->sealed);
    g_free(job);
    self->n_jobs--;
    self->meta_is_busy = false;
    if (self->meta_is_dirty)
        session_update_meta(self);
    close_if_settled(self);
}

void
session_update_meta(Session *self)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GTask) task = NULL;
    MetaJob *job = NULL;
    GBytes *sealed = NULL;

    /* One at a time, so that the newest is the one that stays; and none before the spool knows the
     * session. */
    self->meta_is_dirty = self->meta_is_busy || !self->is_begun;
    if (self->meta_is_dirty)
        return;
    sealed = session_seal_meta(self, &error);
    if (sealed == NULL) {
        g_assert(error != NULL);
        g_warning("session %s: its metadata can not be sealed: %s", self->id, error->message);
        return;
    }
    job = g_new0(MetaJob, 1);
    job->session = self;
    job->sealed = sealed;
    self->meta_is_busy = true;
    self->n_jobs++;
    task = g_task_new(NULL, NULL, on_meta_kept, job);
    g_task_set_task_data(task, job, NULL);
    g_task_run_in_thread(task, run_keep_meta);
}
