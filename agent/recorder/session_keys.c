#include "agent/recorder/session_audit.h"
#include "agent/recorder/session_internal.h"
#include "agent/recorder/session_meta.h"
#include "agent/recorder/session_withdrawal.h"
#include "crypto/envelope.h"
#include "crypto/secret.h"
#include "storage/storage_error.h"

#include <gio/gio.h>

/* The order that makes a recording openable, and only by those it was sealed to:
 *   1. each track's key pair is drawn and the envelope sealed to the organisation's recipients;
 *   2. the secret halves are wiped: the builder is freed before anything else happens;
 *   3. a worker writes the audit record: nothing is kept or captured that it does not tell of;
 *   4. ports are bound;
 *   5. session, envelope, metadata and tracks are made durable in the spool with one flush. From
 * then on the uploader sees to it that the store has the envelope before any media of the session;
 *   6. only now the ports are told to anyone.
 * So a store that is down at this moment costs nobody a recording. */

typedef struct {
    Session *session;
    GPtrArray *tracks; /* SessionTrack, borrowed */
    SessionReadyFunc on_ready;
    void *user_data;
    uint32_t generation;
    const char *policy; /* digest of the rules, which outlive it */
    char *envelope_name;
    GBytes *envelope, *meta; /* meta: first generation only */
} KeyJob;

static void
key_job_free(KeyJob *self)
{
    g_ptr_array_unref(self->tracks);
    g_free(self->envelope_name);
    g_clear_pointer(&self->envelope, g_bytes_unref);
    g_clear_pointer(&self->meta, g_bytes_unref);
    g_free(self);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(KeyJob, key_job_free)

/* Step 1, and 2 but for the stack. */
static bool
draw_keys(KeyJob *job, GError **error)
{
    Session *session = job->session;
    g_autoptr(GPtrArray) recipients = session_recipients(session, error);
    g_autoptr(EnvelopeBuilder) builder = NULL;

    if (recipients == NULL)
        return false;
    /* A session whose tracks are all still to come has nothing to open yet. */
    if (job->tracks->len == 0)
        return true;
    builder = envelope_builder_new(session->org, session->id, session->generation);
    for (guint i = 0; i < job->tracks->len; i++) {
        SessionTrack *track = g_ptr_array_index(job->tracks, i);

        g_free(track->recipient);
        track->recipient = envelope_builder_add_track(builder, track->request->id, error);
        if (track->recipient == NULL)
            return false;
    }
    job->envelope = envelope_builder_seal(builder, recipients, error);
    return job->envelope != NULL;
}

static bool
seal_keys(KeyJob *job, GError **error)
{
    const bool is_sealed = draw_keys(job, error);

    secret_wipe_stack();
    return is_sealed;
}

/* Step 3, in a worker. */
static void
write_audit(GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
    const KeyJob *job = data;
    GError *error = NULL;

    if (session_audit_start(job->session, job->policy, job->generation, job->tracks->len, &error)) {
        g_task_return_boolean(task, TRUE);
    } else {
        g_task_return_new_error(task, RECORDER_ERROR, RECORDER_ERROR_AUDIT, "%s", error->message);
        g_error_free(error);
    }
}

static Track *
open_track(Session *self, const SessionTrack *track, GError **error)
{
    const Settings *settings = self->services.settings;
    const TrackOptions options = {
        .id = track->request->id,
        .recipient = track->recipient,
        .format = track->request->format,
        .roles = track->request->roles,
        .feedback = track->request->feedback,
        .srtp = track->request->srtp,
        .sender_clocks = session_sender_clocks(self, track->request->participant),
        .zero_monotonic_us = self->zero_monotonic_us,
        .from_us = session_now_us(self),
        .segment_ms = settings->segment_ms,
        .object_ms = settings->object_ms,
        .reorder_ms = settings->reorder_ms,
        .max_kbps = settings->max_track_kbps,
        .session_rate = self->rate,
    };

    return track_new(&options, self->services.ingress, self->services.sealer, self->sealer_session,
                     error);
}

static bool
keep_object(const Session *self, LedgerObject *object, GBytes *sealed, GError **error)
{
    if (sealed == NULL)
        return true;
    object->bytes = g_bytes_get_data(sealed, &object->n_bytes);
    return spool_add_object(self->services.spool, self->id, object, error);
}

static bool
tell_spool(Session *self, const KeyJob *job, GError **error)
{
    g_autofree char *policy = session_policy_lines(self, NULL);
    const LedgerSession session = {self->org, self->id, self->created_unix_us, policy};
    LedgerObject envelope = {.name = job->envelope_name};
    /* A session that began without a track has its metadata already. */
    LedgerObject meta = {.name = "meta.age", .replaces = self->is_begun};

    if (!self->is_begun && !spool_add_session(self->services.spool, &session, error))
        return false;
    self->is_begun = true;
    if (!keep_object(self, &envelope, job->envelope, error) ||
        !keep_object(self, &meta, job->meta, error))
        return false;
    for (guint i = 0; i < job->tracks->len; i++) {
        const SessionTrack *track = g_ptr_array_index(job->tracks, i);
        const LedgerTrack ledger = {
            .id = track->request->id,
            .kind = purpose_of(track->request) == PURPOSE_VIDEO ? "video" : "audio",
            .codec = media_codec_name(track->request->format.codec),
            .participant = track->request->participant,
            .recipient = track->recipient,
            .from_us = track_from_us(track->track),
        };

        if (!spool_add_track(self->services.spool, self->id, &ledger, error))
            return false;
    }
    return spool_commit(self->services.spool, error);
}

/* Takes back what open_tracks() has done. */
static void
discard_tracks(Session *self, GPtrArray *tracks)
{
    for (guint i = 0; i < tracks->len; i++) {
        SessionTrack *track = g_ptr_array_index(tracks, i);

        if (track->track != NULL)
            track_discard(g_steal_pointer(&track->track));
    }
}

/* Steps 4 and 5. */
static bool
open_tracks(Session *self, const KeyJob *job, GError **error)
{
    if (!self->is_begun) {
        self->created_unix_us = g_get_real_time();
        self->zero_monotonic_us = g_get_monotonic_time();
    }
    for (guint i = 0; i < job->tracks->len; i++) {
        SessionTrack *track = g_ptr_array_index(job->tracks, i);

        track->track = open_track(self, track, error);
        if (track->track == NULL)
            return false;
    }
    return tell_spool(self, job, error);
}

/* A session that the spool knows but that has no track left is closed as it is: empty, and visible.
 */
static void
give_up_if_empty(Session *self)
{
    for (guint i = 0; i < self->tracks->len; i++) {
        if (((const SessionTrack *) g_ptr_array_index(self->tracks, i))->track != NULL)
            return;
    }
    if (!self->is_begun)
        return;
    session_move(self, SESSION_EVENT_FAILED);
    session_close(self, 0);
}

/* What went wrong below, as the API's answer. */
static GError *
refusal_of(const GError *cause, const char *action)
{
    RecorderError code = RECORDER_ERROR_STORE;

    if (g_error_matches(cause, STORAGE_ERROR, STORAGE_ERROR_FULL)) {
        code = RECORDER_ERROR_FULL;
    } else if (g_error_matches(cause, G_IO_ERROR, G_IO_ERROR_NO_SPACE)) {
        code = RECORDER_ERROR_CAPACITY;
    } else if (cause->domain == RECORDER_ERROR) {
        code = (RecorderError) cause->code;
    }
    return g_error_new(RECORDER_ERROR, code, "%s, so nothing is recorded: %s", action,
                       cause->message);
}

static void
end_job(KeyJob *job, const GError *error)
{
    Session *self = job->session;

    for (guint i = 0; i < job->tracks->len; i++)
        ((SessionTrack *) g_ptr_array_index(job->tracks, i))->is_keying = false;
    self->n_jobs--;
    if (error != NULL)
        *self->services.n_tracks -= job->tracks->len;
    job->on_ready(self, consent_reason_text(session_reason(self)), error, job->user_data);
}

static void
on_noted(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(KeyJob) job = data;
    Session *self = job->session;
    g_autoptr(GError) cause = NULL;
    g_autoptr(GError) error = NULL;

    if (!g_task_propagate_boolean(G_TASK(result), &cause)) {
        error = refusal_of(cause, cause->domain == RECORDER_ERROR
                                      ? "the session's beginning can not be audited"
                                      : "the session's keys can not be sealed");
    } else if (!session_is_open(self)) {
        error = g_error_new(RECORDER_ERROR, RECORDER_ERROR_CONFLICT,
                            "session %s has ended meanwhile", self->id);
    } else if (!open_tracks(self, job, &cause)) {
        error = refusal_of(cause, "the tracks can not be opened");
        discard_tracks(self, job->tracks);
        give_up_if_empty(self);
    } else {
        if (job->envelope != NULL) {
            catalogue_writer_add_envelope(self->services.catalogue, self->org, self->id,
                                          job->generation);
        }
        for (guint i = 0; i < job->tracks->len; i++)
            srtp_key_wipe(((SessionTrack *) g_ptr_array_index(job->tracks, i))->request->srtp);
        /* Somebody may have joined or left, or asked for a pause, meanwhile. */
        session_hold_tracks(self);
        session_finish_ended(self, job->tracks);
        session_move(self, SESSION_EVENT_PERMITTED);
        if (self->meta_is_dirty)
            session_update_meta(self);
    }
    if (error != NULL && !self->is_begun)
        session_move(self, SESSION_EVENT_FAILED);
    end_job(job, error);
}

void
session_key_tracks(Session *self, GPtrArray *tracks, SessionReadyFunc on_ready, void *user_data)
{
    g_autoptr(KeyJob) job = g_new0(KeyJob, 1);
    g_autoptr(GTask) task = NULL;
    g_autoptr(GError) error = NULL;
    const bool is_first = self->generation == 0;

    self->generation += tracks->len > 0 ? 1 : 0;
    self->n_jobs++;
    *self->services.n_tracks += tracks->len; /* their places, while the keys are stored */
    job->session = self;
    job->generation = self->generation;
    job->policy = self->settings->digest;
    job->tracks = g_ptr_array_ref(tracks);
    job->on_ready = on_ready;
    job->user_data = user_data;
    job->envelope_name = g_strdup_printf("env/%u.age", self->generation);
    for (guint i = 0; i < tracks->len; i++)
        ((SessionTrack *) g_ptr_array_index(tracks, i))->is_keying = true;

    if (is_first)
        job->meta = session_seal_meta(self, &error);
    task = g_task_new(NULL, NULL, on_noted, job);
    g_task_set_task_data(task, job, NULL);
    if ((is_first && job->meta == NULL) || !seal_keys(job, &error)) {
        g_task_return_error(task, g_steal_pointer(&error));
    } else {
        g_task_run_in_thread(task, write_audit);
    }
    g_steal_pointer(&job);
}
