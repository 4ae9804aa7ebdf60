#include "agent/recorder/session_table.h"

#include "agent/recorder/session_end.h"

/* Ended sessions are remembered, for those who ask how it went, up to this many. */
#define MAX_REMEMBERED 1000

struct SessionTable {
    GHashTable *sessions; /* id -> Session */
    GQueue *order;        /* Session, by beginning */
};

SessionTable *
session_table_new(void)
{
    SessionTable *self = g_new0(SessionTable, 1);

    self->sessions =
        g_hash_table_new_full(g_str_hash, g_str_equal, NULL, (GDestroyNotify) session_free);
    self->order = g_queue_new();
    return self;
}

/* Forgets the oldest of those that are over, when there are too many. */
static void
forget_old(SessionTable *self)
{
    GList *link = self->order->head;

    while (link != NULL && self->order->length > MAX_REMEMBERED) {
        GList *next = link->next;
        Session *session = link->data;

        if (session_is_over(session)) {
            g_queue_delete_link(self->order, link);
            g_hash_table_remove(self->sessions, session_id(session));
        }
        link = next;
    }
}

void
session_table_add(SessionTable *self, Session *session)
{
    g_hash_table_insert(self->sessions, (gpointer) session_id(session), session);
    g_queue_push_tail(self->order, session);
    forget_old(self);
}

Session *
session_table_find(const SessionTable *self, const char *id)
{
    return g_hash_table_lookup(self->sessions, id);
}

GPtrArray *
session_table_list(const SessionTable *self)
{
    GPtrArray *list = g_ptr_array_new();

    for (const GList *link = self->order->head; link != NULL; link = link->next)
        g_ptr_array_add(list, link->data);
    return list;
}

static gboolean
free_session(gpointer data)
{
    session_free(data);
    return G_SOURCE_REMOVE;
}

void
session_table_drop(SessionTable *self, Session *session)
{
    g_queue_remove(self->order, session);
    g_hash_table_steal(self->sessions, session_id(session));
    (void) g_idle_add(free_session, session); /* frees it, once */
}

unsigned
session_table_count_open(const SessionTable *self)
{
    unsigned n = 0;

    for (const GList *link = self->order->head; link != NULL; link = link->next)
        n += session_is_open(link->data) ? 1 : 0;
    return n;
}

unsigned
session_table_count_unfinished(const SessionTable *self)
{
    unsigned n = 0;

    for (const GList *link = self->order->head; link != NULL; link = link->next)
        n += session_is_over(link->data) ? 0 : 1;
    return n;
}

void
session_table_end_overdue(SessionTable *self, int64_t orphan_us)
{
    for (const GList *link = self->order->head; link != NULL; link = link->next) {
        const char *reason = session_end_if_overdue(link->data, orphan_us);

        if (reason != NULL)
            g_warning("session %s: ended: %s", session_id(link->data), reason);
    }
}

void
session_table_free(SessionTable *self)
{
    if (self == NULL)
        return;
    g_hash_table_unref(self->sessions);
    g_queue_free(self->order);
    g_free(self);
}
