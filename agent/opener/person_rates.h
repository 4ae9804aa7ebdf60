#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* How often one person may ask within a minute. Main thread; knows no clock: `now_us` is monotonic.
 * Remembers so many people at most; while all of these ask, new ones wait. */
typedef struct PersonRates PersonRates;

PersonRates *person_rates_new(unsigned per_minute);

/* Counts a request of `person`. Returns: whether it may pass. */
bool person_rates_admit(PersonRates *self, const char *person, int64_t now_us);

void person_rates_free(PersonRates *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PersonRates, person_rates_free)
