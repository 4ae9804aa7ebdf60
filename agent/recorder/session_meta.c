#include "agent/recorder/session_internal.h"
#include "crypto/age_file.h"
#include "crypto/age_recipients.h"
#include "storage/storage_error.h"

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
    char *key;
    GBytes *sealed;
} MetaJob;

/* Through the spool, which keeps it until the store has it. Errors: NOT_FOUND - the session has
 * ended, and its objects are in the store. */
static bool
keep_meta(const MetaJob *job, GError **error)
{
    Spool *spool = job->session->services.spool;
    LedgerObject object = {.name = "meta.age", .replaces = true};

    object.bytes = g_bytes_get_data(job->sealed, &object.n_bytes);
    return spool_add_object(spool, job->session->id, &object, error) && spool_commit(spool, error);
}

static void
store_meta(GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
    const MetaJob *job = data;
    g_autoptr(GError) error = NULL;
    bool is_kept = keep_meta(job, &error);

    if (g_error_matches(error, STORAGE_ERROR, STORAGE_ERROR_NOT_FOUND)) {
        g_clear_error(&error);
        is_kept = object_store_replace(job->session->services.store, job->key, job->sealed, &error);
    }
    if (is_kept) {
        g_task_return_boolean(task, TRUE);
    } else {
        g_task_return_error(task, g_steal_pointer(&error));
    }
}

static void
on_meta_stored(GObject *source, GAsyncResult *result, gpointer data)
{
    MetaJob *job = data;
    Session *self = job->session;
    g_autoptr(GError) error = NULL;

    if (!g_task_propagate_boolean(G_TASK(result), &error))
        g_warning("session %s: its metadata can not be kept: %s", self->id, error->message);
    g_bytes_unref(job->sealed);
    g_free(job->key);
    g_free(job);
    self->n_jobs--;
    self->meta_is_busy = false;
    if (self->meta_is_dirty)
        session_update_meta(self);
}

void
session_update_meta(Session *self)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GTask) task = NULL;
    MetaJob *job = NULL;
    GBytes *sealed = NULL;

    /* One at a time, so that the newest is the one that stays. */
    self->meta_is_dirty = self->meta_is_busy;
    if (self->meta_is_busy)
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
    job->key = g_strdup_printf("%s/%s/meta.age", self->org, self->id);
    self->meta_is_busy = true;
    self->n_jobs++;
    task = g_task_new(NULL, NULL, on_meta_stored, job);
    g_task_set_task_data(task, job, NULL);
    g_task_run_in_thread(task, store_meta);
}
