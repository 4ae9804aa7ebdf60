#include "agent/opener/person_rates.h"

#define MINUTE_US  ((int64_t) 60 * G_USEC_PER_SEC)
#define MAX_PEOPLE 20000

struct PersonRates {
    GHashTable *people; /* char * -> Count */
    unsigned per_minute;
};

typedef struct {
    int64_t since_us;
    unsigned n_requests;
} Count;

PersonRates *
person_rates_new(unsigned per_minute)
{
    PersonRates *self = g_new0(PersonRates, 1);

    self->people = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    self->per_minute = per_minute;
    return self;
}

static gboolean
is_past(gpointer key, gpointer value, gpointer user_data)
{
    const Count *count = value;
    const int64_t *now_us = user_data;

    return *now_us - count->since_us >= MINUTE_US;
}

bool
person_rates_admit(PersonRates *self, const char *person, int64_t now_us)
{
    Count *count = g_hash_table_lookup(self->people, person);

    if (count == NULL) {
        if (g_hash_table_size(self->people) >= MAX_PEOPLE)
            (void) g_hash_table_foreach_remove(self->people, is_past, &now_us); /* how many */
        if (g_hash_table_size(self->people) >= MAX_PEOPLE)
            return false;
        count = g_new0(Count, 1);
        count->since_us = now_us;
        g_hash_table_insert(self->people, g_strdup(person), count);
    }
    if (now_us - count->since_us >= MINUTE_US)
        *count = (Count){now_us, 0};
    return ++count->n_requests <= self->per_minute;
}

void
person_rates_free(PersonRates *self)
{
    if (self == NULL)
        return;
    g_hash_table_unref(self->people);
    g_free(self);
}
