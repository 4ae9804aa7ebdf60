#include "storage/upload_cycle.h"

#include "storage/object_key.h"
#include "storage/spool_outbox.h"
#include "storage/storage_error.h"
#include "storage/upload_ahead.h"
#include "storage/upload_plan.h"

#include <string.h>

/* One cycle, with a constant number of flushes however many sessions and tracks there are:
 * 0. put what must be there before media (upload_ahead.c); a session where that fails waits;
 * 1. put the complete objects, oldest first, in one batch of at most MAX_BATCH_BYTES;
 * 2. sign a part for each session with news, and commit them all to the spool at once: after a
 * crash the very same parts are put again;
 * 3. put those parts, and those left from before, in one batch;
 * 4. release what they list; with a last part the session is stored. */

enum { MAX_BATCH_BYTES = 32 << 20 };

typedef struct {
    UploadCycle *cycle;
    GPtrArray *sessions; /* OutboxSession: all */
    GPtrArray *due;      /* OutboxSession, borrowed: those not waiting after a failure */
    GPtrArray *plans;    /* for each of `due`: GPtrArray of UploadObject */
} Cycle;

static void
count_failure(UploadCycle *self, const GError *error)
{
    const bool is_ours = error->domain == STORAGE_ERROR && error->code < (int) N_STORAGE_ERRORS;

    self->n_failures++;
    self->n_failures_by[is_ours ? (StorageError) error->code : STORAGE_ERROR_IO]++;
}

void
upload_cycle_note_failure(UploadCycle *self, OutboxSession *session, const GError *error)
{
    const UploaderOptions *options = self->options;
    const bool will_retry =
        upload_retry_note_failure(self->retry, session->id, error, g_get_monotonic_time());

    session->has_failed = true;
    count_failure(self, error);
    g_message("session %s: %s%s", session->id, error->message,
              will_retry ? "; will try again" : "");
    if (options->on_trouble != NULL)
        options->on_trouble(session->id, error, will_retry, options->user_data);
}

static int
compare_age(gconstpointer a, gconstpointer b)
{
    const UploadObject *first = *(UploadObject *const *) a;
    const UploadObject *second = *(UploadObject *const *) b;
    const SpoolItem *one = g_ptr_array_index(first->segments, 0);
    const SpoolItem *other = g_ptr_array_index(second->segments, 0);

    return (one->record.number > other->record.number) -
           (one->record.number < other->record.number);
}

/* Returns: the objects to put in this cycle, borrowed, oldest first, with room for their bodies. */
static GPtrArray *
choose_objects(Cycle *self)
{
    GPtrArray *chosen = g_ptr_array_new();
    uint64_t n_bytes = 0;
    guint n_fit = 0;

    for (guint i = 0; i < self->plans->len; i++) {
        const GPtrArray *plan = g_ptr_array_index(self->plans, i);

        for (guint j = 0; j < plan->len; j++) {
            UploadObject *object = g_ptr_array_index(plan, j);

            if (object->is_complete && !object->is_stored)
                g_ptr_array_add(chosen, object);
        }
    }
    g_ptr_array_sort(chosen, compare_age);
    for (n_fit = 0; n_fit < chosen->len; n_fit++) {
        const UploadObject *object = g_ptr_array_index(chosen, n_fit);

        if (n_fit > 0 && n_bytes + object->n_bytes > MAX_BATCH_BYTES)
            break;
        n_bytes += object->n_bytes;
    }
    if (n_fit > 0) {
        upload_bodies_begin(self->cycle->bodies, n_bytes, n_fit);
    } else {
        upload_bodies_rest(self->cycle->bodies);
    }
    self->cycle->has_more = n_fit < chosen->len;
    g_ptr_array_set_size(chosen, (gint) n_fit);
    return chosen;
}

static void
give_up_segment(UploadCycle *self, const SpoolItem *segment)
{
    g_autoptr(GError) error = NULL;

    if (!spool_outbox_drop(self->options->spool, segment, &error))
        g_message("session %s: %s", segment->record.session, error->message);
}

/* Returns: the object's bytes; NULL if a segment could not be read, which then has become a gap. */
static GBytes *
read_object(UploadCycle *self, const UploadObject *object)
{
    uint8_t *body = upload_bodies_room(self->bodies, object->n_bytes);
    size_t n_bytes = 0;
    bool is_whole = true;

    for (guint i = 0; i < object->segments->len; i++) {
        const SpoolItem *segment = g_ptr_array_index(object->segments, i);
        g_autoptr(GError) error = NULL;

        if (!spool_outbox_read(self->options->spool, segment, body + n_bytes, &error)) {
            upload_cycle_note_failure(self, object->session, error);
            if (!g_error_matches(error, STORAGE_ERROR, STORAGE_ERROR_TRANSIENT))
                give_up_segment(self, segment);
            is_whole = false;
            continue;
        }
        n_bytes += segment->record.segment.n_bytes;
    }
    return is_whole ? upload_bodies_take(self->bodies, n_bytes) : NULL;
}

static void
note_stored(UploadCycle *self, UploadObject *object)
{
    self->n_objects++;
    object->is_stored = true;
    for (guint i = 0; i < object->segments->len; i++)
        ((SpoolItem *) g_ptr_array_index(object->segments, i))->is_stored = true;
}

static void
put_objects(Cycle *self)
{
    g_autoptr(GPtrArray) chosen = choose_objects(self);
    g_autofree ObjectPut *puts = g_new0(ObjectPut, chosen->len + 1);
    g_autoptr(GPtrArray) bodies = g_ptr_array_new_with_free_func((GDestroyNotify) g_bytes_unref);
    g_autoptr(GPtrArray) read = g_ptr_array_new();

    for (guint i = 0; i < chosen->len; i++) {
        UploadObject *object = g_ptr_array_index(chosen, i);
        GBytes *body = read_object(self->cycle, object);

        if (body == NULL) {
            self->cycle->has_more = true; /* again, without what was given up */
            continue;
        }
        puts[bodies->len] =
            (ObjectPut){.key = object->key, .body = body, .n_done = self->cycle->n_steps};
        g_ptr_array_add(bodies, body);
        g_ptr_array_add(read, object);
    }
    if (read->len > 0)
        object_store_put_all(self->cycle->options->store, puts, read->len);
    for (guint i = 0; i < read->len; i++) {
        UploadObject *object = g_ptr_array_index(read, i);
        g_autoptr(GError) error = puts[i].error;

        if (error != NULL) {
            upload_cycle_note_failure(self->cycle, object->session, error);
        } else {
            note_stored(self->cycle, object);
        }
    }
}

static SpoolItem *
sign_part(UploadCycle *self, const OutboxSession *session, const ManifestPart *part,
          const GByteArray *listed, GError **error)
{
    g_autofree char *text = manifest_part_to_text(part);
    g_autofree char *note = note_sign(self->options->signer, text);
    const SpoolPart kept = {
        .note = note,
        .number = part->number,
        .state = part->state,
        .items = {.bytes = listed->data, .n_numbers = listed->len / 8},
    };

    return spool_outbox_add_part(self->options->spool, session->id, &kept, error);
}

/* Returns: the session's part to put, signed now or before; NULL if there is none. */
static SpoolItem *
make_part(UploadCycle *self, OutboxSession *session, const GPtrArray *plan)
{
    g_autoptr(GByteArray) listed = g_byte_array_new();
    g_autoptr(ManifestPart) part = NULL;
    g_autoptr(GError) error = NULL;
    SpoolItem *signed_part = NULL;

    if (session->part != NULL)
        return spool_item_ref(session->part);
    part = upload_plan_part(session, plan, listed);
    if (part == NULL)
        return NULL;
    signed_part = sign_part(self, session, part, listed, &error);
    if (signed_part == NULL)
        upload_cycle_note_failure(self, session, error);
    return signed_part;
}

static OutboxSession *
session_of(const Cycle *self, const SpoolItem *part)
{
    for (guint i = 0; i < self->due->len; i++) {
        OutboxSession *session = g_ptr_array_index(self->due, i);

        if (strcmp(session->id, part->record.session) == 0)
            return session;
    }
    g_assert_not_reached();
}

/* Returns: GPtrArray of SpoolItem (owned), all durable in the spool; empty if that failed. */
static GPtrArray *
make_parts(Cycle *self)
{
    g_autoptr(GPtrArray) parts = g_ptr_array_new_with_free_func((GDestroyNotify) spool_item_unref);
    g_autoptr(GError) error = NULL;

    for (guint i = 0; i < self->due->len; i++) {
        OutboxSession *session = g_ptr_array_index(self->due, i);
        SpoolItem *part = make_part(self->cycle, session, g_ptr_array_index(self->plans, i));

        if (part != NULL)
            g_ptr_array_add(parts, part);
    }
    if (parts->len > 0 && !spool_commit(self->cycle->options->spool, &error)) {
        self->cycle->owes_commit = true;
        for (guint i = 0; i < parts->len; i++) {
            upload_cycle_note_failure(self->cycle, session_of(self, g_ptr_array_index(parts, i)),
                                      error);
        }
        g_ptr_array_set_size(parts, 0);
    }
    return g_steal_pointer(&parts);
}

static void
release_part(UploadCycle *self, OutboxSession *session, const SpoolPart *part)
{
    const UploaderOptions *options = self->options;
    g_autoptr(GError) error = NULL;

    self->n_parts++;
    if (options->on_part_stored != NULL)
        options->on_part_stored(part->note, options->user_data);
    /* While an old part was on its way, news for the next one may have come. */
    if (session->part != NULL)
        self->has_more = true;
    if (!spool_outbox_release(options->spool, session->id, part->number, &error)) {
        upload_cycle_note_failure(self, session,
                                  error); /* the part is put again, which is harmless */
        return;
    }
    if (!session->has_failed)
        upload_retry_note_success(self->retry, session->id);
    if (part->state != SESSION_OPEN && options->on_session_stored != NULL)
        options->on_session_stored(session->org, session->id, part->state, options->user_data);
}

static void
put_parts(Cycle *self, const GPtrArray *parts)
{
    g_autofree ObjectPut *puts = g_new0(ObjectPut, parts->len + 1);
    g_autoptr(GPtrArray) bodies = g_ptr_array_new_with_free_func((GDestroyNotify) g_bytes_unref);
    g_autoptr(GPtrArray) keys = g_ptr_array_new_with_free_func(g_free);

    for (guint i = 0; i < parts->len; i++) {
        const SpoolItem *part = g_ptr_array_index(parts, i);
        const SpoolPart *row = &part->record.part;
        const OutboxSession *session = session_of(self, part);

        puts[i].key = object_key_manifest(session->org, session->id, row->number);
        puts[i].body = g_bytes_new(row->note, strlen(row->note));
        g_ptr_array_add(keys, (char *) puts[i].key);
        g_ptr_array_add(bodies, puts[i].body);
    }
    if (parts->len > 0)
        object_store_put_all(self->cycle->options->store, puts, parts->len);
    for (guint i = 0; i < parts->len; i++) {
        const SpoolItem *part = g_ptr_array_index(parts, i);
        OutboxSession *session = session_of(self, part);
        g_autoptr(GError) error = puts[i].error;

        if (error != NULL) {
            upload_cycle_note_failure(self->cycle, session, error);
        } else {
            release_part(self->cycle, session, &part->record.part);
        }
    }
}

static void
note_oldest(UploadCycle *self, int64_t waits_since_us)
{
    if (waits_since_us != 0 && (self->oldest_unix_us == 0 || waits_since_us < self->oldest_unix_us))
        self->oldest_unix_us = waits_since_us;
}

static void
look_around(Cycle *self)
{
    const int64_t now_us = g_get_monotonic_time();

    self->cycle->oldest_unix_us = 0;
    for (guint i = 0; i < self->sessions->len; i++) {
        OutboxSession *session = g_ptr_array_index(self->sessions, i);

        note_oldest(self->cycle, upload_plan_oldest_us(session));
        if (!upload_retry_is_due(self->cycle->retry, session->id, now_us))
            continue;
        g_ptr_array_add(self->due, session);
    }
}

static void
plan(Cycle *self)
{
    for (guint i = self->due->len; i > 0; i--) {
        if (((const OutboxSession *) g_ptr_array_index(self->due, i - 1))->has_failed)
            g_ptr_array_remove_index(self->due, i - 1);
    }
    for (guint i = 0; i < self->due->len; i++)
        g_ptr_array_add(self->plans, upload_plan_objects(g_ptr_array_index(self->due, i)));
}

/* Settled: nothing failed, nothing was left for the next cycle, nobody waits for another try. */
static bool
is_settled(const Cycle *self, uint64_t n_failures_before)
{
    guint n_waiting = self->sessions->len - self->due->len;

    for (guint i = 0; i < self->sessions->len; i++) {
        const OutboxSession *session = g_ptr_array_index(self->sessions, i);

        n_waiting -= upload_retry_is_parked(self->cycle->retry, session->id);
    }
    return n_waiting == 0 && !self->cycle->has_more && self->cycle->n_failures == n_failures_before;
}

/* Parts that could not be made durable are in the spool all the same; nothing goes on before they
 * are. */
static bool
pay_commit(UploadCycle *self)
{
    g_autoptr(GError) error = NULL;

    if (self->owes_commit && !spool_commit(self->options->spool, &error)) {
        g_message("the spool does not keep manifest parts: %s", error->message);
        count_failure(self, error);
        return false;
    }
    self->owes_commit = false;
    return true;
}

static void
look_and_put(UploadCycle *self)
{
    const uint64_t n_failures = self->n_failures;
    g_autoptr(GPtrArray) sessions = spool_outbox_view(self->options->spool);
    g_autoptr(GPtrArray) due = g_ptr_array_new();
    g_autoptr(GPtrArray) plans = g_ptr_array_new_with_free_func((GDestroyNotify) g_ptr_array_unref);
    g_autoptr(GPtrArray) parts = NULL;
    Cycle cycle = {.cycle = self, .sessions = sessions, .due = due, .plans = plans};

    look_around(&cycle);
    upload_ahead(self, due);
    plan(&cycle);
    put_objects(&cycle);
    parts = make_parts(&cycle);
    put_parts(&cycle, parts);
    self->is_settled = is_settled(&cycle, n_failures);
}

void
upload_cycle_run(UploadCycle *self)
{
    self->has_more = false;
    self->is_settled = false;
    if (pay_commit(self))
        look_and_put(self);
}
