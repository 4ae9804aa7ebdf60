#include "agent/admin/commands.h"
#include "agent/admin/session_facts.h"
#include "agent/admin/session_list.h"
#include "agent/admin/session_picture.h"
#include "agent/admin/terminal.h"
#include "storage/storage_error.h"

#include <string.h>

/* Returns: what the recorder says of `session`, borrowed from its list; NULL if nothing. */
static const json_t *
find_live(const json_t *live, const char *session)
{
    const json_t *rows = json_is_array(live) ? live : json_object_get(live, "sessions");
    size_t i = 0;
    json_t *row = NULL;

    json_array_foreach(rows, i, row)
    {
        const char *id = json_string_value(json_object_get(row, "session"));

        if (id != NULL && strcmp(id, session) == 0)
            return row;
    }
    return NULL;
}

/* A session whose envelope is stored has no manifest for its first seconds: that is no failure. */
static bool
open_if_there(CommandContext *context, const char *session, Recording **recording, GError **error)
{
    g_autoptr(GError) fault = NULL;

    *recording = command_context_open_recording(context, session, &fault);
    if (*recording != NULL || g_error_matches(fault, STORAGE_ERROR, STORAGE_ERROR_NOT_FOUND))
        return true;
    g_propagate_error(error, g_steal_pointer(&fault));
    return false;
}

static bool
add_row(CommandContext *context, const SessionName *name, const json_t *live, json_t *rows,
        GError **error)
{
    g_autoptr(Recording) recording = NULL;
    g_autoptr(SessionFacts) facts = NULL;

    if (!open_if_there(context, name->session, &recording, error))
        return false;
    facts = session_facts_new(name->org, name->session,
                              recording != NULL ? recording_manifest(recording) : NULL,
                              find_live(live, name->session));
    json_array_append_new(rows, session_facts_to_row(facts));
    return true;
}

/* Returns: the rows, owned; NULL with `error` set. */
static json_t *
make_list(CommandContext *context, const char *org, GError **error)
{
    ObjectStore *store = command_context_store(context, error);
    g_autoptr(GPtrArray) names = store != NULL ? session_list_names(store, org, error) : NULL;
    json_t *live = names != NULL ? command_context_ask_recorder(context, "/v1/sessions") : NULL;
    json_t *rows = names != NULL ? json_array() : NULL;

    for (guint i = 0; rows != NULL && i < names->len; i++) {
        if (!add_row(context, names->pdata[i], live, rows, error)) {
            g_clear_pointer(&rows, json_decref);
        }
    }
    json_decref(live);
    return rows;
}

static int
run_list(CommandContext *context, int argc, char **argv)
{
    g_autofree char *org = NULL;
    const GOptionEntry entries[] = {
        {"org", 0, 0, G_OPTION_ARG_STRING, &org, "Only this organisation's", "ID"},
        G_OPTION_ENTRY_NULL,
    };
    const CommandSyntax syntax = {
        "session list", "", "Lists the sessions of the store and what became of them.",
        entries,        0,  0};
    g_autoptr(GError) error = NULL;
    json_t *rows = NULL;

    if (!command_context_parse(context, &syntax, &argc, argv))
        return EXIT_CODE_USAGE;
    rows = make_list(context, org, &error);
    if (rows == NULL)
        return command_context_fail(context, g_steal_pointer(&error));
    if (command_context_as_json(context)) {
        command_context_print_json(json_pack("{s:o}", "sessions", rows));
        return EXIT_CODE_OK;
    }
    session_picture_print_list(rows);
    json_decref(rows);
    return EXIT_CODE_OK;
}

static int
show(CommandContext *context, const char *session, bool is_ascii)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Recording) recording = NULL;
    g_autoptr(SessionFacts) facts = NULL;
    g_autofree char *path = g_strconcat("/v1/sessions/", session, NULL);
    json_t *live = NULL;

    recording = command_context_open_recording(context, session, &error);
    if (recording == NULL)
        return command_context_fail(context, g_steal_pointer(&error));
    live = command_context_ask_recorder(context, path);
    facts = session_facts_new(recording_manifest(recording)->org, session,
                              recording_manifest(recording), live);
    json_decref(live);
    if (command_context_as_json(context)) {
        command_context_print_json(session_facts_to_json(facts));
    } else {
        session_picture_print(facts, terminal_width(), is_ascii);
    }
    return EXIT_CODE_OK;
}

static int
run_show(CommandContext *context, int argc, char **argv)
{
    gboolean is_ascii = FALSE;
    const GOptionEntry entries[] = {
        {"ascii", 0, 0, G_OPTION_ARG_NONE, &is_ascii, "Draw with plain ASCII", NULL},
        G_OPTION_ENTRY_NULL,
    };
    const CommandSyntax syntax = {
        "session show",
        "SESSION",
        "Shows one session: its tracks, drawn on the timeline, with every gap.",
        entries,
        1,
        1};

    if (!command_context_parse(context, &syntax, &argc, argv))
        return EXIT_CODE_USAGE;
    return show(context, argv[1], is_ascii || !terminal_is_utf8());
}

int
session_command_run(CommandContext *context, int argc, char **argv)
{
    static const CommandSyntax syntax = {
        "session",
        "list | show SESSION",
        "Lists sessions, or shows one. `sealtape session list --help` says more.",
        NULL,
        1,
        1};

    if (argc > 1 && strcmp(argv[1], "list") == 0)
        return run_list(context, argc - 1, argv + 1);
    if (argc > 1 && strcmp(argv[1], "show") == 0)
        return run_show(context, argc - 1, argv + 1);
    if (command_context_parse(context, &syntax, &argc, argv))
        g_printerr("sealtape session: `%s` is neither `list` nor `show`\n", argv[1]);
    return EXIT_CODE_USAGE;
}
