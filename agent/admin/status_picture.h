#pragma once

#include <jansson.h>

/* Returns: what status_facts_gather() gave as one page of plain text, lines of any length, the most
 * urgent first and the list of open sessions last; owned. */
char *status_picture_draw(const json_t *facts);
