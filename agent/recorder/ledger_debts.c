#include "agent/recorder/ledger_debts.h"

#include "storage/storage_error.h"

#include <string.h>

typedef struct {
    char *session;
    char *track;
    bool is_gap;
    LedgerGap gap; /* its strings are ours */
    LedgerClock clock;
} Debt;

struct LedgerDebts {
    Spool *spool;
    GQueue debts;    /* Debt, oldest first */
    GPtrArray *ends; /* SealerSession */
};

static void
free_debt(void *data)
{
    Debt *self = data;

    g_free(self->session);
    g_free(self->track);
    g_free((char *) self->gap.reason);
    g_free(self);
}

LedgerDebts *
ledger_debts_new(Spool *spool)
{
    LedgerDebts *self = g_new0(LedgerDebts, 1);

    self->spool = spool;
    g_queue_init(&self->debts);
    self->ends = g_ptr_array_new();
    return self;
}

/* Whether `error` may pass, so that what it concerns is worth keeping. */
static bool
may_pass(const GError *error)
{
    return !g_error_matches(error, STORAGE_ERROR, STORAGE_ERROR_NOT_FOUND) &&
           !g_error_matches(error, STORAGE_ERROR, STORAGE_ERROR_CORRUPT);
}

static Debt *
add(LedgerDebts *self, const char *session, const char *track)
{
    Debt *debt = g_new0(Debt, 1);

    debt->session = g_strdup(session);
    debt->track = g_strdup(track);
    g_queue_push_tail(&self->debts, debt);
    return debt;
}

/* Returns: the track's newest debt, if it is a gap that `gap` goes on with. */
static Debt *
find_before(const LedgerDebts *self, const char *session, const LedgerGap *gap)
{
    for (const GList *link = self->debts.tail; link != NULL; link = link->prev) {
        Debt *debt = link->data;

        if (strcmp(debt->session, session) != 0 || strcmp(debt->track, gap->track) != 0)
            continue;
        return debt->is_gap && strcmp(debt->gap.reason, gap->reason) == 0 &&
                       debt->gap.start_us + debt->gap.duration_us == gap->start_us
                   ? debt
                   : NULL;
    }
    return NULL;
}

static void
owe_gap(LedgerDebts *self, const char *session, const LedgerGap *gap)
{
    Debt *debt = find_before(self, session, gap);

    if (debt != NULL) {
        debt->gap.duration_us += gap->duration_us;
        return;
    }
    debt = add(self, session, gap->track);
    debt->is_gap = true;
    debt->gap = (LedgerGap){debt->track, gap->start_us, gap->duration_us, g_strdup(gap->reason)};
}

bool
ledger_debts_add_gap(LedgerDebts *self, const char *session, const LedgerGap *gap, GError **error)
{
    g_autoptr(GError) failure = NULL;

    if (self->debts.length == 0 && spool_add_gap(self->spool, session, gap, &failure))
        return true;
    if (failure == NULL || may_pass(failure))
        owe_gap(self, session, gap);
    if (failure == NULL)
        return true; /* it was told when the first had to wait */
    g_propagate_error(error, g_steal_pointer(&failure));
    return false;
}

bool
ledger_debts_add_clock(LedgerDebts *self, const char *session, const LedgerClock *clock,
                       GError **error)
{
    g_autoptr(GError) failure = NULL;
    Debt *debt = NULL;

    if (self->debts.length == 0 && spool_add_clock(self->spool, session, clock, &failure))
        return true;
    if (failure == NULL || may_pass(failure)) {
        debt = add(self, session, clock->track);
        debt->clock = *clock;
        debt->clock.track = debt->track;
    }
    if (failure == NULL)
        return true;
    g_propagate_error(error, g_steal_pointer(&failure));
    return false;
}

void
ledger_debts_add_end(LedgerDebts *self, SealerSession *session)
{
    g_ptr_array_add(self->ends, session);
}

static bool
pay_one(const LedgerDebts *self, const Debt *debt, GError **error)
{
    return debt->is_gap ? spool_add_gap(self->spool, debt->session, &debt->gap, error)
                        : spool_add_clock(self->spool, debt->session, &debt->clock, error);
}

/* Returns: whether `failure` is the end of it for now, and then moves it to `error`. */
static bool
stops(GError *failure, const char *session, GError **error)
{
    if (may_pass(failure)) {
        g_propagate_error(error, failure);
        return true;
    }
    g_warning("session %s: %s", session, failure->message);
    g_error_free(failure);
    return false;
}

bool
ledger_debts_pay(LedgerDebts *self, GPtrArray *closed, GError **error)
{
    while (self->debts.length > 0) {
        const Debt *debt = self->debts.head->data;
        GError *failure = NULL;

        if (!pay_one(self, debt, &failure) && stops(failure, debt->session, error))
            return false;
        free_debt(g_queue_pop_head(&self->debts));
    }
    while (self->ends->len > 0) {
        SealerSession *session = g_ptr_array_index(self->ends, 0);
        const char *id = sealer_session_id(session);
        GError *failure = NULL;

        if (!spool_close_session(self->spool, id, sealer_session_ends(session), &failure) &&
            stops(failure, id, error))
            return false;
        g_ptr_array_remove_index(self->ends, 0);
        g_ptr_array_add(closed, session);
    }
    return true;
}

void
ledger_debts_free(LedgerDebts *self)
{
    if (self == NULL)
        return;
    g_queue_clear_full(&self->debts, free_debt);
    g_ptr_array_unref(self->ends);
    g_free(self);
}
