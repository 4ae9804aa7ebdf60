#include "agent/trail/audit_trail.h"

#include "agent/trail/audit_anchor.h"
#include "agent/trail/audit_forward.h"
#include "agent/trail/audit_limit.h"
#include "agent/trail/trail_log.h"
#include "storage/storage_error.h"

/* The thread looks around once a second, or as soon as something was noted:
 * 1. append what was noted, and what the limit has left out; where that fails, try again;
 * 2. a heartbeat for a log in which nothing was written for a while;
 * 3. sign what is due; the anchor's thread takes it to the store. */

enum {
    ROUND_US = G_USEC_PER_SEC,
    SIGN_RECORDS = 64,
    SIGN_US = 60 * G_USEC_PER_SEC,
    HEARTBEAT_US = 15 * 60 * G_USEC_PER_SEC,
};

typedef struct {
    TrailLog *log; /* written under `order`, as is what follows */
    AuditLimit *limit;
    int64_t written_us, signed_us; /* monotonic: the last record, the last checkpoint */
    uint64_t n_seen;
    bool has_ended; /* a session has, since the last checkpoint */
} Log;

typedef struct {
    Log *log;
    AuditKind kind;
    bool is_bounded;
    char *reason;
    char *words;
} Note;

struct AuditTrail {
    AuditAnchor *anchor;
    AuditForward *forward; /* NULL: to nobody */
    GHashTable *logs;      /* char * -> Log, never changed after the start */
    GMutex order;          /* held while anything is appended, behind all that was noted before */
    GMutex lock;
    GCond changed;
    struct {
        GQueue notes; /* Note */
    } locked;
    GThread *thread;
    AuditKind stopped;
    unsigned n_turns; /* atomic */
    gint is_ending;   /* atomic */
};

static void
log_free(gpointer data)
{
    Log *self = data;

    trail_log_free(self->log);
    audit_limit_free(self->limit);
    g_free(self);
}

static void
note_free(gpointer data)
{
    Note *self = data;

    g_free(self->reason);
    g_free(self->words);
    g_free(self);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Note, note_free)

static void
push(AuditTrail *self, const char *org, const AuditEvent *event, bool is_bounded)
{
    Log *log = g_hash_table_lookup(self->logs, org);
    Note *note = NULL;

    if (log == NULL)
        return;
    note = g_new(Note, 1);
    *note = (Note){log, event->kind, is_bounded, g_strdup(event->reason), audit_event_words(event)};
    g_mutex_lock(&self->lock);
    g_queue_push_tail(&self->locked.notes, note);
    g_cond_signal(&self->changed);
    g_mutex_unlock(&self->lock);
}

void
audit_trail_note(AuditTrail *self, const char *org, const AuditEvent *event)
{
    push(self, org, event, false);
}

void
audit_trail_note_bounded(AuditTrail *self, const char *org, const AuditEvent *event)
{
    push(self, org, event, true);
}

void
audit_trail_note_all(AuditTrail *self, const AuditEvent *event)
{
    GHashTableIter iter;
    gpointer org = NULL;

    g_hash_table_iter_init(&iter, self->logs);
    while (g_hash_table_iter_next(&iter, &org, NULL))
        audit_trail_note(self, org, event);
}

static bool
is_end(AuditKind kind)
{
    return kind == AUDIT_RECORDING_STORED || kind == AUDIT_RECORDING_INCOMPLETE ||
           kind == AUDIT_RECORDING_FAILED;
}

static void
take_note(const Note *note)
{
    if (!note->is_bounded || audit_limit_admits(note->log->limit, audit_kind_text(note->kind),
                                                note->reason, g_get_monotonic_time()))
        trail_log_note(note->log->log, note->kind, note->words);
    note->log->has_ended |= is_end(note->kind);
}

static void
on_left_out(const char *kind, const char *reason, uint64_t count, void *user_data)
{
    trail_log_note_event(user_data, &(AuditEvent){.kind = AUDIT_EVENTS_LEFT_OUT,
                                                  .outcome = AUDIT_REFUSED,
                                                  .reason = reason,
                                                  .detail = kind,
                                                  .count = count});
}

/* Steps 2 and 3. `is_last`: sign whatever there is. */
static void
keep(Log *self, int64_t now_us, bool is_last)
{
    AuditLog *file = trail_log_file(self->log);
    uint64_t n_records = audit_log_length(file);
    uint64_t n_signed = 0;
    g_autoptr(GBytes) note = audit_log_checkpoint(file, &n_signed);
    g_autoptr(GError) error = NULL;

    if (n_records != self->n_seen) {
        self->n_seen = n_records;
        self->written_us = now_us;
    } else if (now_us - self->written_us >= HEARTBEAT_US) {
        trail_log_note_event(self->log, &(AuditEvent){.kind = AUDIT_HEARTBEAT});
        self->written_us = now_us;
        n_records = self->n_seen = audit_log_length(file);
    }
    if (note != NULL && n_records == n_signed)
        return;
    if (!is_last && !self->has_ended && note != NULL && n_records - n_signed < SIGN_RECORDS &&
        now_us - self->signed_us < SIGN_US)
        return;
    self->signed_us = now_us;
    self->has_ended = false;
    if (!audit_log_sign(file, &error)) {
        g_warning("%s: no checkpoint of the audit log: %s", trail_log_org(self->log),
                  error->message);
    }
}

static void
look_around(AuditTrail *self, bool is_last)
{
    const int64_t now_us = g_get_monotonic_time();
    GHashTableIter iter;
    gpointer value = NULL;

    g_hash_table_iter_init(&iter, self->logs);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        Log *log = value;

        if (trail_log_file(log->log) == NULL)
            continue;
        trail_log_try_again(log->log);
        audit_limit_close(log->limit, is_last ? G_MAXINT64 : now_us, on_left_out, log->log);
        if (is_last)
            trail_log_note_event(log->log, &(AuditEvent){.kind = self->stopped});
        keep(log, now_us, is_last);
    }
}

static Note *
pop(AuditTrail *self)
{
    Note *note = NULL;

    g_mutex_lock(&self->lock);
    note = g_queue_pop_head(&self->locked.notes);
    g_mutex_unlock(&self->lock);
    return note;
}

/* Under `order`. */
static void
take_notes(AuditTrail *self)
{
    Note *next = NULL;

    while ((next = pop(self)) != NULL) {
        g_autoptr(Note) note = next;

        take_note(note);
    }
}

bool
audit_trail_write(AuditTrail *self, const char *org, const AuditEvent *event, GError **error)
{
    Log *log = g_hash_table_lookup(self->logs, org);
    g_autofree char *words = audit_event_words(event);
    bool is_done = false;

    if (log == NULL) {
        g_set_error(error, STORAGE_ERROR, STORAGE_ERROR_NOT_FOUND, "%s has no audit log", org);
        return false;
    }
    if (!audit_forward_admits(self->forward, org, error))
        return false;
    g_mutex_lock(&self->order);
    take_notes(self);
    is_done = trail_log_append(log->log, words, error);
    g_mutex_unlock(&self->order);
    return is_done;
}

/* Until something was noted, the end, or a round is over. */
static void
wait_for_notes(AuditTrail *self)
{
    const int64_t until_us = g_get_monotonic_time() + ROUND_US;

    g_mutex_lock(&self->lock);
    while (g_queue_is_empty(&self->locked.notes) && !g_atomic_int_get(&self->is_ending) &&
           g_cond_wait_until(&self->changed, &self->lock, until_us))
        continue;
    g_mutex_unlock(&self->lock);
}

static void
do_round(AuditTrail *self, bool is_last)
{
    g_mutex_lock(&self->order);
    take_notes(self);
    look_around(self, is_last);
    g_mutex_unlock(&self->order);
}

static gpointer
run(gpointer data)
{
    AuditTrail *self = data;

    while (!g_atomic_int_get(&self->is_ending)) {
        g_atomic_int_inc(&self->n_turns);
        wait_for_notes(self);
        do_round(self, false);
    }
    do_round(self, true);
    return NULL;
}

static void
on_lag(const char *org, AuditKind kind, uint64_t n_waiting, void *user_data)
{
    audit_trail_note(user_data, org, &(AuditEvent){.kind = kind, .count = n_waiting});
}

static void
open_log(AuditTrail *self, const AuditTrailOptions *options, const OrgSettings *org)
{
    const AuditLogOptions place = {options->folder, org->id, options->signer, 0};
    Log *log = g_new0(Log, 1);
    GError *fault = NULL;
    AuditLog *file = audit_log_open(&place, &fault);

    if (file != NULL && !audit_forward_add(self->forward, options->folder, org->id, file, &fault)) {
        g_clear_pointer(&file, audit_log_free);
    }
    log->limit = audit_limit_new();
    log->written_us = log->signed_us = g_get_monotonic_time();
    log->log = trail_log_new(org->id, file, fault);
    g_hash_table_insert(self->logs, (char *) trail_log_org(log->log), log);
    if (file == NULL) {
        g_warning("%s: nothing is recorded or opened without an audit log: %s", org->id,
                  fault->message);
        return;
    }
    audit_anchor_add(self->anchor, org->id, file);
    trail_log_note_event(
        log->log,
        &(AuditEvent){.kind = options->started, .policy = org->digest, .detail = SEALTAPE_VERSION});
}

AuditTrail *
audit_trail_new(const AuditTrailOptions *options)
{
    AuditTrail *self = g_new0(AuditTrail, 1);

    self->anchor = audit_anchor_new(options->store);
    self->logs = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, log_free);
    g_mutex_init(&self->order);
    g_mutex_init(&self->lock);
    g_cond_init(&self->changed);
    g_queue_init(&self->locked.notes);
    self->stopped = options->stopped;
    self->forward = audit_forward_new(options->receiver, on_lag, self);
    for (guint i = 0; i < options->orgs->len; i++)
        open_log(self, options, options->orgs->pdata[i]);
    audit_anchor_start(self->anchor);
    audit_forward_start(self->forward);
    self->thread = g_thread_new("audit", run, self);
    return self;
}

void
audit_trail_status(AuditTrail *self, AuditTrailStatus *status)
{
    GHashTableIter iter;
    gpointer value = NULL;

    *status = (AuditTrailStatus){.n_unanchored = audit_anchor_behind(self->anchor)};
    status->n_unsent = audit_forward_waiting(self->forward, &status->most_unsent);
    g_hash_table_iter_init(&iter, self->logs);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        const TrailLog *log = ((const Log *) value)->log;

        if (trail_log_file(log) != NULL)
            status->n_records += audit_log_length(trail_log_file(log));
        status->n_failing += trail_log_is_failing(log) ||
                             !audit_forward_admits(self->forward, trail_log_org(log), NULL);
    }
}

uint64_t
audit_trail_turns(void *self)
{
    return (uint64_t) (unsigned) g_atomic_int_get(&((AuditTrail *) self)->n_turns);
}

void
audit_trail_free(AuditTrail *self)
{
    if (self == NULL)
        return;
    g_mutex_lock(&self->lock);
    g_atomic_int_set(&self->is_ending, 1);
    g_cond_signal(&self->changed);
    g_mutex_unlock(&self->lock);
    (void) g_thread_join(self->thread);
    audit_forward_free(self->forward);
    audit_anchor_free(self->anchor);
    g_queue_clear_full(&self->locked.notes, note_free);
    g_hash_table_unref(self->logs);
    g_mutex_clear(&self->order);
    g_mutex_clear(&self->lock);
    g_cond_clear(&self->changed);
    g_free(self);
}
