#include "storage/upload_ahead.h"

#include "storage/object_key.h"

typedef struct {
    OutboxSession *session;
    SpoolItem *item;
    char *key;
    GBytes *body;
    GError *error;
} Ahead;

static void
free_ahead(void *data)
{
    Ahead *self = data;

    g_free(self->key);
    g_bytes_unref(self->body);
    g_clear_error(&self->error);
    g_free(self);
}

static void
collect(const GPtrArray *sessions, GPtrArray *found)
{
    for (guint i = 0; i < sessions->len; i++) {
        OutboxSession *session = g_ptr_array_index(sessions, i);

        for (guint j = 0; j < session->items->len; j++) {
            SpoolItem *item = g_ptr_array_index(session->items, j);
            const LedgerObject *object = &item->record.object;
            Ahead *ahead = NULL;

            if (item->record.type != SPOOL_RECORD_OBJECT)
                continue;
            ahead = g_new0(Ahead, 1);
            ahead->session = session;
            ahead->item = item;
            ahead->key = object_key_join(session->org, session->id, object->name);
            ahead->body = g_bytes_new(object->bytes, object->n_bytes);
            g_ptr_array_add(found, ahead);
        }
    }
}

static void
replace(ObjectStore *store, Ahead *ahead)
{
    const bool is_put = object_store_replace(store, ahead->key, ahead->body, &ahead->error);

    g_assert(is_put == (ahead->error == NULL));
}

/* All that need a free name go together, the others one by one: they are few. */
static void
put(ObjectStore *store, const GPtrArray *found, unsigned *n_steps)
{
    g_autofree ObjectPut *puts = g_new0(ObjectPut, found->len + 1);
    size_t n_puts = 0;

    for (guint i = 0; i < found->len; i++) {
        Ahead *ahead = g_ptr_array_index(found, i);

        if (!ahead->item->record.object.replaces) {
            puts[n_puts++] = (ObjectPut){.key = ahead->key, .body = ahead->body, .n_done = n_steps};
        } else {
            replace(store, ahead);
        }
    }
    object_store_put_all(store, puts, n_puts);
    for (guint i = 0, n_taken = 0; i < found->len; i++) {
        Ahead *ahead = g_ptr_array_index(found, i);

        if (!ahead->item->record.object.replaces)
            ahead->error = puts[n_taken++].error;
    }
}

void
upload_ahead(UploadCycle *self, const GPtrArray *sessions)
{
    g_autoptr(GPtrArray) found = g_ptr_array_new_with_free_func(free_ahead);

    collect(sessions, found);
    if (found->len == 0)
        return;
    put(self->options->store, found, self->n_steps);
    for (guint i = 0; i < found->len; i++) {
        Ahead *ahead = g_ptr_array_index(found, i);

        if (ahead->error != NULL ||
            !spool_outbox_drop_object(self->options->spool, ahead->item, &ahead->error)) {
            /* One word for each session: the first is as good as the others. */
            if (!ahead->session->has_failed)
                upload_cycle_note_failure(self, ahead->session, ahead->error);
        }
    }
}
