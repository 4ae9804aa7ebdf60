#include "agent/admin/commands.h"
#include "agent/admin/live_page.h"
#include "agent/admin/status_facts.h"
#include "agent/admin/status_picture.h"

#include <unistd.h>

static char *
draw(void *user_data, GError **error)
{
    json_t *facts = status_facts_gather(user_data, error);
    char *page = facts != NULL ? status_picture_draw(facts) : NULL;

    json_decref(facts);
    return page;
}

/* Prints it once. */
static int
print(CommandContext *context)
{
    g_autoptr(GError) error = NULL;
    json_t *facts = status_facts_gather(context, &error);
    bool has_alarm = false;

    if (facts == NULL)
        return command_context_fail(context, g_steal_pointer(&error));
    has_alarm = json_array_size(json_object_get(facts, "alarms")) > 0;
    if (command_context_as_json(context)) {
        command_context_print_json(facts);
    } else {
        g_autofree char *page = status_picture_draw(facts);

        g_print("%s", page);
        json_decref(facts);
    }
    return has_alarm ? EXIT_CODE_FINDINGS : EXIT_CODE_OK;
}

int
status_command_run(CommandContext *context, int argc, char **argv)
{
    gboolean is_once = FALSE;
    int interval_s = 2;
    const GOptionEntry entries[] = {
        {"once",     0, 0, G_OPTION_ARG_NONE, &is_once,    "Print it once, and end",        NULL},
        {"interval", 0, 0, G_OPTION_ARG_INT,  &interval_s, "Seconds between two looks (2)", "N" },
        G_OPTION_ENTRY_NULL,
    };
    const CommandSyntax syntax = {
        "status",
        "",
        "Shows how the recorder of this host stands: sessions, loss, spool, upload, alarms, keys, "
        "and\nwhat is due. Goes on until Ctrl-C; where standard output is no terminal, prints it "
        "once.\nExit code 3 if there is an alarm.",
        entries,
        0,
        0,
    };
    g_autoptr(GError) error = NULL;

    if (!command_context_parse(context, &syntax, &argc, argv))
        return EXIT_CODE_USAGE;
    if (interval_s < 1 || interval_s > 3600) {
        g_printerr("sealtape status: --interval: %d is not 1 to 3600 seconds\n", interval_s);
        return EXIT_CODE_USAGE;
    }
    if (is_once || command_context_as_json(context) || !isatty(STDOUT_FILENO))
        return print(context);
    if (!live_page_run((unsigned) interval_s, draw, context, &error))
        return command_context_fail(context, g_steal_pointer(&error));
    return EXIT_CODE_OK;
}
