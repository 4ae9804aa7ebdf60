#include "storage/upload_retry.h"

#include "storage/storage_error.h"

enum { FIRST_WAIT_US = 200 * 1000, LONGEST_WAIT_US = 60 * 1000 * 1000, MAX_DOUBLINGS = 9 };

typedef struct {
    unsigned n_failures;
    int64_t not_before_us;
    bool is_parked;
} Trouble;

/* So many failures without a success between them are the store's, not a session's. */
enum { OUTAGE_FAILURES = 3 };

struct UploadRetry {
    GHashTable *troubles; /* session id -> Trouble */
    unsigned n_in_row;    /* failures since the last success */
};

UploadRetry *
upload_retry_new(void)
{
    UploadRetry *self = g_new0(UploadRetry, 1);

    self->troubles = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    return self;
}

bool
upload_retry_is_due(const UploadRetry *self, const char *session, int64_t now_us)
{
    const Trouble *trouble = g_hash_table_lookup(self->troubles, session);

    return trouble == NULL || (!trouble->is_parked && now_us >= trouble->not_before_us);
}

static int64_t
draw_wait_us(unsigned n_failures)
{
    const int64_t ceiling_us = (int64_t) FIRST_WAIT_US << MIN(n_failures, MAX_DOUBLINGS);

    return g_random_int_range(1, (gint32) MIN(ceiling_us, LONGEST_WAIT_US) + 1);
}

bool
upload_retry_note_failure(UploadRetry *self, const char *session, const GError *error,
                          int64_t now_us)
{
    Trouble *trouble = g_hash_table_lookup(self->troubles, session);

    self->n_in_row++;
    if (trouble == NULL) {
        trouble = g_new0(Trouble, 1);
        g_hash_table_insert(self->troubles, g_strdup(session), trouble);
    }
    /* Other bytes under our name: somebody tampers, or we have a bug; trying again helps neither.
     */
    trouble->is_parked = g_error_matches(error, STORAGE_ERROR, STORAGE_ERROR_CONFLICT);
    trouble->not_before_us = now_us + draw_wait_us(trouble->n_failures);
    /* A refusal does not pass by itself: ask seldom. */
    if (g_error_matches(error, STORAGE_ERROR, STORAGE_ERROR_DENIED))
        trouble->not_before_us = now_us + LONGEST_WAIT_US;
    trouble->n_failures++;
    return !trouble->is_parked;
}

void
upload_retry_note_success(UploadRetry *self, const char *session)
{
    const bool was_outage = self->n_in_row >= OUTAGE_FAILURES;
    GHashTableIter iter;
    void *trouble = NULL;

    self->n_in_row = 0;
    (void) g_hash_table_remove(self->troubles, session); /* mostly it is not there */
    g_hash_table_iter_init(&iter, self->troubles);
    while (was_outage && g_hash_table_iter_next(&iter, NULL, &trouble))
        ((Trouble *) trouble)->not_before_us = 0;
}

bool
upload_retry_is_parked(const UploadRetry *self, const char *session)
{
    const Trouble *trouble = g_hash_table_lookup(self->troubles, session);

    return trouble != NULL && trouble->is_parked;
}

bool
upload_retry_has_parked(const UploadRetry *self)
{
    GHashTableIter iter;
    void *trouble = NULL;

    g_hash_table_iter_init(&iter, self->troubles);
    while (g_hash_table_iter_next(&iter, NULL, &trouble)) {
        if (((const Trouble *) trouble)->is_parked)
            return true;
    }
    return false;
}

void
upload_retry_free(UploadRetry *self)
{
    if (self == NULL)
        return;
    g_hash_table_unref(self->troubles);
    g_free(self);
}
