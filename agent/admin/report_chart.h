#pragma once

#include <glib.h>
#include <jansson.h>

/* Adds a chart of bars, month by month, as inline SVG without any script or reference, and the same
 * numbers as a table below it.
 * `title`: what it shows. `months`: array of labels. `series`: `{"<name>": [number, ...]}`, stacked
 * in this order; colours are the page's classes `s0`, `s1`, .... Everything is escaped. */
void report_chart_add(GString *page, const char *title, const json_t *months, json_t *series);

/* Adds `text`, escaped. */
void report_chart_add_text(GString *page, const char *text);
