#include "agent/admin/commands.h"

#include <string.h>

static int
check(CommandContext *context)
{
    g_autoptr(GError) error = NULL;
    const Settings *settings = command_context_settings(context, &error);

    if (command_context_as_json(context)) {
        command_context_print_json(json_pack("{s:b, s:s?}", "ok", settings != NULL, "message",
                                             error != NULL ? error->message : NULL));
        return settings != NULL ? EXIT_CODE_OK : EXIT_CODE_FAILED;
    }
    if (settings == NULL)
        return command_context_fail(context, g_steal_pointer(&error));
    g_print("%s is good: %u organisation%s, %u trusted recorder%s.\n", settings->path,
            settings->orgs->len, settings->orgs->len == 1 ? "" : "s", settings->verifier_keys->len,
            settings->verifier_keys->len == 1 ? "" : "s");
    return EXIT_CODE_OK;
}

int
config_command_run(CommandContext *context, int argc, char **argv)
{
    static const CommandSyntax syntax = {
        "config", "check", "Reads all settings and says what is wrong with them, and where.",
        NULL,     1,       1};

    if (!command_context_parse(context, &syntax, &argc, argv))
        return EXIT_CODE_USAGE;
    if (strcmp(argv[1], "check") != 0) {
        g_printerr("sealtape config: `%s` is not `check`\n", argv[1]);
        return EXIT_CODE_USAGE;
    }
    return check(context);
}
