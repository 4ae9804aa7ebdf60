#include "agent/trail/audit_limit.h"

enum { MOST_A_MINUTE = 10, MINUTE_US = 60 * G_USEC_PER_SEC };

typedef struct {
    char *kind;
    char *reason; /* NULL: none */
    int64_t start_us;
    unsigned n_written;
    uint64_t n_left_out;
} Minute;

struct AuditLimit {
    GHashTable *minutes; /* char * -> Minute; kinds and reasons are few */
};

static void
minute_free(gpointer data)
{
    Minute *self = data;

    g_free(self->kind);
    g_free(self->reason);
    g_free(self);
}

AuditLimit *
audit_limit_new(void)
{
    AuditLimit *self = g_new0(AuditLimit, 1);

    self->minutes = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, minute_free);
    return self;
}

bool
audit_limit_admits(AuditLimit *self, const char *kind, const char *reason, int64_t now_us)
{
    g_autofree char *name = g_strdup_printf("%s %s", kind, reason == NULL ? "" : reason);
    Minute *minute = g_hash_table_lookup(self->minutes, name);

    if (minute == NULL) {
        minute = g_new0(Minute, 1);
        *minute = (Minute){.kind = g_strdup(kind), .reason = g_strdup(reason), .start_us = now_us};
        g_hash_table_insert(self->minutes, g_steal_pointer(&name), minute);
    }
    if (minute->n_written < MOST_A_MINUTE) {
        minute->n_written++;
        return true;
    }
    minute->n_left_out++;
    return false;
}

void
audit_limit_close(AuditLimit *self, int64_t now_us,
                  void (*on_left_out)(const char *kind, const char *reason, uint64_t count,
                                      void *user_data),
                  void *user_data)
{
    GHashTableIter iter;
    gpointer value = NULL;

    g_hash_table_iter_init(&iter, self->minutes);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        const Minute *minute = value;

        if (now_us < minute->start_us + MINUTE_US)
            continue;
        if (minute->n_left_out > 0)
            on_left_out(minute->kind, minute->reason, minute->n_left_out, user_data);
        g_hash_table_iter_remove(&iter);
    }
}

void
audit_limit_free(AuditLimit *self)
{
    if (self == NULL)
        return;
    g_hash_table_unref(self->minutes);
    g_free(self);
}
