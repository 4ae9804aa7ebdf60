#include "agent/admin/audit_show.h"

#include "agent/admin/audit_sources.h"

#include <string.h>

typedef struct {
    const char *session; /* NULL: all */
    const char *event;   /* NULL: all */
    json_t *rows;        /* NULL: for a person */
} Filter;

static bool
is_wanted(const Filter *filter, char **words)
{
    bool has_session = filter->session == NULL;

    if (filter->event != NULL && g_strcmp0(words[2], filter->event) != 0)
        return false;
    for (guint i = 4; !has_session && i < g_strv_length(words); i++) {
        has_session = g_str_has_prefix(words[i], "session=") &&
                      strcmp(words[i] + strlen("session="), filter->session) == 0;
    }
    return has_session;
}

static json_t *
row_of(const AuditSource *source, char **words)
{
    json_t *fields = json_object();

    for (guint i = 4; i < g_strv_length(words); i++) {
        g_auto(GStrv) pair = g_strsplit(words[i], "=", 2);
        g_autofree char *value = pair[1] == NULL ? NULL : g_uri_unescape_string(pair[1], NULL);

        if (value != NULL)
            json_object_set_new(fields, pair[0], json_string(value));
    }
    return json_pack("{s:s, s:s, s:I, s:s, s:s, s:s, s:o}", "org", source->org, "origin",
                     source->word, "number", (json_int_t) g_ascii_strtoll(words[0], NULL, 10),
                     "time", words[1], "event", words[2], "outcome", words[3], "fields", fields);
}

static void
show_line(const AuditSource *source, const char *line, const Filter *filter)
{
    g_auto(GStrv) words = g_strsplit(line, " ", -1);

    if (g_strv_length(words) < 4 || !is_wanted(filter, words))
        return;
    if (filter->rows != NULL) {
        json_array_append_new(filter->rows, row_of(source, words));
    } else {
        g_print("%s %s\n", source->org, line);
    }
}

static void
show_source(const AuditSource *source, const Filter *filter)
{
    gsize n_bytes = 0;
    const char *bytes = g_bytes_get_data(source->content, &n_bytes);
    g_autofree char *text = g_strndup(bytes, n_bytes);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

    for (guint i = 0; lines[i] != NULL; i++)
        show_line(source, lines[i], filter);
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
    Filter filter = {0};

    if (!command_context_parse(context, &syntax, &argc, argv))
        return EXIT_CODE_USAGE;
    sources = audit_sources_load(context, org, false, &error);
    if (sources == NULL)
        return command_context_fail(context, g_steal_pointer(&error));
    filter = (Filter){session, event, command_context_as_json(context) ? json_array() : NULL};
    for (guint i = 0; i < sources->logs->len; i++)
        show_source(sources->logs->pdata[i], &filter);
    if (filter.rows != NULL)
        command_context_print_json(json_pack("{s:o}", "records", filter.rows));
    return EXIT_CODE_OK;
}
