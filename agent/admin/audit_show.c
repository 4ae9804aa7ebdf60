#include "agent/admin/audit_show.h"

#include "agent/admin/audit_filter.h"

static bool
show_record(const AuditSource *source, const char *line, const AuditRecord *record, void *user_data)
{
    json_t *rows = user_data; /* NULL: for a person */

    if (rows == NULL) {
        g_print("%s %s %s\n", source->org, source->word, line);
    } else if (record != NULL) {
        json_array_append_new(rows, audit_filter_to_json(source, record));
    } else {
        json_array_append_new(rows, json_pack("{s:s, s:s, s:s}", "org", source->org, "origin",
                                              source->word, "line", line));
    }
    return true;
}

int
audit_show_run(CommandContext *context, int argc, char **argv)
{
    g_autofree char *org = NULL;
    g_autofree char *session = NULL;
    g_autofree char *event = NULL;
    const GOptionEntry entries[] = {
        {"org",     0, 0, G_OPTION_ARG_STRING, &org,     "Only this organisation's",     "ID"  },
        {"session", 0, 0, G_OPTION_ARG_STRING, &session, "Only records of this session", "ID"  },
        {"event",   0, 0, G_OPTION_ARG_STRING, &event,   "Only this kind of record",     "NAME"},
        G_OPTION_ENTRY_NULL,
    };
    const CommandSyntax syntax = {"audit show", "", "Shows the records of this host's audit logs.",
                                  entries,      0,  0};
    g_autoptr(AuditSources) sources = NULL;
    g_autoptr(GError) error = NULL;
    AuditFilter filter = {0};
    json_t *rows = NULL;

    if (!command_context_parse(context, &syntax, &argc, argv))
        return EXIT_CODE_USAGE;
    filter = (AuditFilter){.session = session, .event = event};
    sources = audit_sources_load(context, org, false, &error);
    if (sources == NULL || !audit_filter_tell(context, sources, "show", &filter, &error))
        return command_context_fail(context, g_steal_pointer(&error));
    rows = command_context_as_json(context) ? json_array() : NULL;
    audit_filter_each(sources, &filter, show_record, rows);
    if (rows != NULL)
        command_context_print_json(json_pack("{s:o}", "records", rows));
    return EXIT_CODE_OK;
}
