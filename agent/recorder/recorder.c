#include "agent/recorder/recorder.h"

#include "agent/recorder/past_sessions.h"
#include "agent/recorder/recorder_reload.h"
#include "agent/recorder/recorder_storage.h"
#include "agent/recorder/session_rules.h"
#include "agent/recorder/session_table.h"
#include "agent/recorder/session_tracks.h"

#include <string.h>

#define STOP_LIMIT_US (10 * G_TIME_SPAN_SECOND)
#define STOP_POLL_MS  20
/* Of the watchdog; a disk that takes longer than that is a broken one. */
enum { LONGEST_ROUND_MS = 30000, LONGEST_FLUSH_MS = 120000, LONGEST_PUT_MS = 60000 };

struct Recorder {
    const Settings *settings;
    OrgBook *orgs;
    RecorderStorage storage;
    SpoolWatch *spool_watch;
    Uploader *uploader;
    Sealer *sealer;
    AuditTrail *audit;
    RecorderReload reload;
    Transcripts *transcripts;
    Ingress *ingress;
    Watchdog *watchdog;
    SessionTable *sessions;
    unsigned n_tracks; /* open, or about to be */
    guint heartbeat;
    uint64_t n_troubles;
    bool has_disk_trouble;
    void (*on_stopped)(void *user_data);
    void *stop_data;
    int64_t stop_by_us; /* 0: not stopping */
};

/* What a worker thread tells the main thread. */
typedef struct {
    Recorder *recorder;
    char *session, *message; /* NULL where it concerns all; of trouble */
    char *org;               /* of what is stored */
    bool is_stored, is_whole, is_trouble;
} News;

static void
news_free(gpointer data)
{
    News *self = data;

    g_free(self->session);
    g_free(self->message);
    g_free(self->org);
    g_free(self);
}

static gboolean
take_news(gpointer data)
{
    const News *news = data;
    Recorder *self = news->recorder;
    Session *session = news->session != NULL ? recorder_session(self, news->session) : NULL;

    if (news->is_trouble) {
        self->n_troubles++;
        self->has_disk_trouble = self->has_disk_trouble || news->session == NULL;
        g_warning("session %s: %s", news->session != NULL ? news->session : "-", news->message);
    } else if (news->is_stored) {
        if (session != NULL) {
            session_on_stored(session, news->is_whole);
        } else {
            past_sessions_audit_stored(self->audit, news->org, news->session, news->is_whole);
        }
        g_message("session %s: %s%s", news->session,
                  session != NULL ? session_state_text(session_state(session)) : "stored",
                  news->is_whole ? "" : " as far as it was acknowledged (interrupted)");
    } else {
        self->has_disk_trouble = false;
    }
    return G_SOURCE_REMOVE;
}

/* Not g_main_context_invoke(): before and after the main loop runs that would call right here. */
static void
tell_main(const News *content)
{
    g_autoptr(GSource) source = g_idle_source_new();

    g_source_set_priority(source, G_PRIORITY_DEFAULT);
    g_source_set_callback(source, take_news, g_memdup2(content, sizeof *content), news_free);
    (void) g_source_attach(source, NULL); /* removes itself */
}

static void
on_acknowledged(void *user_data)
{
    Recorder *self = user_data;

    uploader_wake(self->uploader);
    tell_main(&(News){.recorder = self});
}

static void
on_session_closed(const char *session, void *user_data)
{
    Recorder *self = user_data;

    uploader_wake(self->uploader);
}

static void
on_sealer_trouble(const char *session, const GError *error, void *user_data)
{
    tell_main(&(News){.recorder = user_data,
                      .session = g_strdup(session),
                      .message = g_strdup(error->message),
                      .is_trouble = true});
}

static void
on_part_stored(const char *note, void *user_data)
{
    Recorder *self = user_data;

    catalogue_writer_add_part(self->storage.catalogue, note);
}

static void
on_session_stored(const char *org, const char *session, SessionEnd end, void *user_data)
{
    tell_main(&(News){.recorder = user_data,
                      .org = g_strdup(org),
                      .session = g_strdup(session),
                      .is_stored = true,
                      .is_whole = end == SESSION_CLOSED});
}

static void
on_upload_trouble(const char *session, const GError *error, bool will_retry, void *user_data)
{
    if (will_retry) {
        g_warning("session %s: %s; trying again", session, error->message);
    } else {
        g_critical("session %s: %s; parked until somebody looks", session, error->message);
    }
}

static void
tell_all(const Recorder *self)
{
    g_autoptr(GPtrArray) sessions = recorder_sessions(self);

    for (guint i = 0; i < sessions->len; i++) {
        if (!session_has_ended(g_ptr_array_index(sessions, i)))
            session_tell(g_ptr_array_index(sessions, i));
    }
}

static gboolean
beat(gpointer data)
{
    Recorder *self = data;

    if (spool_watch_look(self->spool_watch))
        tell_all(self);
    if (self->n_tracks > 0)
        spool_heartbeat(self->storage.spool, g_get_real_time());
    session_table_end_overdue(self->sessions, self->settings->orphan_s * G_TIME_SPAN_SECOND);
    return G_SOURCE_CONTINUE;
}

static void
start_workers(Recorder *self)
{
    self->uploader = uploader_new(&(UploaderOptions){
        .spool = self->storage.spool,
        .store = self->storage.store,
        .signer = self->storage.signer,
        .on_part_stored = on_part_stored,
        .on_session_stored = on_session_stored,
        .on_trouble = on_upload_trouble,
        .user_data = self,
    });
    self->sealer = sealer_new(&(SealerOptions){
        .spool = self->storage.spool,
        .on_acknowledged = on_acknowledged,
        .on_session_closed = on_session_closed,
        .on_trouble = on_sealer_trouble,
        .user_data = self,
    });
    self->heartbeat = g_timeout_add_seconds(SPOOL_HEARTBEAT_US / G_USEC_PER_SEC, beat, self);
}

/* How long a turn may take when nothing is wrong but a slow disk, or a store that answers nothing:
 * then each put takes as long as it may, and only then is given up. */
static void
start_watchdog(Recorder *self)
{
    const StoreSettings *store = &self->settings->store;
    const unsigned put_ms =
        MAX(store->attempt_ms, LONGEST_PUT_MS) + MAX(store->retry_ms, LONGEST_PUT_MS);
    const WatchdogPart parts[] = {
        {"ingress",  LONGEST_ROUND_MS, ingress_ask,       self->ingress },
        {"sealer",   LONGEST_FLUSH_MS, sealer_ask,        self->sealer  },
        {"uploader", 4 * put_ms,       uploader_turns,    self->uploader},
        {"audit",    LONGEST_FLUSH_MS, audit_trail_turns, self->audit   },
    };

    self->watchdog = watchdog_new(parts, G_N_ELEMENTS(parts));
}

Recorder *
recorder_new(const Settings *settings, GError **error)
{
    g_autoptr(Recorder) self = g_new0(Recorder, 1);
    SpoolStatus spool = {0};

    self->settings = settings;
    self->sessions = session_table_new();
    self->orgs = org_book_new(settings);
    if (!recorder_storage_open(&self->storage, settings, error))
        return NULL;
    self->ingress = ingress_new(&(IngressOptions){.address = settings->rtp_address,
                                                  .first_port = settings->rtp_first_port,
                                                  .last_port = settings->rtp_last_port},
                                error);
    if (self->ingress == NULL)
        return NULL;
    self->spool_watch = spool_watch_new(self->storage.spool, &settings->spool_free);
    self->audit = audit_trail_new(&(AuditTrailOptions){.folder = settings->audit_path,
                                                       .orgs = settings->orgs,
                                                       .store = self->storage.store,
                                                       .signer = self->storage.signer,
                                                       .receiver = settings->audit->syslog,
                                                       .started = AUDIT_RECORDER_STARTED,
                                                       .stopped = AUDIT_RECORDER_STOPPED});
    past_sessions_audit_abandoned(self->audit, self->storage.spool);
    start_workers(self);
    self->transcripts = transcripts_new(settings, self->orgs, &self->storage, self->audit, error);
    if (self->transcripts == NULL)
        return NULL;
    start_watchdog(self);
    self->reload =
        (RecorderReload){self->orgs, settings, self->sessions, self->audit, self->storage.spool, 0};
    recorder_reload_start(&self->reload);
    spool_status(self->storage.spool, &spool);
    if (spool.n_recovered > 0) {
        g_message("%" G_GUINT64_FORMAT " sessions were open when the recorder last ended; they "
                  "are closed as interrupted, with %" G_GUINT64_FORMAT
                  " segments on their way to the store",
                  spool.n_recovered, spool.n_segments);
    }
    uploader_wake(self->uploader);
    return g_steal_pointer(&self);
}

typedef struct {
    Recorder *recorder;
    SessionReadyFunc on_ready;
    void *user_data;
} Start;

static void
on_session_ready(Session *session, const char *reason, const GError *error, void *user_data)
{
    g_autofree Start *start = user_data;
    Recorder *self = start->recorder;

    if (error == NULL) {
        g_message("session %s: recording", session_id(session));
    } else {
        g_message("session %s: not recorded: %s", session_id(session), error->message);
    }
    start->on_ready(session, reason, error, start->user_data);
    /* One that never began leaves nothing behind. */
    if (error != NULL && session_is_over(session))
        session_table_drop(self->sessions, session);
}

void
recorder_start_session(Recorder *self, SessionRequest *request, SessionReadyFunc on_ready,
                       void *user_data)
{
    const SessionServices services = {
        .settings = self->settings,
        .orgs = self->orgs,
        .spool = self->storage.spool,
        .store = self->storage.store,
        .catalogue = self->storage.catalogue,
        .ingress = self->ingress,
        .sealer = self->sealer,
        .limits = session_limits_of(self->settings),
        .spool_watch = self->spool_watch,
        .audit = self->audit,
        .n_tracks = &self->n_tracks,
        .sessions = self->sessions,
    };
    Start *start = g_new0(Start, 1);
    Session *session = NULL;

    *start = (Start){self, on_ready, user_data};
    session = session_new(&services, request, on_session_ready, start);
    session_table_add(self->sessions, session);
}

Session *
recorder_session(const Recorder *self, const char *id)
{
    return session_table_find(self->sessions, id);
}

GPtrArray *
recorder_sessions(const Recorder *self)
{
    return session_table_list(self->sessions);
}

Transcripts *
recorder_transcripts(const Recorder *self)
{
    return self->transcripts;
}

AuditTrail *
recorder_audit(const Recorder *self)
{
    return self->audit;
}

void
recorder_status(Recorder *self, RecorderStatus *status)
{
    status->settings = self->settings;
    status->watchdog = self->watchdog;
    spool_status(self->storage.spool, &status->spool);
    uploader_status(self->uploader, &status->uploader);
    catalogue_writer_status(self->storage.catalogue, &status->catalogue);
    status->queued_bytes = sealer_queued_bytes(self->sealer);
    status->spool_level = spool_watch_level(self->spool_watch);
    status->spool_free_bytes = spool_watch_free_bytes(self->spool_watch);
    status->n_troubles = self->n_troubles;
    status->has_disk_trouble = self->has_disk_trouble;
    status->is_stopping = self->stop_by_us != 0;
}

static gboolean
check_stopped(gpointer data)
{
    Recorder *self = data;
    const unsigned n_left = session_table_count_unfinished(self->sessions);

    if (n_left > 0 && g_get_monotonic_time() < self->stop_by_us)
        return G_SOURCE_CONTINUE;
    if (n_left > 0) {
        g_warning("%u sessions are not yet stored; they wait in the spool for the next start",
                  n_left);
    }
    self->on_stopped(self->stop_data);
    return G_SOURCE_REMOVE;
}

void
recorder_stop(Recorder *self, void (*on_stopped)(void *user_data), void *user_data)
{
    g_autoptr(GPtrArray) sessions = session_table_list(self->sessions);

    self->on_stopped = on_stopped;
    self->stop_data = user_data;
    self->stop_by_us = g_get_monotonic_time() + STOP_LIMIT_US;
    for (guint i = 0; i < sessions->len; i++)
        (void) session_stop(g_ptr_array_index(sessions, i)); /* false: it had ended already */
    (void) g_timeout_add(STOP_POLL_MS, check_stopped, self); /* removes itself */
}

void
recorder_free(Recorder *self)
{
    if (self == NULL)
        return;
    if (self->heartbeat != 0)
        g_source_remove(self->heartbeat);
    recorder_reload_stop(&self->reload);
    watchdog_free(self->watchdog);
    /* From the source to the store: each stage works off what the one before has given it. */
    ingress_free(self->ingress);
    sealer_free(self->sealer);
    transcripts_free(self->transcripts);
    uploader_free(self->uploader);
    audit_trail_free(self->audit);
    session_table_free(self->sessions);
    spool_watch_free(self->spool_watch);
    recorder_storage_clear(&self->storage);
    org_book_free(self->orgs);
    g_free(self);
}
