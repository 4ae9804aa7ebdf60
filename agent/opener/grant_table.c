#include "agent/opener/grant_table.h"

/* An ended grant answers `gone` instead of `unknown` for so long. */
#define REMEMBERED_US ((int64_t) 10 * 60 * G_USEC_PER_SEC)

struct GrantTable {
    GHashTable *grants; /* id -> Grant */
    unsigned most_alive;
    unsigned n_alive;
    void (*on_ended)(Grant *grant, void *user_data);
    void *user_data;
};

static void
on_grant_free(gpointer grant)
{
    grant_free(grant);
}

GrantTable *
grant_table_new(unsigned most_alive, void (*on_ended)(Grant *grant, void *user_data),
                void *user_data)
{
    GrantTable *self = g_new0(GrantTable, 1);

    self->grants = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, on_grant_free);
    self->most_alive = most_alive;
    self->on_ended = on_ended;
    self->user_data = user_data;
    return self;
}

/* Those remembered count as well, twice over, so that nobody fills the memory with short ones. */
unsigned
grant_table_room(const GrantTable *self)
{
    const unsigned n_all = g_hash_table_size(self->grants);

    return MIN(self->most_alive - self->n_alive,
               2 * self->most_alive - MIN(n_all, 2 * self->most_alive));
}

void
grant_table_add(GrantTable *self, Grant *grant)
{
    g_hash_table_insert(self->grants, grant->id, grant);
    self->n_alive++;
}

Grant *
grant_table_find(const GrantTable *self, const char *id, const Caller *caller)
{
    Grant *grant = g_hash_table_lookup(self->grants, id);

    return grant != NULL && (caller == NULL || caller_is_same(grant->caller, caller)) ? grant
                                                                                      : NULL;
}

static int
compare_times(gconstpointer a, gconstpointer b)
{
    const Grant *x = *(const Grant *const *) a;
    const Grant *y = *(const Grant *const *) b;

    return (x->issued_us > y->issued_us) - (x->issued_us < y->issued_us);
}

GPtrArray *
grant_table_list(const GrantTable *self, const Caller *caller, bool is_whole_org)
{
    GPtrArray *list = g_ptr_array_new();
    GHashTableIter iter;
    gpointer value = NULL;

    g_hash_table_iter_init(&iter, self->grants);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        const Grant *grant = value;

        if (is_whole_org ? g_strcmp0(grant->caller->org, caller->org) == 0
                         : caller_is_same(grant->caller, caller))
            g_ptr_array_add(list, value);
    }
    g_ptr_array_sort(list, compare_times);
    return list;
}

static void
end(GrantTable *self, Grant *grant)
{
    self->n_alive--;
    self->on_ended(grant, self->user_data);
}

void
grant_table_revoke(GrantTable *self, Grant *grant, const char *reason)
{
    if (!grant_is_alive(grant))
        return;
    grant->state = GRANT_REVOKED;
    grant->reason = reason;
    end(self, grant);
}

void
grant_table_revoke_all(GrantTable *self, const char *reason)
{
    GHashTableIter iter;
    gpointer value = NULL;

    g_hash_table_iter_init(&iter, self->grants);
    while (g_hash_table_iter_next(&iter, NULL, &value))
        grant_table_revoke(self, value, reason);
}

static bool
is_forgotten(Grant *grant, int64_t now_us)
{
    if (grant_is_alive(grant) || grant->n_streams > 0)
        return false;
    if (grant->ended_us == 0)
        grant->ended_us = now_us;
    return now_us - grant->ended_us >= REMEMBERED_US;
}

void
grant_table_tick(GrantTable *self, int64_t now_us)
{
    GHashTableIter iter;
    gpointer value = NULL;

    g_hash_table_iter_init(&iter, self->grants);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        if (grant_expire(value, now_us))
            end(self, value);
        if (is_forgotten(value, now_us))
            g_hash_table_iter_remove(&iter);
    }
}

void
grant_table_each_streaming(GrantTable *self, void (*visit)(Grant *grant, void *user_data),
                           void *user_data)
{
    GHashTableIter iter;
    gpointer value = NULL;

    g_hash_table_iter_init(&iter, self->grants);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        if (((Grant *) value)->n_streams > 0 && grant_is_alive(value))
            visit(value, user_data);
    }
}

void
grant_table_free(GrantTable *self)
{
    if (self == NULL)
        return;
    g_hash_table_unref(self->grants);
    g_free(self);
}
