#pragma once

#include "agent/admin/command_context.h"

#include <jansson.h>
#include <stdint.h>

/* What a privacy officer wants to know of one organisation at a moment: numbers, codes, marks of
 * keys and days, out of catalogue, key ring, annotations and the audit logs of this host. No id of
 * a session or a person, no matter's name, nothing that was written by hand.
 *
 * `at_us`: since 1970. What came later is left out, so that the same moment gives the same report,
 * as long as nothing that is reported on was erased. That the audit logs are read is told to them.
 * Returns: as docs/cli.md has the JSON of `sealtape report`; owned. Errors: of any of the sources.
 */
json_t *report_facts_gather(CommandContext *context, const char *org, int64_t at_us,
                            GError **error) G_GNUC_WARN_UNUSED_RESULT;
