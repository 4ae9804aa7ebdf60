#pragma once

#include "agent/admin/report_span.h"

#include <jansson.h>

/* Counts under names, and month by month, as JSON: `{"<name>": [0, 3, ...]}`. */

/* Adds one to `<form>.<name>`. */
void report_counts_add(json_t *form, const char *name);

/* Adds `value` in `month` of the span; outside of it, -1, nothing is. */
void report_counts_add_month(json_t *form, const char *name, int month, json_int_t value);

/* Returns: the sum of an array of numbers. */
json_int_t report_counts_sum(const json_t *months);
