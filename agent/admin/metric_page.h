#pragma once

#include <glib.h>
#include <jansson.h>

/* What a daemon's /metrics says, in the Prometheus text format 0.0.4, read back. A plain value. */
typedef struct MetricPage MetricPage;

/* Lines that are no samples are passed over. */
MetricPage *metric_page_parse(const char *text);

/* Returns: the sum of all samples of `name`, without its prefix `sealtape_`; 0: there is none. */
double metric_page_value(const MetricPage *self, const char *name);

/* Returns: `{"<value of the label>": number, ...}` of the samples of `name`, which have one label
 * each; owned. */
json_t *metric_page_by_label(const MetricPage *self, const char *name);

void metric_page_free(MetricPage *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MetricPage, metric_page_free)
