#include "agent/trail/audit_anchor.h"

#include <stdbool.h>

enum {
    ROUND_US = G_USEC_PER_SEC,
    FIRST_WAIT_US = 2 * G_USEC_PER_SEC,
    LONGEST_WAIT_US = 5 * 60 * G_USEC_PER_SEC,
};

typedef struct {
    char *org;
    AuditLog *log;
    int64_t next_put_us; /* monotonic; the thread's own, as the next */
    int64_t wait_us;     /* after the last failed put; 0: it went well */
    uint64_t n_anchored; /* under the lock */
    bool is_anchored;    /* at all, by this process; as above */
} Anchored;

struct AuditAnchor {
    ObjectStore *store;
    GPtrArray *logs; /* Anchored */
    GThread *thread;
    GMutex lock;
    GCond changed;
    struct {
        bool is_ending;
    } locked;
};

static void
anchored_free(gpointer data)
{
    Anchored *self = data;

    g_free(self->org);
    g_free(self);
}

AuditAnchor *
audit_anchor_new(ObjectStore *store)
{
    AuditAnchor *self = g_new0(AuditAnchor, 1);

    self->store = store;
    self->logs = g_ptr_array_new_with_free_func(anchored_free);
    g_mutex_init(&self->lock);
    g_cond_init(&self->changed);
    return self;
}

void
audit_anchor_add(AuditAnchor *self, const char *org, AuditLog *log)
{
    Anchored *anchored = g_new0(Anchored, 1);

    g_assert(self->thread == NULL);
    anchored->org = g_strdup(org);
    anchored->log = log;
    g_ptr_array_add(self->logs, anchored);
}

static void
note_anchored(AuditAnchor *self, Anchored *anchored, uint64_t n_records)
{
    anchored->wait_us = anchored->next_put_us = 0;
    g_mutex_lock(&self->lock);
    anchored->n_anchored = n_records;
    anchored->is_anchored = true;
    g_mutex_unlock(&self->lock);
}

static void
put(AuditAnchor *self, Anchored *anchored, int64_t now_us)
{
    uint64_t n_records = 0;
    g_autoptr(GBytes) note = audit_log_checkpoint(anchored->log, &n_records);
    g_autofree char *key = NULL;
    g_autoptr(GError) error = NULL;

    if (note == NULL || now_us < anchored->next_put_us ||
        (anchored->is_anchored && anchored->n_anchored == n_records))
        return;
    key = g_strdup_printf("%s/audit/%s/%" G_GUINT64_FORMAT ".note", anchored->org,
                          audit_log_file_word(anchored->log), n_records);
    if (object_store_put(self->store, key, note, &error)) {
        note_anchored(self, anchored, n_records);
        return;
    }
    if (anchored->wait_us == 0)
        g_message("%s: the audit log's checkpoint waits: %s", anchored->org, error->message);
    anchored->wait_us = CLAMP(2 * anchored->wait_us, FIRST_WAIT_US, LONGEST_WAIT_US);
    anchored->next_put_us = now_us + anchored->wait_us;
}

/* Returns: false at the end. */
static bool
wait_for_round(AuditAnchor *self)
{
    const int64_t until_us = g_get_monotonic_time() + ROUND_US;
    bool is_ending = false;

    g_mutex_lock(&self->lock);
    while (!self->locked.is_ending && g_cond_wait_until(&self->changed, &self->lock, until_us))
        continue;
    is_ending = self->locked.is_ending;
    g_mutex_unlock(&self->lock);
    return !is_ending;
}

static gpointer
run(gpointer data)
{
    AuditAnchor *self = data;

    while (wait_for_round(self)) {
        for (guint i = 0; i < self->logs->len; i++)
            put(self, self->logs->pdata[i], g_get_monotonic_time());
    }
    for (guint i = 0; i < self->logs->len; i++)
        put(self, self->logs->pdata[i], G_MAXINT64 - LONGEST_WAIT_US); /* whoever had to wait */
    return NULL;
}

void
audit_anchor_start(AuditAnchor *self)
{
    self->thread = g_thread_new("audit-anchor", run, self);
}

uint64_t
audit_anchor_behind(AuditAnchor *self)
{
    uint64_t n_behind = 0;

    g_mutex_lock(&self->lock);
    for (guint i = 0; i < self->logs->len; i++) {
        const Anchored *anchored = self->logs->pdata[i];

        n_behind += audit_log_length(anchored->log) - anchored->n_anchored;
    }
    g_mutex_unlock(&self->lock);
    return n_behind;
}

void
audit_anchor_free(AuditAnchor *self)
{
    if (self == NULL)
        return;
    g_mutex_lock(&self->lock);
    self->locked.is_ending = true;
    g_cond_signal(&self->changed);
    g_mutex_unlock(&self->lock);
    if (self->thread != NULL)
        (void) g_thread_join(self->thread);
    g_ptr_array_unref(self->logs);
    g_mutex_clear(&self->lock);
    g_cond_clear(&self->changed);
    g_free(self);
}
