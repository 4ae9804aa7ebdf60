#pragma once

#include "agent/admin/audit_sources.h"
#include "agent/audit/audit_event.h"

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* The records of this host's logs that somebody asks for, in the order of each log. NULL, 0: any.
 */
typedef struct {
    const char *session;
    const char *event;
    const char *client;        /* a pseudonym */
    int64_t from_us, until_us; /* since 1970; 0: without end */
} AuditFilter;

/* `line`: without its end. `record`: NULL for an event that this version does not know. Returning
 * false ends it. */
typedef bool (*AuditFilterFunc)(const AuditSource *source, const char *line,
                                const AuditRecord *record, void *user_data);
void audit_filter_each(const AuditSources *sources, const AuditFilter *filter,
                       AuditFilterFunc on_record, void *user_data);

/* Returns: a record for programs: org, origin, number, time, event, outcome, fields; owned. */
json_t *audit_filter_to_json(const AuditSource *source, const AuditRecord *record);

/* Tells each organisation's auditors that its logs are read, before they are: `how` is the
 * command's name. Errors: as command_context_audit(); then nothing may be shown. */
bool audit_filter_tell(CommandContext *context, const AuditSources *sources, const char *how,
                       const AuditFilter *filter, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Reads `text` (NULL: not set) as a moment into `unix_us`. Returns: false has said what is wrong.
 */
bool audit_filter_parse_moment(const char *option, const char *text, int64_t *unix_us);
