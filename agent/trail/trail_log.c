#include "agent/trail/trail_log.h"

struct TrailLog {
    char *org;
    AuditLog *log; /* NULL: `fault` says why */
    GError *fault;
    uint64_t n_missed[N_AUDIT_KINDS]; /* since it began to fail */
    uint64_t n_missed_in_all;
    gint is_failing; /* atomic */
};

TrailLog *
trail_log_new(const char *org, AuditLog *log, GError *fault)
{
    TrailLog *self = g_new0(TrailLog, 1);

    self->org = g_strdup(org);
    self->log = log;
    self->fault = fault;
    self->is_failing = log == NULL;
    return self;
}

const char *
trail_log_org(const TrailLog *self)
{
    return self->org;
}

AuditLog *
trail_log_file(const TrailLog *self)
{
    return self->log;
}

bool
trail_log_is_failing(const TrailLog *self)
{
    return g_atomic_int_get(&self->is_failing) != 0;
}

static void
begin_to_fail(TrailLog *self, const GError *error)
{
    if (g_atomic_int_get(&self->is_failing) == 0) {
        g_warning("%s: not audited, and nothing new is recorded or opened: %s", self->org,
                  error->message);
    }
    g_atomic_int_set(&self->is_failing, 1);
}

static bool
append(TrailLog *self, const char *words, GError **error)
{
    g_autoptr(GError) cause = NULL;

    if (self->log != NULL && audit_log_append(self->log, words, &cause))
        return true;
    if (self->log == NULL)
        cause = g_error_copy(self->fault);
    begin_to_fail(self, cause);
    g_propagate_error(error, g_steal_pointer(&cause));
    return false;
}

/* A record for each kind; those that are in are forgotten, so that none is told twice. */
static bool
tell_missed(TrailLog *self, GError **error)
{
    for (int kind = 0; kind < N_AUDIT_KINDS; kind++) {
        g_autofree char *words = NULL;

        if (self->n_missed[kind] == 0)
            continue;
        words = audit_event_words(&(AuditEvent){.kind = AUDIT_EVENTS_LEFT_OUT,
                                                .outcome = AUDIT_FAILED,
                                                .reason = "log-failed",
                                                .detail = audit_kind_text((AuditKind) kind),
                                                .count = self->n_missed[kind]});
        if (!append(self, words, error))
            return false;
        self->n_missed_in_all -= self->n_missed[kind];
        self->n_missed[kind] = 0;
    }
    return true;
}

bool
trail_log_append(TrailLog *self, const char *words, GError **error)
{
    if (!tell_missed(self, error) || !append(self, words, error))
        return false;
    if (g_atomic_int_compare_and_exchange(&self->is_failing, 1, 0))
        g_message("%s: the audit log takes records again", self->org);
    return true;
}

void
trail_log_note(TrailLog *self, AuditKind kind, const char *words)
{
    if (trail_log_append(self, words, NULL))
        return;
    self->n_missed[kind]++;
    self->n_missed_in_all++;
}

void
trail_log_note_event(TrailLog *self, const AuditEvent *event)
{
    g_autofree char *words = audit_event_words(event);

    trail_log_note(self, event->kind, words);
}

void
trail_log_try_again(TrailLog *self)
{
    g_autofree char *words = audit_event_words(&(AuditEvent){.kind = AUDIT_HEARTBEAT});

    /* A heartbeat that does not go in is not missed. */
    if (self->log != NULL && trail_log_is_failing(self) && !trail_log_append(self, words, NULL))
        g_debug("%s: the audit log still takes nothing", self->org);
}

void
trail_log_free(TrailLog *self)
{
    if (self == NULL)
        return;
    if (self->log != NULL && self->n_missed_in_all > 0) {
        g_warning("%s: %" G_GUINT64_FORMAT " records of what has happened are in no audit log",
                  self->org, self->n_missed_in_all);
    }
    audit_log_free(self->log);
    g_clear_error(&self->fault);
    g_free(self->org);
    g_free(self);
}
