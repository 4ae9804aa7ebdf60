#include "agent/admin/audit_export.h"

#include "agent/admin/audit_filter.h"
#include "agent/audit/fhir_audit_event.h"
#include "agent/audit/syslog_message.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Returns: one line, owned, to be released with free(). */
typedef char *(*Format)(const AuditSource *source, const AuditRecord *record);

static char *
print_json(json_t *json)
{
    char *text = json_dumps(json, JSON_COMPACT);

    g_assert(text != NULL);
    json_decref(json);
    return text;
}

static AuditSourceId
id_of(const AuditSource *source)
{
    return (AuditSourceId){source->org, source->word, g_get_host_name()};
}

static char *
format_jsonl(const AuditSource *source, const AuditRecord *record)
{
    return print_json(audit_filter_to_json(source, record));
}

static char *
format_fhir(const AuditSource *source, const AuditRecord *record)
{
    const AuditSourceId id = id_of(source);

    return print_json(fhir_audit_event(record, &id));
}

static char *
format_atna(const AuditSource *source, const AuditRecord *record)
{
    const AuditSourceId id = id_of(source);

    return syslog_message(record, &id); /* since GLib 2.46, g_free() is free() */
}

static const struct {
    const char *name;
    Format format;
} formats[] = {
    {"jsonl", format_jsonl},
    {"atna",  format_atna },
    {"fhir",  format_fhir },
};

typedef struct {
    Format format;
    bool has_failed;
    uint64_t n_unknown;
} Export;

static bool
export_record(const AuditSource *source, const char *line, const AuditRecord *record,
              void *user_data)
{
    Export *export = user_data;
    char *text = NULL;

    if (record == NULL) {
        export->n_unknown++;
        return true;
    }
    text = export->format(source, record);
    export->has_failed = puts(text) == EOF;
    free(text);
    return !export->has_failed;
}

static Format
find_format(const char *name)
{
    for (size_t i = 0; i < G_N_ELEMENTS(formats); i++) {
        if (name == NULL || strcmp(formats[i].name, name) == 0)
            return formats[i].format;
    }
    g_printerr("sealtape audit export: --format `%s` is none of jsonl, atna and fhir\n", name);
    return NULL;
}

static int
finish(const Export *export)
{
    if (export->has_failed || fflush(stdout) != 0) {
        g_printerr("sealtape audit export: standard output takes no more: not all is written\n");
        return EXIT_CODE_FAILED;
    }
    if (export->n_unknown == 0)
        return EXIT_CODE_OK;
    g_printerr("sealtape audit export: %" G_GUINT64_FORMAT
               " records are left out, of events that this version does not know\n",
               export->n_unknown);
    return EXIT_CODE_FINDINGS;
}

int
audit_export_run(CommandContext *context, int argc, char **argv)
{
    g_autofree char *org = NULL;
    g_autofree char *session = NULL;
    g_autofree char *format = NULL;
    g_autofree char *from = NULL;
    g_autofree char *until = NULL;
    const GOptionEntry entries[] = {
        {"org",     0, 0, G_OPTION_ARG_STRING, &org,     "Only this organisation's",      "ID"  },
        {"session", 0, 0, G_OPTION_ARG_STRING, &session, "Only records of this session",  "ID"  },
        {"format",  0, 0, G_OPTION_ARG_STRING, &format,  "jsonl (default), atna or fhir", "NAME"},
        {"from",    0, 0, G_OPTION_ARG_STRING, &from,    "Only what was noted since",     "TIME"},
        {"until",   0, 0, G_OPTION_ARG_STRING, &until,   "Only what was noted before",    "TIME"},
        G_OPTION_ENTRY_NULL,
    };
    const CommandSyntax syntax = {
        "audit export",
        "",
        "Writes records, one a line, as other systems read them: JSON, ATNA messages as syslog "
        "has\n"
        "them (RFC 5424), or AuditEvents of FHIR R4. Exit code 3 if some could not be told so.",
        entries,
        0,
        0,
    };
    g_autoptr(AuditSources) sources = NULL;
    g_autoptr(GError) error = NULL;
    AuditFilter filter = {0};
    Export export = {0};

    if (!command_context_parse(context, &syntax, &argc, argv))
        return EXIT_CODE_USAGE;
    filter.session = session;
    export.format = find_format(format);
    if (export.format == NULL || !audit_filter_parse_moment("--from", from, &filter.from_us) ||
        !audit_filter_parse_moment("--until", until, &filter.until_us))
        return EXIT_CODE_USAGE;
    sources = audit_sources_load(context, org, false, &error);
    if (sources == NULL || !audit_filter_tell(context, sources, "export", &filter, &error))
        return command_context_fail(context, g_steal_pointer(&error));
    audit_filter_each(sources, &filter, export_record, &export);
    return finish(&export);
}
