#include "agent/admin/access_client.h"
#include "agent/admin/commands.h"

#include <string.h>

typedef struct {
    char *token_path;
    char *org;
} Who;

static void
who_clear(Who *self)
{
    g_free(self->token_path);
    g_free(self->org);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Who, who_clear)

static bool
parse(CommandContext *context, const CommandSyntax *form, Who *who, int *argc, char **argv)
{
    const GOptionEntry entries[] = {
        {"token-file", 0, 0, G_OPTION_ARG_FILENAME, &who->token_path,
         "Access token; - for standard input (default: you, as a local operator)",                                "FILE"},
        {"org",        0, 0, G_OPTION_ARG_STRING,   &who->org,        "Organisation, for an operator of several",
         "ID"                                                                                                           },
        G_OPTION_ENTRY_NULL,
    };
    CommandSyntax syntax = *form;

    syntax.entries = entries;
    return command_context_parse(context, &syntax, argc, argv);
}

/* Returns: the answer, owned. */
static json_t *
ask(CommandContext *context, const Who *who, const char *request, GError **error)
{
    g_autoptr(Secret) token = NULL;

    if (who->token_path != NULL) {
        token = access_client_read_token(who->token_path, error);
        if (token == NULL)
            return NULL;
    }
    return access_client_request(context, request, NULL, token, error);
}

static const char *
text_of(const json_t *row, const char *name)
{
    const char *text = json_string_value(json_object_get(row, name));

    return text != NULL ? text : "-";
}

static void
print_list(const json_t *answer)
{
    const json_t *grants = json_object_get(answer, "grants");

    for (size_t i = 0; i < json_array_size(grants); i++) {
        const json_t *row = json_array_get(grants, i);

        g_print("%s  %-8s  %-8s  %s  until %s  %s\n", text_of(row, "grant"), text_of(row, "state"),
                text_of(row, "purpose"), text_of(row, "session"), text_of(row, "expires"),
                text_of(row, "person"));
    }
    if (json_array_size(grants) == 0)
        g_print("No grants.\n");
}

static int
list_grants(CommandContext *context, int argc, char **argv)
{
    const CommandSyntax syntax = {
        "grants list", "", "Lists the grants that are alive, or were a while ago.", NULL, 0, 0};
    g_auto(Who) who = {0};
    g_autoptr(GError) error = NULL;
    g_autofree char *request = NULL;
    json_t *answer = NULL;

    if (!parse(context, &syntax, &who, &argc, argv))
        return EXIT_CODE_USAGE;
    request = who.org == NULL ? g_strdup("GET /v1/grants")
                              : g_strconcat("GET /v1/grants?org=", who.org, NULL);
    answer = ask(context, &who, request, &error);
    if (answer == NULL)
        return command_context_fail(context, g_steal_pointer(&error));
    if (command_context_as_json(context)) {
        command_context_print_json(answer);
    } else {
        print_list(answer);
        json_decref(answer);
    }
    return EXIT_CODE_OK;
}

static int
revoke_grant(CommandContext *context, int argc, char **argv)
{
    const CommandSyntax syntax = {"grants revoke",
                                  "GRANT",
                                  "Ends a grant, and what is being read under it, at once.",
                                  NULL,
                                  1,
                                  1};
    g_auto(Who) who = {0};
    g_autoptr(GError) error = NULL;
    g_autofree char *escaped = NULL;
    g_autofree char *request = NULL;
    json_t *answer = NULL;

    if (!parse(context, &syntax, &who, &argc, argv))
        return EXIT_CODE_USAGE;
    escaped = g_uri_escape_string(argv[1], NULL, FALSE);
    request = g_strconcat("DELETE /v1/grants/", escaped, NULL);
    answer = ask(context, &who, request, &error);
    if (answer == NULL)
        return command_context_fail(context, g_steal_pointer(&error));
    if (command_context_as_json(context)) {
        command_context_print_json(answer);
    } else {
        g_print("Grant %s is %s.\n", argv[1], text_of(answer, "state"));
        json_decref(answer);
    }
    return EXIT_CODE_OK;
}

int
grants_command_run(CommandContext *context, int argc, char **argv)
{
    static const CommandSyntax syntax = {
        "grants",
        "list | revoke GRANT",
        "What the opener has granted. `sealtape grants list --help` says more.",
        NULL,
        1,
        1};

    if (argc > 1 && strcmp(argv[1], "list") == 0)
        return list_grants(context, argc - 1, argv + 1);
    if (argc > 1 && strcmp(argv[1], "revoke") == 0)
        return revoke_grant(context, argc - 1, argv + 1);
    if (command_context_parse(context, &syntax, &argc, argv))
        g_printerr("sealtape grants: `%s` is neither `list` nor `revoke`\n", argv[1]);
    return EXIT_CODE_USAGE;
}
