#pragma once

#include "agent/admin/command_context.h"
#include "agent/admin/report_span.h"

#include <jansson.h>

/* What the audit logs of this host say of an organisation, counted.
 * `checks`: gets a row for each log. Returns: `{"openings": {<use>: months}, "disclosures": months,
 * "refused": n, ...}`, owned. Errors: settings, a log that can not be read, or that can not be told
 * that it is read. */
json_t *report_audit_count(CommandContext *context, const char *org, const ReportSpan *span,
                           json_t *checks, GError **error) G_GNUC_WARN_UNUSED_RESULT;
