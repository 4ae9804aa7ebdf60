#pragma once

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

enum { REPORT_MONTHS = 12 };

/* The months that a report tells of: twelve, of UTC. Pure. */
typedef struct {
    int64_t from_us, until_us; /* since 1970: the first moment, and the first that is not in it */
    char months[REPORT_MONTHS][sizeof "2026-11"];
} ReportSpan;

/* The twelve months that end with the one of `at_us`; and those that begin with it, `is_ahead`.
 * The first kind ends at `at_us` itself. */
void report_span_init(ReportSpan *self, int64_t at_us, bool is_ahead);

/* `time`: begins with `2026-11`. Returns: which month it is; -1: none of them. */
int report_span_find(const ReportSpan *self, const char *time);

/* Returns: an array of the months, owned. */
json_t *report_span_to_json(const ReportSpan *self);
