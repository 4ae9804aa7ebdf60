#pragma once

#include "agent/admin/metric_page.h"

#include <jansson.h>

/* Returns: what is amiss with a recorder that answers with `page`, most urgent first: an array of
 * `{"severity": "critical"|"warning", "alarm": "...", "message": "..."}`, empty if nothing is;
 * owned. The names are those of the alert rules (systemd/sealtape.rules.yml), without `Sealtape`.
 */
json_t *host_alarms_find(const MetricPage *page);

/* Returns: the one alarm of a recorder that does not answer, because `reason`; owned. */
json_t *host_alarms_down(const char *reason);
