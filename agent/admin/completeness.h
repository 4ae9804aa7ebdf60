#pragma once

#include "agent/admin/session_facts.h"

#include <jansson.h>

/* The completeness report of a session: what of each track came, what did not, and why. */

/* Returns: the packets' counts as an object; JSON null as long as the manifest has none. */
json_t *completeness_counts_to_json(const TrackFacts *track);

/* Returns: for each reason how many gaps there are and how long they are together. */
json_t *completeness_gaps_to_json(const TrackFacts *track);

/* Prints a paragraph for each track. */
void completeness_print(const SessionFacts *facts);
