#include "agent/recorder/janus_calls.h"

#include <stdint.h>

#define EVENT_MS 5000

struct JanusCalls {
    unsigned n_refs;     /* its owner's, and one for each call */
    GHashTable *waiting; /* transaction -> Call */
    uint64_t last_transaction;
};

typedef struct {
    JanusCalls *calls;
    char *transaction;
    JanusCallFunc on_answer; /* NULL once it was answered */
    void *user_data;
    bool is_replied; /* nothing more comes by HTTP */
    guint deadline;  /* of the event */
} Call;

static void
unref(JanusCalls *self)
{
    if (--self->n_refs > 0)
        return;
    g_hash_table_unref(self->waiting);
    g_free(self);
}

static void
call_free(Call *self)
{
    unref(self->calls);
    g_free(self->transaction);
    g_free(self);
}

/* Ends the call, or leaves that to the reply which is still to come. */
static void
answer(Call *self, const json_t *reply, const GError *error)
{
    const JanusCallFunc on_answer = self->on_answer;

    g_hash_table_remove(self->calls->waiting, self->transaction);
    self->on_answer = NULL;
    if (self->deadline != 0)
        g_source_remove(self->deadline);
    self->deadline = 0;
    on_answer(reply, error, self->user_data);
    if (self->is_replied)
        call_free(self);
}

static gboolean
on_event_overdue(gpointer data)
{
    Call *self = data;
    g_autoptr(GError) error =
        g_error_new(G_IO_ERROR, G_IO_ERROR_TIMED_OUT, "Janus acknowledged and never answered");

    self->deadline = 0;
    answer(self, NULL, error);
    return G_SOURCE_REMOVE;
}

static void
on_reply(const json_t *reply, const GError *error, void *user_data)
{
    Call *self = user_data;
    g_autoptr(GError) fault = NULL;

    if (self->on_answer == NULL) {
        call_free(self);
        return;
    }
    fault = error == NULL ? janus_wire_fault(reply, self->transaction) : g_error_copy(error);
    if (fault == NULL && janus_wire_is_acknowledgement(reply)) {
        self->is_replied = true;
        self->deadline = g_timeout_add(EVENT_MS, on_event_overdue, self);
        return;
    }
    self->is_replied = true;
    answer(self, fault == NULL ? reply : NULL, fault);
}

JanusCalls *
janus_calls_new(void)
{
    JanusCalls *self = g_new0(JanusCalls, 1);

    self->n_refs = 1;
    self->waiting = g_hash_table_new(g_str_hash, g_str_equal);
    return self;
}

void
janus_calls_send(JanusCalls *self, JanusWire *wire, const JanusCall *content)
{
    Call *call = g_new0(Call, 1);

    self->n_refs++;
    call->calls = self;
    call->transaction = g_strdup_printf("sealtape-%" G_GUINT64_FORMAT, ++self->last_transaction);
    call->on_answer = content->on_answer;
    call->user_data = content->user_data;
    g_hash_table_insert(self->waiting, call->transaction, call);
    json_object_set_new(content->message, "transaction", json_string(call->transaction));
    janus_wire_post(wire, content->path, content->message, on_reply, call);
}

bool
janus_calls_take_event(JanusCalls *self, const json_t *event)
{
    const char *transaction = json_string_value(json_object_get(event, "transaction"));
    Call *call = transaction != NULL ? g_hash_table_lookup(self->waiting, transaction) : NULL;

    if (call != NULL)
        answer(call, event, NULL);
    return call != NULL;
}

void
janus_calls_fail(JanusCalls *self, const char *problem)
{
    g_autoptr(GList) calls = g_hash_table_get_values(self->waiting);
    g_autoptr(GError) error = g_error_new_literal(G_IO_ERROR, G_IO_ERROR_CLOSED, problem);

    g_hash_table_remove_all(self->waiting);
    for (const GList *link = calls; link != NULL; link = link->next)
        answer(link->data, NULL, error);
}

unsigned
janus_calls_count(const JanusCalls *self)
{
    return g_hash_table_size(self->waiting);
}

void
janus_calls_free(JanusCalls *self)
{
    if (self == NULL)
        return;
    g_assert(janus_calls_count(self) == 0);
    unref(self);
}
