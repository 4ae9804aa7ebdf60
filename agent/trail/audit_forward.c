#include "agent/trail/audit_forward.h"

#include "agent/trail/audit_delivery.h"
#include "storage/storage_error.h"

#include <string.h>

enum {
    MOST_RECORDS = 1000, /* of a delivery */
    FEWEST_RECORDS = 8,
    ROUND_US = G_USEC_PER_SEC / 2,
    FIRST_WAIT_US = G_USEC_PER_SEC,
    GRACE_US = 2 * G_USEC_PER_SEC, /* for what is on its way at the end */
    FIFTHS = 5,
};

struct AuditForward {
    const SyslogSettings *receiver;
    AuditDelivery *delivery;
    AuditForwardFunc on_lag;
    void *user_data;
    GThread *thread;
    GArray *fifths;       /* unsigned, of each log: of the most that may wait, as was told last */
    unsigned n_most;      /* of the next delivery: a slow receiver gets less at once */
    int64_t wait_us;      /* after a try that brought nothing; 0: it went well */
    bool is_away;         /* the receiver, and that was told */
    GCancellable *ending; /* of what blocks at the end */
    GMutex lock;
    GCond changed;
    struct {
        bool is_ending, has_ended;
    } locked;
};

AuditForward *
audit_forward_new(const SyslogSettings *receiver, AuditForwardFunc on_lag, void *user_data)
{
    AuditForward *self = NULL;

    if (receiver == NULL)
        return NULL;
    self = g_new0(AuditForward, 1);
    self->receiver = receiver;
    self->on_lag = on_lag;
    self->user_data = user_data;
    self->delivery = audit_delivery_new(receiver);
    self->fifths = g_array_new(FALSE, TRUE, sizeof(unsigned));
    self->n_most = MOST_RECORDS;
    self->ending = g_cancellable_new();
    g_mutex_init(&self->lock);
    g_cond_init(&self->changed);
    return self;
}

bool
audit_forward_add(AuditForward *self, const char *folder, const char *org, AuditLog *log,
                  GError **error)
{
    const AuditDeliveryLog place = {folder, org, audit_log_file_word(log), log, 0};

    if (self == NULL)
        return true;
    g_assert(self->thread == NULL);
    if (!audit_delivery_add(self->delivery, &place, error))
        return false;
    g_array_set_size(self->fifths, audit_delivery_count(self->delivery));
    return true;
}

/* Returns: false at the end. */
static bool
wait_us(AuditForward *self, int64_t us)
{
    const int64_t until_us = g_get_monotonic_time() + us;
    bool is_ending = false;

    g_mutex_lock(&self->lock);
    while (!self->locked.is_ending && g_cond_wait_until(&self->changed, &self->lock, until_us))
        continue;
    is_ending = self->locked.is_ending;
    g_mutex_unlock(&self->lock);
    return !is_ending;
}

static void
tell_away(AuditForward *self, const GError *error)
{
    const SyslogSettings *receiver = self->receiver;

    if (self->is_away) {
        g_info("%s:%u: %s", receiver->address, receiver->port, error->message);
        return;
    }
    self->is_away = true;
    g_warning("audit messages do not go to %s:%u and wait, %" G_GUINT64_FORMAT " of them: %s",
              receiver->address, receiver->port, audit_delivery_waiting(self->delivery),
              error->message);
}

static void
tell_back(AuditForward *self)
{
    if (!self->is_away)
        return;
    self->is_away = false;
    g_message("audit messages go to %s:%u again", self->receiver->address, self->receiver->port);
}

/* Of the most that may wait, in fifths: four alarm, five refuse. */
static void
tell_lag(AuditForward *self, unsigned number)
{
    const uint64_t most = self->receiver->max_lag;
    const char *org = NULL;
    const uint64_t n_waiting = audit_delivery_waiting_of(self->delivery, number, &org);
    const unsigned n_fifths = (unsigned) MIN(n_waiting * FIFTHS / most, FIFTHS);
    unsigned *told = &g_array_index(self->fifths, unsigned, number);

    if (n_fifths == FIFTHS && *told < FIFTHS) {
        g_warning("%s: %" G_GUINT64_FORMAT " audit messages wait for %s, as many as "
                  "audit.syslog.max_lag allows: nothing new is recorded or opened",
                  org, n_waiting, self->receiver->address);
        self->on_lag(org, AUDIT_FEED_FULL, n_waiting, self->user_data);
    } else if (n_fifths == FIFTHS - 1 && *told < FIFTHS - 1) {
        g_warning("%s: %" G_GUINT64_FORMAT " audit messages wait for %s; at %" G_GUINT64_FORMAT
                  " nothing new is recorded or opened",
                  org, n_waiting, self->receiver->address, most);
        self->on_lag(org, AUDIT_FEED_BEHIND, n_waiting, self->user_data);
    } else if (n_fifths < FIFTHS - 1 && *told >= FIFTHS - 1) {
        g_message("%s: fewer audit messages wait again", org);
        self->on_lag(org, AUDIT_FEED_CAUGHT_UP, n_waiting, self->user_data);
    }
    *told = n_fifths;
}

static uint64_t
deliver(AuditForward *self)
{
    g_autoptr(GError) error = NULL;
    uint64_t n_sent = 0;

    if (audit_delivery_run(self->delivery, self->n_most, self->ending, &n_sent, &error)) {
        if (n_sent > 0)
            tell_back(self);
        self->n_most = MIN(2 * self->n_most, MOST_RECORDS);
    } else if (!g_cancellable_is_cancelled(self->ending)) {
        tell_away(self, error);
        self->n_most = MAX(self->n_most / 4, FEWEST_RECORDS);
    }
    return n_sent;
}

/* Returns: how long to wait until the next. */
static int64_t
do_round(AuditForward *self)
{
    const int64_t longest_us = (int64_t) self->receiver->retry_ms * 1000;
    const uint64_t n_sent = deliver(self);
    const uint64_t n_left = audit_delivery_waiting(self->delivery);

    for (unsigned i = 0; i < self->fifths->len; i++)
        tell_lag(self, i);
    if (n_sent > 0 || n_left == 0) {
        self->wait_us = 0;
        return n_left > MOST_RECORDS / 2 ? 0 : ROUND_US;
    }
    self->wait_us = CLAMP(2 * self->wait_us, MIN(FIRST_WAIT_US, longest_us), longest_us);
    return self->wait_us;
}

static gpointer
run(gpointer data)
{
    AuditForward *self = data;

    while (wait_us(self, do_round(self)))
        continue;
    if (!self->is_away)
        (void) deliver(self);
    g_mutex_lock(&self->lock);
    self->locked.has_ended = true;
    g_cond_signal(&self->changed);
    g_mutex_unlock(&self->lock);
    return NULL;
}

void
audit_forward_start(AuditForward *self)
{
    if (self == NULL)
        return;
    self->thread = g_thread_new("audit-syslog", run, self);
}

uint64_t
audit_forward_waiting(AuditForward *self, uint64_t *most)
{
    uint64_t n_waiting = 0;

    *most = self != NULL ? self->receiver->max_lag : 0;
    for (unsigned i = 0; self != NULL && i < audit_delivery_count(self->delivery); i++)
        n_waiting = MAX(n_waiting, audit_delivery_waiting_of(self->delivery, i, NULL));
    return n_waiting;
}

bool
audit_forward_admits(AuditForward *self, const char *org, GError **error)
{
    for (unsigned i = 0; self != NULL && i < audit_delivery_count(self->delivery); i++) {
        const char *whose = NULL;
        const uint64_t n_waiting = audit_delivery_waiting_of(self->delivery, i, &whose);

        if (strcmp(whose, org) != 0 || n_waiting < self->receiver->max_lag)
            continue;
        g_set_error(error, STORAGE_ERROR, STORAGE_ERROR_FULL,
                    "%s: %u audit messages or more wait for %s:%u, as many as "
                    "audit.syslog.max_lag allows",
                    org, self->receiver->max_lag, self->receiver->address, self->receiver->port);
        return false;
    }
    return true;
}

/* Not at once: what is left in the middle goes again another time, and so twice. */
static void
end_thread(AuditForward *self)
{
    const int64_t until_us = g_get_monotonic_time() + GRACE_US;

    g_mutex_lock(&self->lock);
    self->locked.is_ending = true;
    g_cond_signal(&self->changed);
    while (!self->locked.has_ended && g_cond_wait_until(&self->changed, &self->lock, until_us))
        continue;
    g_mutex_unlock(&self->lock);
    g_cancellable_cancel(self->ending);
    (void) g_thread_join(self->thread);
}

void
audit_forward_free(AuditForward *self)
{
    if (self == NULL)
        return;
    if (self->thread != NULL)
        end_thread(self);
    audit_delivery_free(self->delivery);
    g_array_unref(self->fifths);
    g_object_unref(self->ending);
    g_mutex_clear(&self->lock);
    g_cond_clear(&self->changed);
    g_free(self);
}
