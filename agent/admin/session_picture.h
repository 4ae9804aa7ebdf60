#pragma once

#include "agent/admin/session_facts.h"

#include <jansson.h>
#include <stdbool.h>

/* Sessions as a person reads them on standard output. */

/* `rows`: a JSON array of session_facts_to_row(). */
void session_picture_print_list(const json_t *rows);

/* The head, a row of the timeline for each track, a legend, the longest gaps, and the completeness
 * report. `width`: of the terminal. */
void session_picture_print(const SessionFacts *facts, unsigned width, bool is_ascii);
