#include "storage/erasure.h"

#include "storage/annotation_log.h"
#include "storage/erasure_note.h"
#include "storage/erasure_order.h"
#include "storage/object_key.h"
#include "storage/storage_error.h"

#include <inttypes.h>
#include <string.h>

#define NO_END "9999-12-31" /* a legal hold of the store's own */

/* What is destroyed first: without these nothing opens the rest. */
typedef enum {
    RANK_SECRETS,
    RANK_MEDIA,
    RANK_MANIFEST,
    N_RANKS,
    RANK_KEPT, /* annotations: they say that it was erased */
} Rank;

typedef struct {
    const ErasureOrder *order;
    ErasureResult *result;
    char *prefix;       /* of the session */
    GPtrArray *locked;  /* char *: lines of the certificate */
    GPtrArray *removed; /* the same */
} Erasure;

void
erasure_result_clear(ErasureResult *self)
{
    g_clear_pointer(&self->until, g_free);
    g_clear_pointer(&self->certificate, g_free);
}

static Rank
rank_of(const char *relative)
{
    if (g_str_has_prefix(relative, "notes/"))
        return RANK_KEPT;
    if (g_str_has_prefix(relative, "manifest/") || g_str_has_prefix(relative, "resealed/"))
        return RANK_MANIFEST;
    return object_key_is_secret(relative) ? RANK_SECRETS : RANK_MEDIA;
}

static AnnotationLog *
read_annotations(const ErasureOrder *order, GError **error)
{
    return annotation_log_read(order->store, order->org, order->session, order->annotators, error);
}

/* Whether another run began since this one was decided. Then it is the other's. */
static bool
is_taken(const ErasureOrder *order, const AnnotationView *view, GError **error)
{
    if (!view->is_erasing || view->begun_at_unix_s == order->begun_at_unix_s)
        return false;
    g_clear_error(error);
    g_set_error(error, STORAGE_ERROR, STORAGE_ERROR_BUSY, "another run is erasing it just now");
    return true;
}

/* Two that decided alike: the annotations took one, and this is the slower. */
static bool
say_it_begins(const ErasureOrder *order, Annotation *next, GError **error)
{
    const AnnotationWriter writer = {
        .store = order->store, .signer = order->signer, .verifiers = order->annotators};
    g_autoptr(AnnotationLog) now = NULL;

    if (annotation_log_add(&writer, next, error))
        return true;
    now = read_annotations(order, NULL);
    (void) (now != NULL && is_taken(order, now->view, error)); /* a better word for `error` */
    return false;
}

/* Says that it begins. Who goes on with it says so again, if that was long ago; within the time of
 * the one before, it is a person who knows that nobody is at it any more. */
static bool
begin(const ErasureOrder *order, GError **error)
{
    g_autoptr(AnnotationLog) log = read_annotations(order, error);
    const int64_t now_s = g_get_real_time() / G_USEC_PER_SEC;
    g_autoptr(Annotation) next = NULL;

    if (log == NULL || is_taken(order, log->view, error))
        return false;
    if (log->view->is_erasing && now_s - log->view->begun_at_unix_s < ANNOTATION_LEASE_S)
        return true;
    next = annotation_new(order->org, order->session, ANNOTATION_ERASURE_BEGUN);
    next->at_unix_s = now_s;
    next->by = g_strdup(order->by);
    annotation_set(next, ANNOTATION_REASON, order->reason);
    annotation_set(next, ANNOTATION_RULE, order->rule);
    annotation_set(next, ANNOTATION_TABLE, order->table);
    if (order->request != 0) {
        g_autofree char *request = g_strdup_printf("%u", order->request);

        annotation_set(next, ANNOTATION_REQUEST, request);
    }
    return say_it_begins(order, next, error);
}

static void
note_outcome(Erasure *self, const ObjectRemoval *removal)
{
    const ObjectVersion *what = removal->what;

    if (removal->error == NULL) {
        self->result->n_removed++;
        self->result->n_bytes += what->n_bytes;
        g_ptr_array_add(self->removed, g_strdup_printf("removed %s %s %" PRIu64, what->key,
                                                       what->version, what->n_bytes));
        return;
    }
    if (removal->locked_until_s > 0 || removal->has_legal_hold) {
        g_autoptr(GDateTime) end = g_date_time_new_from_unix_utc(removal->locked_until_s);
        g_autofree char *day =
            removal->has_legal_hold ? g_strdup(NO_END) : g_date_time_format(end, "%Y-%m-%d");

        self->result->n_locked++;
        g_ptr_array_add(self->locked, g_strdup_printf("locked %s %s %" PRIu64 " %s", what->key,
                                                      what->version, what->n_bytes, day));
        if (self->result->until == NULL || strcmp(day, self->result->until) > 0) {
            g_free(self->result->until);
            self->result->until = g_steal_pointer(&day);
        }
    }
}

/* Removes all of `found` that is of `rank`. A lock on media or manifest is no failure: its keys are
 * gone. */
static bool
remove_rank(Erasure *self, const GPtrArray *found, Rank rank, GError **error)
{
    g_autofree ObjectRemoval *removals = g_new0(ObjectRemoval, found->len + 1);
    size_t n_removals = 0;
    g_autoptr(GError) first = NULL;

    for (guint i = 0; i < found->len; i++) {
        const ObjectVersion *version = found->pdata[i];

        if (rank_of(version->key + strlen(self->prefix)) == rank)
            removals[n_removals++].what = version;
    }
    object_store_remove_versions(self->order->store, removals, n_removals);
    for (size_t i = 0; i < n_removals; i++) {
        const bool is_locked = removals[i].locked_until_s > 0 || removals[i].has_legal_hold;

        note_outcome(self, &removals[i]);
        if (removals[i].error != NULL && first == NULL && (!is_locked || rank == RANK_SECRETS))
            first = g_steal_pointer(&removals[i].error);
        g_clear_error(&removals[i].error);
    }
    if (first == NULL)
        return true;
    g_propagate_prefixed_error(error, g_steal_pointer(&first), "%s",
                               rank == RANK_SECRETS ? "its keys can not be destroyed: " : "");
    return false;
}

/* Says only what the store says now: whatever is listed again and is under no lock is a failure. */
static bool
list_again(Erasure *self, GError **error)
{
    g_autoptr(GPtrArray) left = object_store_list_versions(self->order->store, self->prefix, error);
    unsigned n_left = 0;

    for (guint i = 0; left != NULL && i < left->len; i++) {
        const ObjectVersion *version = left->pdata[i];
        const Rank rank = rank_of(version->key + strlen(self->prefix));

        if (rank == RANK_SECRETS) {
            g_set_error(error, STORAGE_ERROR, STORAGE_ERROR_CORRUPT,
                        "%s is still there, though the store said that it was removed",
                        version->key);
            return false;
        }
        n_left += rank != RANK_KEPT;
    }
    if (left == NULL || n_left == self->result->n_locked)
        return left != NULL;
    g_set_error(error, STORAGE_ERROR, STORAGE_ERROR_CORRUPT,
                "%u objects are still there, %u of them under lock: run it again", n_left,
                self->result->n_locked);
    return false;
}

static bool
destroy(Erasure *self, GError **error)
{
    g_autoptr(GPtrArray) found =
        object_store_list_versions(self->order->store, self->prefix, error);

    for (int rank = 0; found != NULL && rank < N_RANKS; rank++) {
        if (!remove_rank(self, found, (Rank) rank, error))
            return false;
    }
    return found != NULL && list_again(self, error);
}

/* Signs what was done behind `notes`, and puts it. */
static bool
certify(Erasure *self, const GPtrArray *notes, const GPtrArray *read, GError **error)
{
    const ErasureNote *first = read->pdata[0];
    g_autoptr(ErasureNote) note =
        erasure_order_next(self->order, ERASURE_CERTIFICATE, notes, first->id);

    note->until = g_strdup(self->result->until);
    erasure_note_add(note, "method version-delete, keys first");
    erasure_note_add(note, "hold none");
    erasure_note_add(note, "listed-again %u left, %u locked", self->result->n_locked,
                     self->result->n_locked);
    for (guint i = 0; i < self->removed->len; i++)
        erasure_note_add(note, "%s", (const char *) self->removed->pdata[i]);
    for (guint i = 0; i < self->locked->len; i++)
        erasure_note_add(note, "%s", (const char *) self->locked->pdata[i]);
    self->result->certificate = erasure_order_put(self->order, note, error);
    return self->result->certificate != NULL;
}

static bool
tell(const Erasure *self, GError **error)
{
    const ErasureOrder *order = self->order;
    const AnnotationWriter writer = {
        .store = order->store, .signer = order->signer, .verifiers = order->annotators};
    g_autoptr(Annotation) next = annotation_new(order->org, order->session, ANNOTATION_ERASED);

    next->by = g_strdup(order->by);
    annotation_set(next, ANNOTATION_STATE, self->result->n_locked > 0 ? "bytes-locked" : "erased");
    annotation_set(next, ANNOTATION_DATE, self->result->until);
    annotation_set(next, ANNOTATION_CERTIFICATE, self->result->certificate);
    return annotation_log_add(&writer, next, error);
}

static bool
run(Erasure *self, GError **error)
{
    g_autoptr(GPtrArray) notes = NULL;
    g_autoptr(GPtrArray) read = NULL;

    if (!begin(self->order, error) || !erasure_order_place(self->order, error))
        return false;
    read = erasure_read_notes(self->order, &notes, error);
    return read != NULL && destroy(self, error) && certify(self, notes, read, error) &&
           tell(self, error);
}

bool
erasure_run(const ErasureOrder *order, ErasureResult *result, GError **error)
{
    g_autofree char *prefix = object_key_join(order->org, order->session, "");
    g_autoptr(GPtrArray) locked = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GPtrArray) removed = g_ptr_array_new_with_free_func(g_free);
    Erasure self = {order, result, prefix, locked, removed};

    *result = (ErasureResult){0};
    if (run(&self, error))
        return true;
    g_prefix_error(error, "session %s: ", order->session);
    return false;
}
