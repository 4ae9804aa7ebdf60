#include "storage/catalogue_writer.h"

#include "storage/catalogue_build.h"
#include "storage/catalogue_news.h"
#include "storage/catalogue_queue.h"
#include "storage/storage_error.h"

#include <string.h>
#include <sys/resource.h>

/* Each turn of the thread:
 * 1. the catalogue is opened, if it is not. One that was in use when its recorder ended, that is
 * new or known to be behind, is to be compared with the store;
 * 2. what waits is written, in one transaction for each batch. What fails goes back, in order;
 * 3. when nothing waits, the comparison with the store is made, with step 2 between two sessions.
 */

enum {
    DEFAULT_INTERVAL_MS = 500,
    RETRY_S = 2,          /* after trouble with the catalogue */
    COMPARE_AGAIN_S = 60, /* after trouble with the store */
    NICENESS = 10,        /* recording comes first */
};

struct CatalogueWriter {
    char *path;
    CatalogueWriterOptions options;
    GThread *thread;
    GMutex mutex;
    GCond woken;
    struct {
        CatalogueQueue queue;
        bool is_stopping;
        bool is_behind;
    } locked;

    /* The thread's own. */
    Catalogue *catalogue;
    bool has_begun;               /* the catalogue knows that we run */
    bool has_gap;                 /* something was lost that the catalogue must know of */
    bool is_behind;               /* and what it knows of itself */
    bool is_troubled;             /* it was told */
    int64_t retry_us, compare_us; /* not before then; monotonic */
};

static bool
is_stopping(CatalogueWriter *self)
{
    bool is = false;

    g_mutex_lock(&self->mutex);
    is = self->locked.is_stopping;
    g_mutex_unlock(&self->mutex);
    return is;
}

static void
set_behind(CatalogueWriter *self, bool is_behind)
{
    self->is_behind = is_behind;
    g_mutex_lock(&self->mutex);
    self->locked.is_behind = is_behind;
    g_mutex_unlock(&self->mutex);
}

/* Told once for each time that things went wrong. */
static void
tell(CatalogueWriter *self, const char *sentence)
{
    const bool is_news = self->is_troubled != (sentence != NULL);

    self->is_troubled = sentence != NULL;
    if (is_news && self->options.on_trouble != NULL)
        self->options.on_trouble(sentence, self->options.user_data);
}

/* A damaged one is of no use to anybody; all others may be well again next time. */
static void
give_up(CatalogueWriter *self, const GError *error)
{
    g_autoptr(GError) fault = NULL;
    const bool is_damaged = g_error_matches(error, STORAGE_ERROR, STORAGE_ERROR_CORRUPT);

    g_clear_pointer(&self->catalogue, catalogue_free);
    self->retry_us = g_get_monotonic_time() + RETRY_S * G_TIME_SPAN_SECOND;
    tell(self, error->message);
    if (!is_damaged)
        return;
    if (catalogue_set_aside(self->path, &fault)) {
        g_message("%s was damaged and is set aside as %s.damaged; it is made anew", self->path,
                  self->path);
        self->retry_us = 0;
    }
}

/* A recorder that was killed may not have told the last. */
static bool
begin_run(CatalogueWriter *self, int64_t *behind_us, GError **error)
{
    int64_t was_running = 0;

    if (!catalogue_fact(self->catalogue, "running", &was_running, error) ||
        !catalogue_fact(self->catalogue, "behind_us", behind_us, error))
        return false;
    if (*behind_us == 0 && ((was_running != 0 && !self->has_begun) || self->has_gap))
        *behind_us = g_get_real_time();
    return catalogue_set_fact(self->catalogue, "behind_us", *behind_us, error) &&
           catalogue_set_fact(self->catalogue, "running", 1, error);
}

static bool
open_catalogue(CatalogueWriter *self)
{
    g_autoptr(GError) error = NULL;
    int64_t behind_us = 0;
    bool is_good = false;

    if (self->catalogue != NULL)
        return true;
    self->catalogue = catalogue_open(self->path, CATALOGUE_WRITE, &error);
    if (self->catalogue != NULL && catalogue_begin(self->catalogue, &error)) {
        is_good = begin_run(self, &behind_us, &error);
        is_good = catalogue_end(self->catalogue, is_good, is_good ? &error : NULL) && is_good;
    }
    if (!is_good) {
        give_up(self, error);
        return false;
    }
    self->has_begun = true;
    self->has_gap = false;
    set_behind(self, behind_us != 0);
    return true;
}

/* Returns: the next ones, owned. */
static GPtrArray *
take_batch(CatalogueWriter *self)
{
    GPtrArray *batch = NULL;

    g_mutex_lock(&self->mutex);
    batch = catalogue_queue_take(&self->locked.queue, &self->has_gap);
    g_mutex_unlock(&self->mutex);
    return batch;
}

static void
give_back(CatalogueWriter *self, GPtrArray *batch)
{
    g_mutex_lock(&self->mutex);
    catalogue_queue_give_back(&self->locked.queue, batch);
    g_mutex_unlock(&self->mutex);
}

static bool
write_news(CatalogueWriter *self, const CatalogueNews *news, GError **error)
{
    g_autoptr(GError) fault = NULL;

    switch (catalogue_news_write(news, self->catalogue, self->options.verifiers, &fault)) {
    case CATALOGUE_NEWS_FAILED:
        g_propagate_error(error, g_steal_pointer(&fault));
        return false;
    case CATALOGUE_NEWS_GAP:
        self->has_gap = true;
        break;
    case CATALOGUE_NEWS_REFUSED:
        g_message("not in the catalogue: %s", fault->message);
        break;
    case CATALOGUE_NEWS_WRITTEN:
    default:
        break;
    }
    return true;
}

static bool
write_batch(CatalogueWriter *self, const GPtrArray *batch, GError **error)
{
    bool is_good = true;

    if (!catalogue_begin(self->catalogue, error))
        return false;
    for (guint i = 0; is_good && i < batch->len; i++)
        is_good = write_news(self, g_ptr_array_index(batch, i), error);
    if (is_good && self->has_gap && !self->is_behind)
        is_good = catalogue_set_fact(self->catalogue, "behind_us", g_get_real_time(), error);
    if (!catalogue_end(self->catalogue, is_good, is_good ? error : NULL) || !is_good)
        return false;
    if (self->has_gap)
        set_behind(self, true);
    self->has_gap = false;
    return true;
}

/* Step 2. Returns: false if the catalogue failed. */
static bool
drain(CatalogueWriter *self)
{
    while (true) {
        g_autoptr(GError) error = NULL;
        g_autoptr(GPtrArray) batch = take_batch(self);

        if (batch->len == 0)
            return true;
        if (!write_batch(self, batch, &error)) {
            give_back(self, batch);
            give_up(self, error);
            return false;
        }
    }
}

static bool
on_compared(uint64_t done, uint64_t total, void *user_data)
{
    CatalogueWriter *self = user_data;

    return !is_stopping(self) && drain(self);
}

static void
note_compared(CatalogueWriter *self)
{
    g_autoptr(GError) error = NULL;
    bool is_good = catalogue_begin(self->catalogue, &error);

    if (is_good) {
        is_good = catalogue_set_fact(self->catalogue, "behind_us", 0, &error);
        is_good = catalogue_end(self->catalogue, is_good, is_good ? &error : NULL) && is_good;
    }
    if (is_good) {
        set_behind(self, false);
    } else {
        give_up(self, error);
    }
}

/* Step 3. */
static void
compare(CatalogueWriter *self)
{
    const CatalogueSource source = {
        .store = self->options.store,
        .verifiers = self->options.verifiers,
        .annotators = self->options.annotators,
        .on_progress = on_compared,
        .user_data = self,
    };
    g_autoptr(GError) error = NULL;
    g_autofree char *sentence = NULL;

    if (catalogue_update(self->catalogue, &source, &error)) {
        note_compared(self);
    } else if (error != NULL) {
        sentence = g_strdup_printf("the catalogue may lack sessions, because it can not be "
                                   "compared with the store: %s",
                                   error->message);
        tell(self, sentence);
        self->compare_us = g_get_monotonic_time() + COMPARE_AGAIN_S * G_TIME_SPAN_SECOND;
        /* If it was the catalogue, opening it shows what is wrong. */
        g_clear_pointer(&self->catalogue, catalogue_free);
    }
}

static void
take_turn(CatalogueWriter *self)
{
    const int64_t now_us = g_get_monotonic_time();

    if (now_us < self->retry_us || !open_catalogue(self) || !drain(self))
        return;
    if (self->is_behind && now_us >= self->compare_us && !is_stopping(self))
        compare(self);
    if (self->catalogue != NULL && !self->is_behind)
        tell(self, NULL);
}

static void
end_run(CatalogueWriter *self)
{
    self->retry_us = 0;
    take_turn(self);
    if (self->catalogue == NULL || !catalogue_begin(self->catalogue, NULL))
        return;
    /* If this fails the next start compares once for nothing. */
    (void) !catalogue_end(self->catalogue, catalogue_set_fact(self->catalogue, "running", 0, NULL),
                          NULL);
}

static void
wait_locked(CatalogueWriter *self, int64_t begun_us)
{
    const int64_t next_us = begun_us + self->options.interval_ms * INT64_C(1000);

    while (!self->locked.is_stopping && g_get_monotonic_time() < next_us)
        (void) g_cond_wait_until(&self->woken, &self->mutex, next_us);
    while (!self->locked.is_stopping && catalogue_queue_count(&self->locked.queue) == 0 &&
           !self->is_behind && !self->is_troubled)
        g_cond_wait(&self->woken, &self->mutex);
}

static void *
run(void *data)
{
    CatalogueWriter *self = data;

    (void) setpriority(PRIO_PROCESS, 0, NICENESS); /* of this thread; not vital */
    g_mutex_lock(&self->mutex);
    while (!self->locked.is_stopping) {
        const int64_t begun_us = g_get_monotonic_time();

        g_mutex_unlock(&self->mutex);
        take_turn(self);
        g_mutex_lock(&self->mutex);
        wait_locked(self, begun_us);
    }
    g_mutex_unlock(&self->mutex);
    end_run(self);
    g_clear_pointer(&self->catalogue, catalogue_free);
    return NULL;
}

CatalogueWriter *
catalogue_writer_new(const CatalogueWriterOptions *options)
{
    CatalogueWriter *self = g_new0(CatalogueWriter, 1);

    self->path = g_strdup(options->path);
    self->options = *options;
    if (self->options.interval_ms == 0)
        self->options.interval_ms = DEFAULT_INTERVAL_MS;
    g_mutex_init(&self->mutex);
    g_cond_init(&self->woken);
    catalogue_queue_init(&self->locked.queue);
    set_behind(self, true); /* until it has said itself that it is not */
    self->thread = g_thread_new("catalogue", run, self);
    return self;
}

/* Takes `news`. */
static void
add(CatalogueWriter *self, CatalogueNews *news)
{
    g_mutex_lock(&self->mutex);
    catalogue_queue_push(&self->locked.queue, news);
    g_cond_signal(&self->woken);
    g_mutex_unlock(&self->mutex);
}

void
catalogue_writer_add_part(CatalogueWriter *self, const char *note)
{
    add(self, catalogue_news_new_part(note));
}

void
catalogue_writer_add_envelope(CatalogueWriter *self, const char *org, const char *session,
                              uint32_t generation)
{
    add(self, catalogue_news_new_envelope(org, session, generation));
}

void
catalogue_writer_status(CatalogueWriter *self, CatalogueWriterStatus *status)
{
    g_mutex_lock(&self->mutex);
    status->n_waiting = catalogue_queue_count(&self->locked.queue);
    status->is_behind = self->locked.is_behind;
    g_mutex_unlock(&self->mutex);
}

void
catalogue_writer_free(CatalogueWriter *self)
{
    if (self == NULL)
        return;
    g_mutex_lock(&self->mutex);
    self->locked.is_stopping = true;
    g_cond_signal(&self->woken);
    g_mutex_unlock(&self->mutex);
    (void) g_thread_join(self->thread); /* it returns nothing */
    catalogue_queue_clear(&self->locked.queue);
    g_cond_clear(&self->woken);
    g_mutex_clear(&self->mutex);
    g_free(self->path);
    g_free(self);
}
