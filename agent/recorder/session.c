#include "agent/recorder/session.h"

#include "agent/recorder/session_audit.h"
#include "agent/recorder/session_internal.h"
#include "agent/recorder/session_meta.h"
#include "agent/recorder/session_table.h"
#include "agent/recorder/session_withdrawal.h"

#include <string.h>

G_DEFINE_QUARK(sealtape - recorder - error - quark, recorder_error)

static void
session_track_free(gpointer data)
{
    SessionTrack *self = data;

    track_free(self->track);
    track_request_free(self->request);
    g_free(self->recipient);
    g_free(self);
}

/* Takes `request`. */
static SessionTrack *
append_track(Session *self, TrackRequest *request)
{
    SessionTrack *track = g_new0(SessionTrack, 1);

    track->request = request;
    g_ptr_array_add(self->tracks, track);
    return track;
}

static SessionTrack *
find_track(const Session *self, const char *id)
{
    for (guint i = 0; i < self->tracks->len; i++) {
        SessionTrack *track = g_ptr_array_index(self->tracks, i);

        if (strcmp(track->request->id, id) == 0)
            return track;
    }
    return NULL;
}

static GError *
refusal(const Session *self, ConsentReason reason)
{
    const char *decided_for = NULL;

    for (int i = 0; i < N_PURPOSES && decided_for == NULL; i++) {
        if (self->decisions[i] == reason)
            decided_for = self->decided_for[i];
    }
    return g_error_new(RECORDER_ERROR, RECORDER_ERROR_REFUSED, "recording is not permitted: %s%s%s",
                       consent_reason_text(reason), decided_for != NULL ? " of participant " : "",
                       decided_for != NULL ? decided_for : "");
}

/* A refusal is told later like every answer, so that callers see one order of events. `error` is
 * owned; `reason` is of what was decided about what was asked for. */
typedef struct {
    Session *session;
    SessionReadyFunc on_ready;
    void *user_data;
    ConsentReason reason;
    GError *error;
} Refusal;

static gboolean
tell_refusal(gpointer data)
{
    Refusal *self = data;
    Session *session = self->session;

    session->n_jobs--;
    self->on_ready(session, consent_reason_text(self->reason), self->error, self->user_data);
    g_clear_error(&self->error);
    g_free(self);
    return G_SOURCE_REMOVE;
}

static void
answer_later(const Refusal *content)
{
    content->session->n_jobs++;
    /* Runs once, before the session may be freed. */
    (void) g_idle_add(tell_refusal, g_memdup2(content, sizeof *content));
}

static GPtrArray *
permitted_tracks(const Session *self)
{
    GPtrArray *tracks = g_ptr_array_new();

    for (guint i = 0; i < self->tracks->len; i++) {
        SessionTrack *track = g_ptr_array_index(self->tracks, i);

        if (self->decisions[purpose_of(track->request)] == CONSENT_OK)
            g_ptr_array_add(tracks, track);
    }
    return tracks;
}

/* Takes over what `request` (taken) says. */
static Session *
make_session(const SessionServices *services, SessionRequest *request)
{
    Session *self = g_new0(Session, 1);

    self->services = *services;
    self->id = g_uuid_string_random();
    self->org = g_steal_pointer(&request->org);
    self->reference = g_steal_pointer(&request->reference);
    self->service = g_steal_pointer(&request->service);
    self->label = request->label;
    self->participants = g_steal_pointer(&request->participants);
    self->settings = org_book_find(services->orgs, self->org);
    self->created_unix_us = g_get_real_time();
    self->zero_monotonic_us = g_get_monotonic_time();
    self->last_sign_us = self->zero_monotonic_us;
    self->watchers = session_watchers_new();
    self->sealer_session = sealer_session_new(self->org, self->id);
    self->rate = rate_limit_new(services->settings->max_session_kbps);
    self->state = SESSION_STATE_STARTING;
    self->tracks = g_ptr_array_new_with_free_func(session_track_free);
    for (guint i = 0; i < request->tracks->len; i++)
        (void) append_track(self, g_ptr_array_index(request->tracks, i));
    g_ptr_array_set_free_func(request->tracks, NULL);
    if (request->source != NULL && services->settings->janus != NULL)
        self->source = janus_source_new(self, services->settings, request->source);
    session_request_free(request);
    return self;
}

/* Each session decides by who it knows, so a room that two of them followed could be recorded by
 * one whose participants are not all that are in it.
 * Returns: why `source` can not be had, owned; NULL if it can. */
static GError *
source_fault(const SessionServices *services, const SourceRequest *source)
{
    g_autoptr(GPtrArray) sessions = NULL;

    if (source == NULL)
        return NULL;
    if (services->settings->janus == NULL) {
        return g_error_new(RECORDER_ERROR, RECORDER_ERROR_INVALID,
                           "\"source\": this recorder's configuration names no Janus");
    }
    sessions = session_table_list(services->sessions);
    for (guint i = 0; i < sessions->len; i++) {
        const Session *other = g_ptr_array_index(sessions, i);

        if (other->source != NULL && session_is_open(other) &&
            janus_source_follows(other->source, source->room)) {
            return g_error_new(RECORDER_ERROR, RECORDER_ERROR_CONFLICT,
                               "\"source\": session %s follows this room already; stop it first",
                               other->id);
        }
    }
    return NULL;
}

static Session *
begin_failed(Session *self, SessionEvent event, SessionReadyFunc on_ready, void *user_data,
             GError *error)
{
    session_move(self, event);
    answer_later(&(Refusal){self, on_ready, user_data, session_reason(self), error});
    return self;
}

Session *
session_new(const SessionServices *services, SessionRequest *request, SessionReadyFunc on_ready,
            void *user_data)
{
    GError *error = source_fault(services, request->source);
    Session *self = make_session(services, request);
    g_autoptr(GPtrArray) tracks = NULL;
    ConsentReason reason = CONSENT_OK;

    session_decide(self);
    reason = session_reason(self);
    if (reason != CONSENT_OK) {
        g_clear_error(&error);
        return begin_failed(self, SESSION_EVENT_DENIED, on_ready, user_data, refusal(self, reason));
    }
    if (error != NULL)
        return begin_failed(self, SESSION_EVENT_FAILED, on_ready, user_data, error);
    tracks = permitted_tracks(self);
    if (!spool_watch_has_room(services->spool_watch, &error) ||
        !session_may_begin(self, tracks->len, &error))
        return begin_failed(self, SESSION_EVENT_FAILED, on_ready, user_data, error);
    session_audit_present(self);
    session_key_tracks(self, tracks, on_ready, user_data);
    return self;
}

TrackRequest *
session_parse_track(const Session *self, const json_t *form, char **fault)
{
    return track_request_parse(form, self->participants, fault);
}

void
session_add_track(Session *self, TrackRequest *request, SessionReadyFunc on_ready, void *user_data)
{
    g_autoptr(TrackRequest) wanted = request;
    g_autoptr(GPtrArray) tracks = g_ptr_array_new();
    const ConsentReason decision = self->decisions[purpose_of(request)];
    GError *error = NULL;

    if (!session_is_open(self)) {
        error = g_error_new(RECORDER_ERROR, RECORDER_ERROR_CONFLICT,
                            "session %s has ended and takes no more tracks", self->id);
    } else if (find_track(self, request->id) != NULL) {
        error = g_error_new(RECORDER_ERROR, RECORDER_ERROR_CONFLICT, "there is a track %s already",
                            request->id);
    } else if (session_may_add_track(self, &error)) {
        g_ptr_array_add(tracks, append_track(self, g_steal_pointer(&wanted)));
        if (decision == CONSENT_OK) {
            session_key_tracks(self, tracks, on_ready, user_data);
            return;
        }
        /* It stays known, and begins by itself when the consent comes. */
        error = refusal(self, decision);
    }
    answer_later(&(Refusal){self, on_ready, user_data, decision, error});
}

bool
session_stop(Session *self)
{
    const int64_t until_us = session_now_us(self);
    unsigned n_tracks = 0, n_open = 0;

    if (!session_is_open(self))
        return false;
    session_move(self, SESSION_EVENT_STOPPED);
    if (!self->is_begun)
        return true;
    session_tell_mark(self);
    for (guint i = 0; i < self->tracks->len; i++) {
        const SessionTrack *track = g_ptr_array_index(self->tracks, i);

        srtp_key_wipe(track->request->srtp); /* of one that never began */
        if (track->track == NULL)
            continue;
        track_finish(track->track, until_us);
        n_tracks++;
        n_open += track->is_ended ? 0 : 1;
    }
    *self->services.n_tracks -= n_open;
    session_close(self, n_tracks);
    return true;
}

void
session_on_stored(Session *self, bool is_whole)
{
    SessionCounts counts = {0};

    self->is_stored = true;
    session_add_counts(self, &counts);
    if (!is_whole || counts.n_lost_segments > 0) {
        session_move(self, SESSION_EVENT_DAMAGED);
    } else {
        session_move(self,
                     session_is_apart(self) ? SESSION_EVENT_STORED_APART : SESSION_EVENT_STORED);
    }
}

const char *
session_id(const Session *self)
{
    return self->id;
}

SessionState
session_state(const Session *self)
{
    return self->state;
}

bool
session_is_open(const Session *self)
{
    return self->state == SESSION_STATE_STARTING || self->state == SESSION_STATE_RECORDING ||
           self->state == SESSION_STATE_PAUSED;
}

bool
session_is_over(const Session *self)
{
    return self->n_jobs == 0 && self->watchers->len == 0 && !session_is_open(self) &&
           (self->is_stored || !self->is_begun);
}

void
session_free(Session *self)
{
    /* A worker that hangs on the store at the end of the process still holds it. */
    if (self == NULL || self->n_jobs > 0)
        return;
    janus_source_free(self->source);
    g_ptr_array_unref(self->tracks);
    sealer_session_free(self->sealer_session);
    rate_limit_unref(self->rate);
    g_array_unref(self->watchers);
    g_free(self->pause_reason);
    participants_free(self->participants);
    g_clear_pointer(&self->sender_clocks, g_hash_table_unref);
    for (int i = 0; i < N_PURPOSES; i++)
        g_free(self->decided_for[i]);
    g_free(self->reference);
    g_free(self->service);
    g_free(self->org);
    g_free(self->id);
    g_free(self);
}
