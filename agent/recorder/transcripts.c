/* The order, as for what is recorded:
 *  1. the track's key pair is drawn and the envelope sealed to the organisation's recipients;
 *  2. the secret half is wiped;
 *  3. the text is sealed with the public half, and the part of the manifest signed;
 *  4. the audit record is made durable;
 *  5. envelope, text and part are made durable here, and put into the store in this order. */
#include "agent/recorder/transcripts.h"

#include "agent/recorder/session.h"
#include "agent/recorder/transcript_request.h"
#include "crypto/age_file.h"
#include "crypto/age_recipients.h"
#include "crypto/envelope.h"
#include "storage/amendment_box.h"
#include "storage/object_key.h"
#include "storage/storage_error.h"

#include <gio/gio.h>
#include <string.h>

#define RETRY_S 60

struct Transcripts {
    const OrgBook *orgs;
    const RecorderStorage *storage;
    AuditTrail *audit;
    AmendmentBox *box;
    guint timer;
    unsigned n_jobs;
    bool is_retrying;
};

/* One text on its way; made in the main thread, worked off in another. */
typedef struct {
    Transcripts *transcripts;
    TranscriptRequest *request;
    const OrgSettings *org;
    TranscriptReadyFunc on_ready;
    void *user_data;
    uint32_t part; /* of the manifest */
    char *track, *object, *recipient;
    GBytes *envelope, *sealed, *note;
    bool is_stored;
} Job;

static void
job_free(Job *self)
{
    transcript_request_free(self->request);
    g_free(self->track);
    g_free(self->object);
    g_free(self->recipient);
    g_clear_pointer(&self->envelope, g_bytes_unref);
    g_clear_pointer(&self->sealed, g_bytes_unref);
    g_clear_pointer(&self->note, g_bytes_unref);
    g_free(self);
}

static void
on_stored(const Amendment *amendment, void *user_data)
{
    const Transcripts *self = user_data;
    CatalogueWriter *catalogue = self->storage->catalogue;
    gsize n_bytes = 0;
    const char *bytes = g_bytes_get_data(amendment->note, &n_bytes);
    g_autofree char *note = g_strndup(bytes, n_bytes);

    catalogue_writer_add_envelope(catalogue, amendment->org, amendment->session,
                                  amendment->generation);
    catalogue_writer_add_part(catalogue, note);
    g_message("session %s: a text was added, as part %u of its manifest", amendment->session,
              amendment->part);
}

static void
retry(GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
    const Transcripts *self = data;

    (void) amendment_box_retry(self->box); /* it says itself what still waits */
    g_task_return_boolean(task, TRUE);
}

static void
on_retried(GObject *source, GAsyncResult *result, gpointer data)
{
    Transcripts *self = data;

    self->is_retrying = false;
    self->n_jobs--;
}

static gboolean
on_timer(gpointer data)
{
    Transcripts *self = data;
    g_autoptr(GTask) task = NULL;

    if (self->is_retrying)
        return G_SOURCE_CONTINUE;
    self->is_retrying = true;
    self->n_jobs++;
    task = g_task_new(NULL, NULL, on_retried, self);
    g_task_set_task_data(task, self, NULL);
    g_task_run_in_thread(task, retry);
    return G_SOURCE_CONTINUE;
}

Transcripts *
transcripts_new(const Settings *settings, const OrgBook *orgs, const RecorderStorage *storage,
                AuditTrail *audit, GError **error)
{
    g_autoptr(Transcripts) self = g_new0(Transcripts, 1);
    g_autofree char *folder = g_build_filename(settings->spool_path, "amendments", NULL);

    self->orgs = orgs;
    self->storage = storage;
    self->audit = audit;
    self->box =
        amendment_box_open(&(AmendmentBoxOptions){folder, storage->store, on_stored, self}, error);
    if (self->box == NULL)
        return NULL;
    self->timer = g_timeout_add_seconds(RETRY_S, on_timer, self);
    (void) on_timer(self);
    return g_steal_pointer(&self);
}

/* Steps 1 and 2. */
static bool
seal_key(Job *job, GError **error)
{
    const TranscriptRequest *request = job->request;
    g_autoptr(GPtrArray) recipients = age_recipients_parse(job->org->recipients, error);
    g_autoptr(EnvelopeBuilder) builder = NULL;

    if (recipients == NULL)
        return false;
    builder = envelope_builder_new(request->org, request->session, request->generation);
    job->recipient = envelope_builder_add_track(builder, job->track, error);
    if (job->recipient == NULL)
        return false;
    job->envelope = envelope_builder_seal(builder, recipients, error);
    return job->envelope != NULL;
}

static char *
manifest_text(const Job *job)
{
    const TranscriptRequest *request = job->request;
    const Digest digest = digest_of_bytes(job->sealed);
    g_autoptr(ManifestPart) part = manifest_part_new(request->org, request->session, job->part);
    ManifestTrack *track = g_new0(ManifestTrack, 1);
    ManifestSegment *segment = g_new0(ManifestSegment, 1);
    ManifestEnd *end = g_new0(ManifestEnd, 1);

    part->has_previous = true;
    part->previous = request->digest;
    part->state = SESSION_AMENDED;
    *track = (ManifestTrack){
        .id = g_strdup(job->track),
        .kind = g_strdup(MANIFEST_KIND_TEXT),
        .codec = g_strdup(MANIFEST_CODEC_WEBVTT),
        .participant = g_strdup("everyone"),
        .recipient = g_strdup(job->recipient),
        .anchor_unix_us = request->anchor_unix_us,
    };
    *segment = (ManifestSegment){
        .track = g_strdup(job->track),
        .duration_us = request->end_us,
        .flags = SEGMENT_FLAG_KEYFRAME | SEGMENT_FLAG_LAST,
        .object = g_strdup(job->object),
        .length = g_bytes_get_size(job->sealed),
        .digest = digest,
    };
    *end = (ManifestEnd){g_strdup(job->track), 1, request->end_us};
    g_ptr_array_add(part->tracks, track);
    g_ptr_array_add(part->segments, segment);
    g_ptr_array_add(part->ends, end);
    return manifest_part_to_text(part);
}

/* Step 3. */
static bool
seal_text(Job *job, GError **error)
{
    const TranscriptRequest *request = job->request;
    g_autoptr(AgeContext) context =
        age_context_new_segment(request->org, request->session, job->track, 0, 0);
    g_autoptr(GPtrArray) recipients =
        g_ptr_array_new_with_free_func((GDestroyNotify) age_recipient_free);
    AgeRecipient *recipient = age_recipient_parse(job->recipient, error);
    g_autofree char *text = NULL;
    char *note = NULL;

    if (recipient == NULL)
        return false;
    g_ptr_array_add(recipients, recipient);
    job->sealed = age_file_seal(recipients, context,
                                &(struct iovec){request->text, strlen(request->text)}, 1, error);
    if (job->sealed == NULL)
        return false;
    text = manifest_text(job);
    note = note_sign(job->transcripts->storage->signer, text);
    job->note = g_bytes_new_take(note, strlen(note));
    return true;
}

/* Step 4. */
static bool
write_audit(const Job *job, GError **error)
{
    const AuditEvent event = {.kind = AUDIT_AMENDED,
                              .session = job->request->session,
                              .policy = job->org->digest,
                              .tracks = job->track};

    if (audit_trail_write(job->transcripts->audit, job->request->org, &event, error))
        return true;
    (*error)->domain = RECORDER_ERROR;
    (*error)->code = RECORDER_ERROR_AUDIT;
    return false;
}

/* Step 5. */
static bool
put(Job *job, GError **error)
{
    const TranscriptRequest *request = job->request;
    const Amendment amendment = {request->org, request->session, request->generation, job->envelope,
                                 job->object,  job->sealed,      job->part,           job->note};
    g_autoptr(GError) cause = NULL;
    RecorderError code = RECORDER_ERROR_STORE;

    if (amendment_box_add(job->transcripts->box, &amendment, &job->is_stored, &cause))
        return true;
    if (g_error_matches(cause, STORAGE_ERROR, STORAGE_ERROR_CONFLICT))
        code = RECORDER_ERROR_CONFLICT;
    if (g_error_matches(cause, STORAGE_ERROR, STORAGE_ERROR_FULL))
        code = RECORDER_ERROR_FULL;
    g_set_error(error, RECORDER_ERROR, code, "%s%s",
                code == RECORDER_ERROR_CONFLICT ? "the session was amended meanwhile: " : "",
                cause->message);
    return false;
}

static void
work(GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
    Job *job = data;
    GError *error = NULL;

    if (seal_key(job, &error) && seal_text(job, &error) && write_audit(job, &error) &&
        put(job, &error)) {
        g_task_return_boolean(task, TRUE);
    } else {
        g_task_return_error(task, error);
    }
}

static void
on_worked(GObject *source, GAsyncResult *result, gpointer data)
{
    Job *job = data;
    Transcripts *self = job->transcripts;
    g_autoptr(GError) error = NULL;

    self->n_jobs--;
    if (g_task_propagate_boolean(G_TASK(result), &error)) {
        job->on_ready(json_pack("{s:s, s:s, s:i, s:s}", "session", job->request->session, "track",
                                job->track, "part", (int) job->part, "state",
                                job->is_stored ? "stored" : "waiting"),
                      NULL, job->user_data);
    } else {
        job->on_ready(NULL, error, job->user_data);
    }
    job_free(job);
}

void
transcripts_add(Transcripts *self, const char *session, const json_t *body,
                TranscriptReadyFunc on_ready, void *user_data)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(TranscriptRequest) request =
        transcript_request_parse(body, session, self->storage->verifiers, &error);
    const OrgSettings *org = request != NULL ? org_book_find(self->orgs, request->org) : NULL;
    g_autoptr(GTask) task = NULL;
    Job *job = NULL;

    if (request != NULL && org == NULL)
        g_set_error(&error, RECORDER_ERROR, RECORDER_ERROR_INVALID, "org is not known here");
    if (request == NULL || org == NULL) {
        on_ready(NULL, error, user_data);
        return;
    }
    job = g_new0(Job, 1);
    *job = (Job){.transcripts = self, .org = org, .on_ready = on_ready, .user_data = user_data};
    job->part = request->last->number + 1;
    job->track = g_strdup_printf(TRANSCRIPT_TRACK_PREFIX "%u", job->part);
    job->object = object_key_tape(job->track, 0, 0);
    job->request = g_steal_pointer(&request);
    self->n_jobs++;
    task = g_task_new(NULL, NULL, on_worked, job);
    g_task_set_task_data(task, job, NULL);
    g_task_run_in_thread(task, work);
}

void
transcripts_free(Transcripts *self)
{
    if (self == NULL)
        return;
    if (self->timer != 0)
        g_source_remove(self->timer);
    while (self->n_jobs > 0)
        (void) g_main_context_iteration(NULL, TRUE);
    amendment_box_free(self->box);
    g_free(self);
}
