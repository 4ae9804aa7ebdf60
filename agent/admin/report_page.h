#pragma once

#include <jansson.h>

/* Returns: what report_facts_gather() gave as one page of HTML that needs nothing else: no script,
 * no reference to anything outside; owned. Pure: the same facts give the same bytes. */
char *report_page_write(const json_t *facts);
